package lsp

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
)

// FuzzQuestions asks everything at a place of any text, and fails where a question
// meets a bug.
func FuzzQuestions(f *testing.F) {
	for _, src := range []string{
		"", "list_", "text_message \"a\" {\n  body = \"${recipient.\n}\n", "campaign \"a\" {\n  audience = audience.\n",
		"audience \"b\" {\n  phone = row.\n  source \"csv\" { path = x }\n}", "locals { a = [for x in upper(", "provider \"\" {}", "dynamic \"x\" { for_each = {",
		"variable {}\nlocals { x = var[0].y }", "list_message \"\xff\" \"b\" {", "a = <<X\n${", "campaign a {\n message = text_message.a[\"x\"].\n}",
	} {
		f.Add(src, uint16(0), uint16(len(src)))
	}
	path := filepath.Join(f.TempDir(), "main.hcl")
	uri := "file://" + filepath.ToSlash(path)
	f.Fuzz(func(t *testing.T, src string, line, character uint16) {
		s := newServer(context.Background(), io.Discard, &Options{})
		if _, err := s.didOpen(&didOpenParams{documentItem{URI: uri, Text: src}}); err != nil {
			t.Fatal(err)
		}
		of := documentParams{documentItem{URI: uri}}
		at := &positionParams{of, position{uint32(line), uint32(character)}}
		within := &actionParams{of, span{at.Position, at.Position}}
		for what, ask := range map[string]func() (any, error){
			"completion": func() (any, error) { return s.completion(at) }, "hover": func() (any, error) { return s.hover(at) },
			"definition": func() (any, error) { return s.definition(at) }, "symbols": func() (any, error) { return s.symbols(&of) },
			"formatting": func() (any, error) { return s.formatting(&of) }, "actions": func() (any, error) { return s.actions(within) },
			"hints": func() (any, error) { return s.hints(within) },
		} {
			var failed *failure
			if _, err := guarded(ask); errors.As(err, &failed) && failed.Code == codeInternal {
				t.Fatalf("%s: %v", what, err)
			}
		}
	})
}
