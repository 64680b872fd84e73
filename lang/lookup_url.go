package lang

import (
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// lookupURL returns the URL of a lookup. A value is encoded for its place in the
// URL, as a segment of the path or for the query, so that a person cannot reach
// another path than the author wrote. Two kinds of values are not encoded: one at
// the beginning, which is the author's own URL, and one that the author gave to
// urlencode().
func lookupURL(p *eval.Program, encoded []hcl.Range, vals []message.Value) (string, error) {
	var b strings.Builder
	for _, piece := range p.Parts() {
		if piece.Program == nil {
			b.WriteString(piece.Text)
			continue
		}
		text, err := programText(piece.Program, vals)
		if err != nil {
			return "", err
		}
		if !slices.Contains(encoded, piece.Program.Range()) {
			text = encodedFor(b.String(), text)
		}
		b.WriteString(text)
	}
	made := b.String()
	if _, constant := p.Const(); constant {
		return made, nil
	}
	if why := badLookupURL(made); why != "" {
		return "", &ValueError{Code: "evaluation", Range: p.Range(), Summary: summaryOf("evaluation"), Detail: "Nothing is looked up: " + why + "."}
	}
	return made, nil
}

// encodedFor encodes a value for its place after the text before it.
func encodedFor(before, value string) string {
	switch {
	case before == "":
		return value
	case strings.ContainsAny(before, "?#"), inHost(before):
		return url.QueryEscape(value)
	}
	return url.PathEscape(value)
}

// encodedAlready returns the places of the values that the author gave to
// urlencode().
func encodedAlready(e hclsyntax.Expression) []hcl.Range {
	template, ok := unwrap(e).(*hclsyntax.TemplateExpr)
	if !ok {
		return nil
	}
	var out []hcl.Range
	for _, part := range template.Parts {
		if call, ok := part.(*hclsyntax.FunctionCallExpr); ok && call.Name == "urlencode" {
			out = append(out, part.Range())
		}
	}
	return out
}

// inHost reports whether what follows belongs to the host, where a colon or an @
// would lead to another host.
func inHost(before string) bool {
	_, rest, ok := strings.Cut(before, "://")
	return ok && !strings.Contains(rest, "/")
}

// badLookupURL says what is wrong with a URL that values went into; "" for
// nothing.
func badLookupURL(made string) string {
	if !isHTTP(made) {
		return "the URL begins with neither https:// nor http://"
	}
	u, err := url.Parse(made)
	if err != nil || u.Host == "" {
		return "the URL is none"
	}
	for segment := range strings.SplitSeq(u.EscapedPath(), "/") {
		if segment == "." || segment == ".." {
			return "a part of the URL's path is nothing but dots, which leads to another path"
		}
	}
	return ""
}

func isHTTP(s string) bool {
	s = strings.ToLower(s)
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// checkLookupURL refuses a URL whose beginning is known and does not lead to a web
// service.
func checkLookupURL(p *eval.Program, diags *diagList) {
	if p == nil || len(p.Parts()) == 0 || p.Parts()[0].Program != nil {
		return
	}
	if !isHTTP(p.Parts()[0].Text) {
		diags.err("invalid_value", p.Range(), "A lookup asks a web service, so its url begins with https:// or http://.")
	}
}
