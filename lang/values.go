package lang

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// value is the constant value of an argument as ty, without marks; ok is false
// when it is absent, null, not known, or wrong and reported.
func (d *decoder) value(c *content, name string, ty cty.Type) (cty.Value, bool) {
	a := c.args[name]
	if a == nil {
		return cty.NilVal, false
	}
	if _, open := d.scope[rootValue]; open && uses(a.expr, rootValue) {
		return cty.NilVal, false // known once a campaign gives the value
	}
	v, ok := d.ev.constant(a.expr, d.diags)
	if !ok {
		return cty.NilVal, false
	}
	return d.converted(a, v, ty)
}

func (d *decoder) converted(a *argument, v cty.Value, ty cty.Type) (cty.Value, bool) {
	if eval.IsSensitive(v) {
		d.diags.err("sensitive_value", a.expr.Range(), "The argument %s is shown in plans, so it may not be made from a sensitive value.", a.name)
		return cty.NilVal, false
	}
	v, _ = v.UnmarkDeep()
	got, err := convert.Convert(v, ty)
	if err != nil {
		d.diags.err("unsuitable_value", a.expr.Range(), "The argument %s takes %s: %s.", a.name, friendly(ty), err.Error())
		return cty.NilVal, false
	}
	return got, !got.IsNull()
}

func friendly(ty cty.Type) string {
	switch {
	case ty == cty.String:
		return "a string"
	case ty == cty.Number:
		return "a number"
	case ty == cty.Bool:
		return "true or false"
	case ty.IsListType():
		return "a list of strings"
	}
	return ty.FriendlyName()
}

func (d *decoder) str(c *content, name string) string {
	v, ok := d.value(c, name, cty.String)
	if !ok {
		return ""
	}
	return v.AsString()
}

// filled is str for an argument that must not be empty.
func (d *decoder) filled(c *content, name string) string {
	v, ok := d.value(c, name, cty.String)
	if !ok {
		return ""
	}
	if v.AsString() == "" {
		d.invalid(c, name, "may not be empty")
	}
	return v.AsString()
}

func (d *decoder) boolean(c *content, name string) bool {
	v, ok := d.value(c, name, cty.Bool)
	return ok && v.True()
}

// number is a number between low and high, or def when absent.
func (d *decoder) number(c *content, name string, low, high, def float64) float64 {
	v, ok := d.value(c, name, cty.Number)
	if !ok {
		return def
	}
	f, _ := v.AsBigFloat().Float64()
	if f < low || f > high || math.IsInf(f, 0) {
		d.invalid(c, name, "must be "+bounds(low, high))
		return def
	}
	return f
}

func bounds(low, high float64) string {
	if math.IsInf(high, 1) || high >= math.MaxInt32 {
		return fmt.Sprintf("%v or more", low)
	}
	return fmt.Sprintf("from %v to %v", low, high)
}

// integer is a whole number of at least low, or def when absent.
func (d *decoder) integer(c *content, name string, low, def int) int {
	f := d.number(c, name, float64(low), math.MaxInt32, float64(def))
	if f != math.Trunc(f) {
		d.invalid(c, name, "must be a whole number")
		return def
	}
	return int(f)
}

func (d *decoder) invalid(c *content, name, must string) {
	d.diags.err("invalid_value", c.rangeOf(name), "The argument %s %s.", name, must)
}

// strings is a list of strings; nil when absent.
func (d *decoder) strings(c *content, name string) []string {
	v, ok := d.value(c, name, cty.List(cty.String))
	if !ok {
		return nil
	}
	out := []string{}
	for _, item := range v.AsValueSlice() {
		if item.IsNull() {
			d.invalid(c, name, "may not hold null")
			continue
		}
		out = append(out, item.AsString())
	}
	return out
}

// oneOf reads one of the words that an argument accepts; the first is the default.
func (d *decoder) oneOf(c *content, name string, words ...string) string {
	v, ok := d.value(c, name, cty.String)
	if !ok {
		return words[0]
	}
	s := v.AsString()
	if !slices.Contains(words, s) {
		d.diags.err("invalid_value", c.rangeOf(name), "The argument %s takes %s, not %q.%s", name, listOf(quoteAll(words)), s, didYouMean(s, words))
		return words[0]
	}
	return s
}

func quoteAll(words []string) []string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		if w != "" {
			out = append(out, fmt.Sprintf("%q", w))
		}
	}
	return out
}

// duration is a positive length of time such as "24h", or 0 when absent. It
// takes days as well, "7d".
func (d *decoder) duration(c *content, name string) time.Duration {
	v, ok := d.value(c, name, cty.String)
	if !ok {
		return 0
	}
	dur, err := parseDuration(v.AsString())
	if err != nil || dur <= 0 {
		d.invalid(c, name, `is a length of time such as "30s", "15m", "24h" or "7d"`)
		return 0
	}
	return dur
}

// ParseDuration reads a length of time as configurations have it: "72h", "90m", "7d".
func ParseDuration(s string) (time.Duration, error) { return parseDuration(s) }

func parseDuration(s string) (time.Duration, error) {
	var days int
	if n, err := fmt.Sscanf(s, "%dd", &days); err == nil && n == 1 && s == fmt.Sprintf("%dd", days) && days < 36500 {
		return time.Duration(days) * 24 * time.Hour, nil
	}
	return time.ParseDuration(s)
}

// timestamp is a point in time in RFC 3339, zero when absent.
func (d *decoder) timestamp(c *content, name string) time.Time {
	v, ok := d.value(c, name, cty.String)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, v.AsString())
	if err != nil {
		d.invalid(c, name, `is a time with its offset, such as "2026-03-01T09:00:00+01:00" (RFC 3339)`)
		return time.Time{}
	}
	return t
}

// refer returns the address that an argument refers to, if that is below one of the
// roots; otherwise it reports an error.
func (d *decoder) refer(a *argument, roots ...string) (string, bool) {
	t, isRef := a.reference()
	if kind := rootName(t); isRef && kind != rootVar && kind != rootLocal && kind != rootModule {
		if !d.ev.checkReference(t, nil, d.diags) {
			return "", false
		}
		address, ok := d.ev.addressOf(t)
		if ok && slices.Contains(roots, rootKind(t)) {
			return address, true
		}
		if !d.ev.wholeOf(t, a.expr.Range(), d.diags) {
			d.wrongReference(a, roots)
		}
		return "", false
	}
	v, ok := d.ev.constant(a.expr, d.diags)
	if !ok {
		return "", false
	}
	v, _ = v.UnmarkDeep()
	if !v.IsNull() && v.Type().IsObjectType() && v.Type().HasAttribute("address") && v.GetAttr("address").Type() == cty.String {
		address := v.GetAttr("address").AsString()
		if slices.Contains(roots, message.AddressType(address)) && d.ev.declared(address) {
			return address, true
		}
	}
	d.wrongReference(a, roots)
	return "", false
}

func (d *decoder) wrongReference(a *argument, roots []string) {
	example := roots[0] + ".NAME"
	if roots[0] == rootProvider {
		example = "provider.TYPE.NAME"
	}
	d.diags.err("unsuitable_value", a.expr.Range(), "The argument %s takes a reference such as %s.", a.name, example)
}

// referList is the addresses in a list of references.
func (d *decoder) referList(a *argument, roots ...string) []string {
	list, diags := hcl.ExprList(unwrap(a.expr))
	if diags.HasErrors() {
		d.diags.err("unsuitable_value", a.expr.Range(), "The argument %s takes a list of references such as [%s.NAME].", a.name, roots[0])
		return nil
	}
	var out []string
	for _, item := range list {
		e, more := toSyntax(item)
		d.diags.take(more)
		if address, ok := d.refer(&argument{in: a.in, name: a.name, rng: a.rng, expr: e}, roots...); ok {
			out = append(out, address)
		}
	}
	return out
}

// atMostOne returns the only block of a kind; nil for none. It reports further ones.
func (d *decoder) atMostOne(c *content, kind string) *block {
	list := c.ofKind(kind)
	if len(list) == 0 {
		return nil
	}
	for _, extra := range list[1:] {
		d.diags.err("repeated_block", extra.defRange, "There may be one %s block here; the first is at %s.", kind, list[0].defRange)
	}
	return list[0]
}

// exclusive reports arguments that exclude each other.
func (d *decoder) exclusive(c *content, names ...string) {
	first := ""
	for _, name := range names {
		switch {
		case c.args[name] == nil:
		case first == "":
			first = name
		default:
			d.diags.err("conflicting_arguments", c.args[name].rng, "The arguments %s and %s exclude each other.", first, name)
		}
	}
}
