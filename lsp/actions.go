package lsp

import (
	"regexp"
	"strings"

	"github.com/handbill/handbill/lang"
)

type actionParams struct {
	documentParams
	Range span `json:"range"`
}

type codeAction struct {
	Title       string       `json:"title"`
	Kind        string       `json:"kind"`
	Diagnostics []diagnostic `json:"diagnostics"`
	Preferred   bool         `json:"isPreferred"`
	Edit        struct {
		Changes map[string][]textEdit `json:"changes"`
	} `json:"edit"`
}

// suggestion is the end of a diagnostic that knows a better word, and word is a name as
// the language writes them.
var (
	suggestion = regexp.MustCompile(`Did you mean "([^"]+)"\?`)
	word       = regexp.MustCompile(`[\pL_][\pL\pN_-]*`)
)

// actions offer to write the words that diagnostics within a range suggest.
func (s *server) actions(p *actionParams) (any, error) {
	d, err := s.open(p.Document.URI)
	if err != nil {
		return nil, err
	}
	s.catchUp()
	out := []codeAction{}
	for _, diag := range s.found[d.path] {
		if before(diag.Range.End, p.Range.Start) || before(p.Range.End, diag.Range.Start) {
			continue
		}
		if e, ok := d.suggested(&diag); ok {
			a := codeAction{Title: `Change to "` + e.NewText + `"`, Kind: "quickfix", Diagnostics: []diagnostic{diag}, Preferred: true}
			a.Edit.Changes = map[string][]textEdit{d.uri: {e}}
			out = append(out, a)
		}
	}
	return out, nil
}

// suggested is the change that a diagnostic suggests: of the word in its range that is
// like the one that it names. What is missing cannot be changed.
func (d *document) suggested(diag *diagnostic) (e textEdit, ok bool) {
	m := suggestion.FindStringSubmatch(diag.Message)
	if m == nil || strings.HasPrefix(diag.Code, "missing_") {
		return e, false
	}
	from, to := d.text.offset(diag.Range.Start), d.text.offset(diag.Range.End)
	for _, at := range word.FindAllIndex(d.text.src[from:to], -1) {
		given := string(d.text.src[from+at[0] : from+at[1]])
		if given != m[1] && lang.DidYouMean(given, m[1:2]) != "" {
			return textEdit{span{d.text.position(from + at[0]), d.text.position(from + at[1])}, m[1]}, true
		}
	}
	return e, false
}
