package lsp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/handbill/handbill/lsp"
)

const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`

// TestStreamThatEnds checks how the server ends with what stands at the end of its
// stream, and with which codes it answers before that.
func TestStreamThatEnds(t *testing.T) {
	const bye, exit = `{"jsonrpc":"2.0","id":2,"method":"shutdown"}`, `{"jsonrpc":"2.0","method":"exit"}`
	for _, c := range []struct {
		name, in string
		codes    string // of the answers: 0 for a result
		err      string
	}{
		{"nothing", "", "", ""},
		{"an editor that goes away", framed(hello), "0", ""},
		{"an orderly end", framed(hello) + framed(bye) + framed(exit), "0 0", ""},
		{"exit alone", framed(hello) + framed(exit), "0", "exit before shutdown"},
		{"a request after shutdown", framed(hello) + framed(bye) + framed(`{"jsonrpc":"2.0","id":3,"method":"textDocument/hover","params":{}}`) + framed(exit), "0 0 -32600", ""},
		{"a request before initialize", framed(bye), "-32002", ""},
		{"initialize twice", framed(hello) + framed(hello), "0 -32600", ""},
		{"an unknown method", framed(hello) + framed(`{"jsonrpc":"2.0","id":7,"method":"handbill/apply"}`), "0 -32601", ""},
		{"an unknown notification", framed(hello) + framed(`{"jsonrpc":"2.0","method":"$/setTrace","params":{}}`), "0", ""},
		{"an answer to nothing", framed(hello) + framed(`{"jsonrpc":"2.0","id":9,"result":null}`), "0", ""},
		{"no JSON", framed("{"), "-32700", ""},
		{"no UTF-8", framed("\xff\xfe"), "-32700", ""},
		{"a batch", framed("[" + hello + "]"), "-32600", ""},
		{"another version", framed(`{"jsonrpc":"1.0","id":1,"method":"initialize"}`), "-32600", ""},
		{"an id that is none", framed(`{"jsonrpc":"2.0","id":{},"method":"initialize"}`), "-32600", ""},
		{"deep nesting", framed(strings.Repeat("[", 1<<20)), "-32700", ""},
		{"no parameters", framed(hello) + framed(`{"jsonrpc":"2.0","id":2,"method":"textDocument/formatting"}`), "0 -32602", ""},
		{"other parameters", framed(hello) + framed(`{"jsonrpc":"2.0","id":2,"method":"textDocument/formatting","params":{"textDocument":7}}`), "0 -32602", ""},
		{"a file that is not open", framed(hello) + framed(`{"jsonrpc":"2.0","id":2,"method":"textDocument/formatting","params":{"textDocument":{"uri":"file:///etc/passwd"}}}`), "0 -32602", ""},
		{"no length", "Content-Type: text\r\n\r\n{}", "-32600", "no Content-Length"},
		{"a negative length", "Content-Length: -1\r\n\r\n", "-32600", "not one number"},
		{"a huge length", "Content-Length: 99999999999\r\n\r\n", "-32600", "not one number"},
		{"two lengths", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "-32600", "not one number"},
		{"a line without end", strings.Repeat("a", 1<<20), "-32600", "too long"},
		{"a header without end", strings.Repeat("a: b\r\n", 100), "-32600", "too long"},
		{"no header", hello + "\n\n", "-32600", "no Content-Length"},
		{"a cut header", "Content-Le", "-32600", "not whole"},
		{"a cut body", "Content-Length: 1000\r\n\r\n{", "-32600", "ends before"},
	} {
		var out strings.Builder
		err := lsp.Serve(context.Background(), strings.NewReader(c.in), &out, options())
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: ended with %v, want %q", c.name, err, c.err)
		}
		if got := codes(t, out.String()); got != c.codes {
			t.Errorf("%s: answers have the codes %q, want %q", c.name, got, c.codes)
		}
	}
}

// codes are the codes of answers, 0 for a result.
func codes(t *testing.T, out string) string {
	var list []string
	for out != "" {
		var length int
		if _, err := fmt.Sscanf(out, "Content-Length: %d\r\n\r\n", &length); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		_, rest, _ := strings.Cut(out, "\r\n\r\n")
		body := rest[:length]
		out = rest[length:]
		var a answer
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		switch {
		case a.Error != nil:
			list = append(list, fmt.Sprint(a.Error.Code))
		case a.Method == "":
			list = append(list, "0")
		}
	}
	return strings.Join(list, " ")
}

// TestEditorThatDoesNotRead checks that a pipe that is closed ends the server.
func TestEditorThatDoesNotRead(t *testing.T) {
	in, to := io.Pipe()
	from, out := io.Pipe()
	from.Close()
	go io.WriteString(to, framed(hello))
	if err := lsp.Serve(context.Background(), in, out, options()); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("ended with %v", err)
	}
}

// TestServerThatIsStopped checks that the end of the context ends the server while it
// waits for a message.
func TestServerThatIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	in, _ := io.Pipe()
	ended := make(chan error)
	go func() { ended <- lsp.Serve(ctx, in, io.Discard, options()) }()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// questions asks everything at each place, and fails where a question meets a bug.
func (c *client) questions(what, name string, places ...place) {
	c.t.Helper()
	for _, p := range places {
		for _, method := range []string{"hover", "completion", "definition", "documentSymbol", "codeAction", "inlayHint"} {
			params := c.point(name, p)
			params["range"] = area{p, p}
			if a := c.ask("textDocument/"+method, params); a.Error != nil {
				c.t.Errorf("%s: %s at %v: %+v", what, method, p, a.Error)
			}
		}
	}
}

// TestQuestionsWhileTyping asks everything at the end of each beginning of a file.
func TestQuestionsWhileTyping(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	c.open("menu.hcl", menu)
	for cut := 1; cut < len(menu); cut += 7 {
		lines := strings.Split(menu[:cut], "\n")
		c.change("menu.hcl", menu[:cut])
		c.questions(menu[:cut], "menu.hcl", place{len(lines) - 1, len(lines[len(lines)-1])})
	}
}

// TestHostileDocuments checks that whatever a document holds, the server answers what
// it is asked next.
func TestHostileDocuments(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	for name, src := range map[string]string{
		"empty":        "",
		"huge":         "# " + strings.Repeat("x", 2<<20),
		"many blocks":  strings.Repeat("locals {}\n", 2_000),
		"deep":         "locals { x = " + strings.Repeat("[", 50_000),
		"deep blocks":  strings.Repeat("a {", 50_000),
		"deep quotes":  "locals { x = " + strings.Repeat(`"${`, 20_000),
		"control":      "text_message \"a\" {\x00\x01\u202e}",
		"replacement":  "text_message \"\ufffd\" { body = \"\ufffd",
		"lone returns": "text_message \"a\" {\rbody = 1\r}\r",
		"costly":       `locals { x = join("", [for a in range(100000) : join("", [for b in range(100000) : "x"])]) }`,
	} {
		c.versions["menu.hcl"] = 0
		got := c.open("menu.hcl", src)
		if len(got) == 0 && name != "empty" && name != "many blocks" {
			t.Errorf("%s: no diagnostics", name)
		}
		if a := c.ask("textDocument/formatting", document(c.uri("menu.hcl"))); a.Error != nil && a.Error.Code != -32803 {
			t.Errorf("%s: formatting: %+v", name, a.Error)
		}
		c.questions(name, "menu.hcl", place{0, 0}, place{0, 20}, place{1, 3}, place{0, 1 << 31}, place{1 << 31, 1 << 31})
	}
	for _, uri := range []string{"", "untitled:Untitled-1", "file://elsewhere/menu.hcl", "file:menu.hcl", "file:///%00", "%", "https://example.com/menu.hcl"} {
		c.tell("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "version": 1, "text": "x"}})
		if a := c.ask("textDocument/formatting", document(uri)); a.Error == nil || a.Error.Code != -32602 {
			t.Errorf("%q: %+v", uri, a)
		}
	}
	if err := c.end(); err != nil {
		t.Error(err)
	}
}

// TestChangesOfParts checks changes of parts of a text, with characters that have one
// and two units, and that a change from nowhere to nowhere does no harm.
func TestChangesOfParts(t *testing.T) {
	c := start(t, restaurant())
	c.initialize()
	c.open("menu.hcl", "")
	part := func(l1, c1, l2, c2 int, text string) map[string]any {
		return map[string]any{"range": map[string]any{"start": place{l1, c1}, "end": place{l2, c2}}, "text": text}
	}
	c.changes("menu.hcl", part(0, 0, 0, 0, "locals {\nx=\"🍲a\"\n}\n"), part(1, 5, 1, 6, "é"), part(1, 3, 1, 5, ""), part(99, 0, 99, 99, "# end\n"))
	var edits []edit
	c.result("textDocument/formatting", document(c.uri("menu.hcl")), &edits)
	if len(edits) != 1 || edits[0].NewText != "  x = \"é\"\n" {
		t.Errorf("edits %+v", edits)
	}
	c.changes("menu.hcl", part(2, 0, 1, 0, "never"))
	c.tell("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": c.uri("menu.hcl"), "version": 9},
		"contentChanges": []any{map[string]any{"range": map[string]any{"start": map[string]any{"line": -1}}, "text": "never"}}})
	c.result("textDocument/formatting", document(c.uri("menu.hcl")), &edits)
	if len(edits) != 1 || edits[0].NewText != "  x = \"é\"\n" {
		t.Errorf("after bad changes: edits %+v", edits)
	}
	if !strings.Contains(c.transcript.String(), "ends before it begins") {
		t.Error("the editor was not told of a change that ends before it begins")
	}
}
