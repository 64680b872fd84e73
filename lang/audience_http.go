package lang

import (
	"errors"
	"regexp"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// decodeHTTP reads a source that a web service answers.
func (d *decoder) decodeHTTP(a *Audience, sb *block, c *content) {
	s := &a.Source
	s.URL, s.HideURL = d.secretURL(c, "url")
	if s.URL != "" && !isHTTP(s.URL) {
		d.invalid(c, "url", "begins with https:// or http://")
	}
	s.Format, s.Timeout = d.oneOf(c, "format", "", "csv", "ndjson", "json"), d.duration(c, "timeout")
	if c.args["headers"] != nil {
		s.Headers = d.secretHeaders(c)
		hideArgument(sb, "headers")
	}
	if s.HideURL {
		hideArgument(sb, "url")
	}
	for _, name := range []string{"records", "next"} {
		if c.args[name] != nil && s.Format != "" && s.Format != "json" {
			d.diags.err("conflicting_arguments", c.rangeOf(name), "The argument %s is for format = \"json\".", name)
		}
	}
	if e := exprOf(c, "next"); e != nil {
		s.Next = d.nextPage(e)
	}
}

// secretName is a header that carries a secret. Source: the names in RFC 9110, and
// those that services commonly document; read 2026-11.
var secretName = regexp.MustCompile(`(?i)auth|token|secret|cookie|api-?key|password`)

// secretHeaders are the headers of a request, whose values may be sensitive.
func (d *decoder) secretHeaders(c *content) map[string]string {
	arg := c.args["headers"]
	v, ok := d.ev.constant(arg.expr, d.diags)
	if !ok {
		return nil
	}
	if v.IsNull() || !unmarked(v).CanIterateElements() || !(v.Type().IsObjectType() || v.Type().IsMapType()) {
		d.diags.err("unsuitable_value", arg.expr.Range(), "headers takes an object, such as { Authorization = env(\"CRM_TOKEN\") }.")
		return nil
	}
	shallow, _ := v.Unmark()
	out := map[string]string{}
	for name, value := range shallow.AsValueMap() {
		text, err := convert.Convert(unmarked(value), cty.String)
		switch {
		case err != nil || text.IsNull():
			d.diags.err("unsuitable_value", arg.expr.Range(), "The header %s is no text.", name)
		case !headerName.MatchString(name) || !headerValue.MatchString(text.AsString()):
			d.diags.err("unsuitable_value", arg.expr.Range(), "The header %q can't be sent: a name has letters, digits and dashes, and a value no line break.", message.SafeText(name))
		case secretName.MatchString(name) && !eval.IsSensitive(value) && !eval.IsSensitive(v):
			d.diags.err("literal_secret", arg.expr.Range(), "The header %s is a secret and may not stand in the configuration. Read it from the environment, %q = env(\"NAME\"), or from a variable with sensitive = true.", name, name)
		default:
			out[name] = text.AsString()
		}
	}
	return out
}

// whyNot says why an expression has no result.
func whyNot(err error) error {
	var e *eval.Error
	if errors.As(err, &e) {
		return errors.New(e.Summary + ": " + e.Detail)
	}
	return errors.New("The expression has no result.")
}

var (
	headerName  = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	headerValue = regexp.MustCompile(`^[\x20-\x7e\t]*$`)
)

// nextPage compiles the expression that says where the page after one is.
func (d *decoder) nextPage(e hclsyntax.Expression) func([]byte) (string, error) {
	names := []string{"json"}
	if !d.ev.check(e, scope{rootResponse: names}, d.diags) {
		return nil
	}
	prog, diags := eval.Compile(e, d.ev.fullContext(), eval.Input{Root: rootResponse, Names: names})
	d.diags.take(diags)
	if prog == nil {
		return nil
	}
	if len(prog.Uses()) == 0 {
		d.diags.err("unsuitable_value", e.Range(), "next says where the following page is, so it is made of the answer, such as next = response.json.next.")
		return nil
	}
	return func(page []byte) (string, error) {
		v, err := prog.Eval([]message.Value{{Kind: message.JSON, Text: string(page)}})
		switch {
		case errors.Is(err, eval.ErrNull):
			return "", nil
		case err != nil:
			return "", whyNot(err)
		case v.Kind == message.Null:
			return "", nil
		case v.Kind == message.String:
			return v.Text, nil
		}
		return "", errors.New("It is neither a text nor null.")
	}
}
