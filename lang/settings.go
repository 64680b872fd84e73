package lang

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

var settingsSchema = schema("required_version reply_budget", blockOf("state", "type"))

var sqliteSchema = schema("path")

var postgresSchema = schema("url! schema")

func defaultSettings() Settings {
	return Settings{State: StateSettings{Type: "sqlite", Path: "handbill.state"}, ReplyBudget: Frequency{Count: 60, Per: time.Hour}}
}

func (l *loader) decodeSettings() {
	for i, b := range l.settings {
		if i > 0 {
			l.diags.err("repeated_block", b.defRange, "The handbill block may stand once in a configuration; the first is at %s.", l.settings[0].defRange)
			continue
		}
		c := l.content(b, settingsSchema)
		l.cfg.Settings.DeclRange = b.defRange
		if v := l.str(c, "required_version"); v != "" {
			l.cfg.Settings.RequiredVersion = v
			l.checkVersion(c, v)
		}
		if f := l.frequency(c, "reply_budget"); f.Count > 0 {
			l.cfg.Settings.ReplyBudget = f
		}
		if sb := l.atMostOne(c, "state"); sb != nil {
			l.cfg.Settings.State = l.decodeState(sb)
		}
	}
}

func (d *decoder) decodeState(b *block) StateSettings {
	s := StateSettings{Type: b.label(0)}
	switch s.Type {
	case "sqlite":
		c := d.content(b, sqliteSchema)
		s.Path = d.filled(c, "path")
		if s.Path == "" {
			s.Path = defaultSettings().State.Path
		}
	case "postgres":
		c := d.content(b, postgresSchema)
		s.URL, _ = d.secretURL(c, "url")
		if s.Schema = d.filled(c, "schema"); s.Schema == "" {
			s.Schema = defaultSchema
		} else if !SchemaName(s.Schema) {
			d.invalid(c, "schema", "is a name of up to 63 lowercase letters, digits and underscores that begins with a letter, and not with pg_")
		}
	default:
		d.diags.err("invalid_value", b.labelRange(0), "The state lives in %s, not in %q.%s", listOf([]string{`"sqlite"`, `"postgres"`}), s.Type, didYouMean(s.Type, []string{"sqlite", "postgres"}))
		s = defaultSettings().State
	}
	return s
}

// defaultSchema is where a state in a database lies unless a schema is given.
const defaultSchema = "handbill"

// SchemaName reports whether a name needs no quotes in PostgreSQL and is not
// reserved for the system.
func SchemaName(s string) bool {
	for i, c := range []byte(s) {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(s) <= 63 && !strings.HasPrefix(s, "pg_") && s[0] != '_'
}

// secretURL reads a connection string. Its password must not be written in the
// configuration; hide says that it is made from a sensitive value.
func (d *decoder) secretURL(c *content, name string) (url string, hide bool) {
	a := c.args[name]
	if a == nil {
		return "", false
	}
	v, ok := d.ev.constant(a.expr, d.diags)
	if !ok {
		return "", false
	}
	s, err := convert.Convert(unmarked(v), cty.String)
	if err != nil || s.IsNull() {
		d.diags.err("unsuitable_value", a.expr.Range(), "The argument %s takes a string.", name)
		return "", false
	}
	if !eval.IsSensitive(v) && HoldsPassword(s.AsString()) {
		d.diags.err("literal_secret", a.expr.Range(), "The argument %s holds a password. Read it from the environment, %s = env(\"NAME\"), or from a variable with sensitive = true.", name, name)
	}
	return s.AsString(), eval.IsSensitive(v)
}

// HoldsPassword reports whether a connection string has a password in it.
func HoldsPassword(dsn string) bool {
	if strings.Contains(strings.ToLower(dsn), "password=") {
		return true
	}
	u, err := url.Parse(dsn)
	if err != nil || u.User == nil {
		return false
	}
	_, has := u.User.Password()
	return has
}

func (d *decoder) checkVersion(c *content, constraint string) {
	parts, err := parseConstraint(constraint)
	if err != nil {
		d.invalid(c, "required_version", `is a list of versions such as ">= 0.1, < 1.0" or "~> 0.2"`)
		return
	}
	have, err := parseVersion(d.ev.opt.Version)
	if d.ev.opt.Version == "" || err != nil {
		return // a build without a version number, such as "dev"
	}
	for _, p := range parts {
		if !p.allows(have) {
			d.diags.err("unsupported_version", c.rangeOf("required_version"), "This configuration requires handbill %s; this is %s.", constraint, d.ev.opt.Version)
			return
		}
	}
}

// versionRule is one part of a version constraint.
type versionRule struct {
	op      string
	version []int
}

func parseConstraint(s string) ([]versionRule, error) {
	var out []versionRule
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		rule := versionRule{op: "="}
		for _, op := range []string{">=", "<=", "!=", "~>", ">", "<", "="} {
			if rest, ok := strings.CutPrefix(part, op); ok {
				rule.op, part = op, strings.TrimSpace(rest)
				break
			}
		}
		v, err := parseVersion(part)
		if err != nil {
			return nil, err
		}
		rule.version = v
		out = append(out, rule)
	}
	return out, nil
}

// parseVersion reads "1.2.3"; what follows a dash or plus is left out.
func parseVersion(s string) ([]int, error) {
	s = strings.TrimPrefix(s, "v")
	if i := strings.IndexAny(s, "-+"); i >= 0 {
		s = s[:i]
	}
	var out []int
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || len(out) == 3 {
			return nil, fmt.Errorf("no version: %q", s)
		}
		out = append(out, n)
	}
	return out, nil
}

func (r versionRule) allows(have []int) bool {
	cmp := slices.Compare(padded(have), padded(r.version))
	switch r.op {
	case "=":
		return cmp == 0
	case "!=":
		return cmp != 0
	case ">":
		return cmp > 0
	case ">=":
		return cmp >= 0
	case "<":
		return cmp < 0
	case "<=":
		return cmp <= 0
	}
	// "~> 1.2" allows 1.3 but not 2.0: all but the last part stay.
	keep := max(len(r.version)-1, 1)
	return cmp >= 0 && slices.Equal(padded(have)[:keep], padded(r.version)[:keep])
}

func padded(v []int) []int {
	out := slices.Clone(v)
	for len(out) < 3 {
		out = append(out, 0)
	}
	return out
}

var outputSchema = schema("value! description sensitive")

func (d *decoder) decodeOutput(b *block) *Output {
	c := d.content(b, outputSchema)
	o := &Output{Name: b.label(0), Description: d.str(c, "description"), Sensitive: d.boolean(c, "sensitive"), DeclRange: b.defRange}
	if a := c.args["value"]; a != nil {
		e := d.ev.withLate(a.expr)
		d.ev.check(e, planScope, d.diags)
		o.Expr = e
	}
	return o
}

// planScope is what checks and outputs see besides the global names. Which names
// the plan has is known only with the plan.
var planScope = scope{rootPlan: nil}

var checkSchema = schema("", blockOf("assert"))

var assertSchema = schema("condition! error_message!")

func (d *decoder) decodeCheck(b *block) *Check {
	c := d.content(b, checkSchema)
	check := &Check{Name: b.label(0), DeclRange: b.defRange}
	if m := b.module(); m != "" {
		check.Name = m + ".check." + check.Name
	}
	for _, ab := range c.blocks {
		ac := d.content(ab, assertSchema)
		cond, msg := ac.args["condition"], ac.args["error_message"]
		if cond == nil || msg == nil {
			continue
		}
		d.ev.check(d.ev.withLate(cond.expr), planScope, d.diags)
		d.ev.check(d.ev.withLate(msg.expr), planScope, d.diags)
		check.Asserts = append(check.Asserts, Assert{Condition: cond.expr, ErrorMessage: msg.expr, DeclRange: ab.defRange})
	}
	if len(check.Asserts) == 0 && len(c.blocks) == 0 {
		d.diags.err("missing_block", b.defRange, "A check needs an assert block with a condition and an error_message.")
	}
	return check
}

var movedSchema = schema("from! to!")

func (l *loader) decodeMoved() {
	for b := range l.inTurn(l.moved) {
		c := l.content(b, movedSchema)
		from, ok1 := l.movedAddress(c, "from")
		to, ok2 := l.movedAddress(c, "to")
		if !ok1 || !ok2 {
			continue
		}
		if message.AddressType(from) != message.AddressType(to) {
			l.diags.err("invalid_address", c.rangeOf("to"), "A %s cannot become a %s: both addresses must be of the same type.", message.AddressType(from), message.AddressType(to))
			continue
		}
		l.cfg.Moved = append(l.cfg.Moved, &Moved{From: from, To: to, DeclRange: b.defRange})
	}
	l.checkMoves()
}

// movedAddress reads an address. Its resource need not exist any more.
func (d *decoder) movedAddress(c *content, name string) (string, bool) {
	a := c.args[name]
	if a == nil {
		return "", false
	}
	t, isRef := a.reference()
	if isRef {
		if address, ok := d.ev.writtenAddress(intoModules(t)); ok {
			return address, true
		}
	}
	d.diags.err("invalid_address", a.expr.Range(), "An address is written as a reference, such as campaign.spring or list_message.browse[\"de\"].%s", didYouMean(rootName(t), globalRoots()))
	return "", false
}

func rootName(t hcl.Traversal) string {
	if len(t) == 0 {
		return ""
	}
	return rootKind(t)
}

// Moves are the moved blocks, where one for a whole module is replaced by one for each
// of the addresses in known that are in it and have no block of their own.
func (c *Config) Moves(known []string) []*Moved {
	var out []*Moved
	own := map[string]bool{}
	for _, m := range c.Moved {
		own[m.From] = true
	}
	for _, m := range c.Moved {
		if message.AddressType(m.From) != rootModule {
			out = append(out, m)
			continue
		}
		_, _, toOne := cutKey(m.To)
		for _, address := range known {
			rest := strings.TrimPrefix(address, m.From)
			if own[address] || !message.InModule(m.From, address) || toOne && strings.HasPrefix(rest, "[") {
				continue
			}
			out = append(out, &Moved{From: address, To: m.To + rest, DeclRange: m.DeclRange})
		}
	}
	return out
}

// MovedFrom is the address from which a moved block, its own or that of its module, says
// that the resource at an address comes; "" for none.
func (c *Config) MovedFrom(to string) string {
	from := ""
	for _, m := range c.Moved {
		switch {
		case m.To == to:
			return m.From
		case message.AddressType(m.To) == rootModule && message.InModule(m.To, to):
			from = m.From + strings.TrimPrefix(to, m.To)
		}
	}
	return from
}

// standing is where something at an address is declared; ok is false if nothing is.
func (l *loader) standing(address string) (at hcl.Range, ok bool) {
	if decl := l.byAddress[address]; decl != nil {
		return decl.rng(), true
	}
	if m := l.cfg.modules[address]; m != nil {
		return m.call, true
	}
	_, repeated := l.ev.keys[address]
	return at, repeated && message.AddressType(address) == rootModule
}

func (l *loader) checkMoves() {
	byFrom, byTo := map[string]*Moved{}, map[string]*Moved{}
	for _, m := range l.cfg.Moved {
		at, still := l.standing(m.From)
		switch {
		case m.From == m.To:
			l.diags.err("moved_conflict", m.DeclRange, "%s is moved to itself.", m.From)
		case byFrom[m.From] != nil:
			l.diags.err("moved_conflict", m.DeclRange, "%s is already moved at %s.", m.From, byFrom[m.From].DeclRange)
		case byTo[m.To] != nil:
			l.diags.err("moved_conflict", m.DeclRange, "Something else is already moved to %s at %s.", m.To, byTo[m.To].DeclRange)
		case still && at.Filename != "":
			l.diags.err("moved_conflict", m.DeclRange, "%s is still declared at %s, so it has not moved.", m.From, at)
		}
		byFrom[m.From], byTo[m.To] = m, m
	}
	l.checkMoveChains(byFrom)
}

// checkMoveChains follows each chain of moves to its end.
func (l *loader) checkMoveChains(byFrom map[string]*Moved) {
	for _, m := range l.cfg.Moved {
		at, seen := m, map[string]bool{m.From: true}
		for at != nil && !seen[at.To] {
			seen[at.To] = true
			if next := byFrom[at.To]; next != nil {
				at = next
				continue
			}
			if _, ok := l.standing(at.To); !ok {
				l.diags.err("unknown_reference", at.DeclRange, "%s is moved to %s, which is not declared.", at.From, at.To)
			}
			at = nil
		}
		if at != nil && at.From != at.To {
			l.diags.err("moved_conflict", m.DeclRange, "These moved blocks form a cycle through %s.", at.To)
		}
	}
}
