package lang

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
)

var campaignSchema = schema(
	"provider! audience! message fallback values on_invalid window revision throughput max_attempts testers prevent_resend quote identity_key_hash",
	blockOf("variant", "name"), blockOf("experiment"), blockOf("schedule"), blockOf("limit"), blockOf("canary"), blockOf("stop_if"), blockOf("price_guard"))

func (l *loader) decodeCampaign(b *block) *Campaign {
	c := l.content(b, campaignSchema)
	cm := &Campaign{
		Module: b.module(), Name: b.label(0), DeclRange: b.defRange,
		OnInvalid: l.oneOf(c, "on_invalid", "fail", "skip"), Window: l.oneOf(c, "window", "known", "assume_open"),
		Revision: l.integer(c, "revision", 1, 1), MaxAttempts: l.integer(c, "max_attempts", 1, 3),
		Throughput: l.number(c, "throughput", 0.001, 100000, 0), Testers: l.testers(c), PreventResend: l.boolean(c, "prevent_resend"),
		StopIf: StopIf{FailureRate: 0.2, Over: 100},
	}
	l.campaignRefs(cm, c)
	cm.quote, cm.identity = exprOf(c, "quote"), exprOf(c, "identity_key_hash")
	if a := c.args["values"]; a != nil {
		cm.values = a.expr
		l.checkValues(cm)
	}
	if sb := l.atMostOne(c, "schedule"); sb != nil {
		cm.Schedule = l.decodeSchedule(sb)
	}
	if lb := l.atMostOne(c, "limit"); lb != nil {
		cm.Limit = l.decodeLimit(lb)
	}
	if cb := l.atMostOne(c, "canary"); cb != nil {
		cm.Canary = l.decodeCanary(cb)
	}
	if sb := l.atMostOne(c, "stop_if"); sb != nil {
		sc := l.content(sb, schema("failure_rate over"))
		cm.StopIf = StopIf{FailureRate: l.number(sc, "failure_rate", 0, 1, 0.2), Over: l.integer(sc, "over", 1, 100)}
	}
	if gb := l.atMostOne(c, "price_guard"); gb != nil {
		cm.PriceGuard = l.decodePriceGuard(gb)
	}
	b.tree.labels = nil
	cm.Tree = b.tree.asTree()
	return cm
}

func (l *loader) campaignRefs(cm *Campaign, c *content) {
	if a := c.args["provider"]; a != nil {
		if address, ok := l.refer(a, rootProvider); ok {
			cm.Provider = l.cfg.provider(address)
		}
	}
	if a := c.args["audience"]; a != nil {
		if address, ok := l.refer(a, rootAudience); ok {
			cm.Audience = l.cfg.audience(address)
		}
	}
	cm.Message = l.messageRef(c, "message")
	cm.Fallback = l.fallbackRef(c)
	l.decodeVariants(cm, c)
	l.decodeExperiment(cm, c)
}

// messageRef returns the message that an argument refers to; nil for none.
func (l *loader) messageRef(c *content, name string) *Message {
	a := c.args[name]
	if a == nil {
		return nil
	}
	if v, ok := a.reference(); !ok || len(v) < 2 {
		var quiet diagList
		if v, ok := l.ev.constant(a.expr, &quiet); ok && v.IsNull() {
			return nil
		}
	}
	roots := []string{string(message.KindList)}
	for _, k := range messageKinds {
		roots = append(roots, string(k))
	}
	address, ok := l.refer(a, roots...)
	if !ok {
		return nil
	}
	return l.cfg.message(address)
}

func (c *Config) provider(address string) *Provider {
	for _, p := range c.Providers {
		if p.Address() == address {
			return p
		}
	}
	return nil
}

func (c *Config) audience(address string) *Audience {
	for _, a := range c.Audiences {
		if a.Address() == address {
			return a
		}
	}
	return nil
}

func (c *Config) message(address string) *Message {
	for _, m := range c.Messages {
		if m.Address() == address {
			return m
		}
	}
	return nil
}

// declared reports whether address is a declared resource.
func (ev *evaluator) declared(address string) bool {
	address, key, hasKey := cutKey(address)
	if keys, repeated := ev.keys[address]; hasKey || repeated {
		return hasKey && slices.Contains(keys, key)
	}
	module, rest := message.CutModule(address)
	kind, name, _ := strings.Cut(rest, ".")
	declared := ev.values[message.WithModule(module, kind)]
	if typed(kind) {
		first, second, _ := strings.Cut(name, ".")
		v, ok := declared[first]
		return ok && v.Type().IsObjectType() && v.Type().HasAttribute(second)
	}
	_, ok := declared[name]
	return ok
}

// checkValues checks the names that a campaign's values use, whether or not
// the message uses the value.
func (l *loader) checkValues(cm *Campaign) {
	sc := scope{rootRecipient: nil}
	if cm.Audience != nil {
		sc[rootRecipient] = recipientNames(cm.Audience)
	}
	l.ev.check(cm.values, sc, l.diags)
	args := newValueArgs(cm.values, cm.Address(), cm.values.Range())
	if args.items == nil && !uses(cm.values, scopedRoots...) {
		v, ok := l.ev.constant(cm.values, l.diags)
		if ok && (v.IsNull() || !unmarked(v).CanIterateElements() || v.Type().IsTupleType() || v.Type().IsListType()) {
			l.diags.err("unsuitable_value", cm.values.Range(), "values takes an object, such as { context = var.context }.")
		}
	}
}

func (cm *Campaign) valuesRange() hcl.Range {
	if cm.values != nil {
		return cm.values.Range()
	}
	return cm.DeclRange
}

var numberPattern = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func (d *decoder) testers(c *content) []string {
	list := d.strings(c, "testers")
	for _, number := range list {
		if !numberPattern.MatchString(number) {
			d.invalid(c, "testers", `takes numbers in international form, such as "+4915112345678"`)
			return nil
		}
	}
	return list
}

// timeRange is "20:00-09:00" in minutes after midnight.
func (d *decoder) timeRange(c *content, name string) (from, until int, ok bool) {
	s := d.str(c, name)
	if s == "" {
		return 0, 0, false
	}
	a, b, found := strings.Cut(s, "-")
	from, ok1 := clockTime(strings.TrimSpace(a))
	until, ok2 := clockTime(strings.TrimSpace(b))
	if !found || !ok1 || !ok2 || from == until {
		d.invalid(c, name, `is a time of day to another, such as "20:00-09:00"`)
		return 0, 0, false
	}
	return from, until, true
}

func clockTime(s string) (int, bool) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, s == "24:00"
	}
	return t.Hour()*60 + t.Minute(), true
}

func (d *decoder) decodeLimit(b *block) *CampaignLimit {
	c := d.content(b, schema("per_recipient total max_recipients max_change"))
	return &CampaignLimit{
		PerRecipient: d.frequency(c, "per_recipient"), Total: d.integer(c, "total", 1, 0), MaxRecipients: d.integer(c, "max_recipients", 1, 0),
		MaxChange: d.number(c, "max_change", 0, 1, 0), DeclRange: b.defRange,
	}
}

func (d *decoder) decodePriceGuard(b *block) *PriceGuard {
	c := d.content(b, schema("max!"))
	g := &PriceGuard{DeclRange: b.defRange}
	if v, ok := d.value(c, "max", cty.String); ok {
		var err error
		if g.Max, err = account.ParsePrice(v.AsString()); err != nil {
			d.invalid(c, "max", `is an amount of money, such as "500 EUR"`)
		}
	}
	return g
}

func (d *decoder) frequency(c *content, name string) Frequency {
	v, ok := d.value(c, name, cty.String)
	if !ok {
		return Frequency{}
	}
	f, err := parseFrequency(v.AsString())
	if err != nil {
		d.invalid(c, name, `is a count and a length of time, such as "1 per 24h" or "3 per 7d"`)
	}
	return f
}

func parseFrequency(s string) (Frequency, error) {
	parts := strings.Fields(s)
	if len(parts) != 3 || parts[1] != "per" {
		return Frequency{}, fmt.Errorf("no frequency: %q", s)
	}
	n, err := strconv.Atoi(parts[0])
	if err != nil || n < 1 {
		return Frequency{}, fmt.Errorf("no count: %q", parts[0])
	}
	per, err := parseDuration(parts[2])
	if err != nil || per <= 0 {
		return Frequency{}, fmt.Errorf("no length of time: %q", parts[2])
	}
	return Frequency{Count: n, Per: per}, nil
}

func (d *decoder) decodeCanary(b *block) *Canary {
	c := d.content(b, schema("count percent wait max_failure_rate"))
	d.exclusive(c, "count", "percent")
	if c.args["count"] == nil && c.args["percent"] == nil {
		d.diags.err("missing_argument", b.defRange, "A canary block needs count or percent: how many get the message first.")
	}
	return &Canary{
		Count: d.integer(c, "count", 1, 0), Percent: d.number(c, "percent", 0.001, 100, 0), Wait: d.duration(c, "wait"),
		MaxFailureRate: d.number(c, "max_failure_rate", 0, 1, 0), DeclRange: b.defRange,
	}
}
