package lsp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/lsp"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/workspace"
)

// client is an editor: it speaks with a server over two pipes and keeps a transcript.
type client struct {
	t          *testing.T
	dir        string
	to         *io.PipeWriter
	from       *bufio.Reader
	id         int
	versions   map[string]int
	transcript bytes.Buffer
	ended      chan error
	last       map[string][]problem // diagnostics by file
}

type problem struct {
	Range    area   `json:"range"`
	Severity int    `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
}

type area struct {
	Start place `json:"start"`
	End   place `json:"end"`
}

type place struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

// start writes files, named and followed by their text, and starts a server.
func start(t *testing.T, files map[string]string) *client {
	c := &client{t: t, dir: t.TempDir(), versions: map[string]int{}, last: map[string][]problem{}, ended: make(chan error, 1)}
	for name, src := range files {
		c.save(name, src)
	}
	in, to := io.Pipe()
	from, out := io.Pipe()
	c.to, c.from = to, bufio.NewReader(from)
	go func() {
		err := lsp.Serve(context.Background(), in, out, options())
		in.CloseWithError(io.ErrClosedPipe)
		out.Close()
		c.ended <- err
	}()
	t.Cleanup(func() { to.Close() })
	return c
}

func options() *lsp.Options {
	return &lsp.Options{
		Version: "1.2.3", Code: plan.DiagCode, Columns: plan.FileColumns, Explain: explain,
		Lang: lang.Options{Schemas: workspace.Schemas(), Limits: workspace.Limits, Phone: audience.NewNumbers().Parse},
	}
}

func explain(code string) string {
	for _, c := range lang.Codes() {
		if c.Code == code {
			return c.Explanation
		}
	}
	return ""
}

func (c *client) save(name, src string) {
	c.t.Helper()
	path := filepath.Join(c.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(src), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) uri(name string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(c.dir, name))}).String()
}

// write sends bytes as they are.
func (c *client) write(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c.to, raw); err != nil {
		c.t.Fatalf("writing %q: %v", raw, err)
	}
}

func framed(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }

func (c *client) send(message map[string]any) {
	c.t.Helper()
	message["jsonrpc"] = "2.0"
	body, err := json.Marshal(message)
	if err != nil {
		c.t.Fatal(err)
	}
	c.note("→", body)
	c.write(framed(string(body)))
}

// note writes a message into the transcript, without the directory.
func (c *client) note(direction string, body []byte) {
	var indented bytes.Buffer
	if err := json.Indent(&indented, body, "", "  "); err != nil {
		c.t.Fatalf("%s is no JSON: %v", body, err)
	}
	text := strings.ReplaceAll(indented.String(), c.uri(""), "file:///campaign")
	fmt.Fprintf(&c.transcript, "%s %s\n", direction, text)
}

// receive reads the next message.
func (c *client) receive() (body []byte) {
	c.t.Helper()
	length := 0
	for {
		line, err := c.from.ReadString('\n')
		if err != nil {
			c.t.Fatalf("reading an answer: %v", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			break
		}
		if n, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			length, _ = strconv.Atoi(n)
		}
	}
	body = make([]byte, length)
	if _, err := io.ReadFull(c.from, body); err != nil {
		c.t.Fatalf("reading an answer: %v", err)
	}
	c.note("←", body)
	var m struct {
		Method string `json:"method"`
		Params struct {
			URI         string    `json:"uri"`
			Diagnostics []problem `json:"diagnostics"`
		} `json:"params"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		c.t.Fatal(err)
	}
	if m.Method == "textDocument/publishDiagnostics" {
		c.last[strings.TrimPrefix(m.Params.URI, c.uri("")+"/")] = m.Params.Diagnostics
	}
	return body
}

type answer struct {
	ID     *int            `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Method string `json:"method"`
	Params struct {
		URI     string `json:"uri"`
		Version *int   `json:"version"`
	} `json:"params"`
}

// ask sends a request and returns its answer.
func (c *client) ask(method string, params any) answer {
	c.t.Helper()
	c.id++
	c.send(map[string]any{"id": c.id, "method": method, "params": params})
	for {
		var a answer
		if err := json.Unmarshal(c.receive(), &a); err != nil {
			c.t.Fatal(err)
		}
		if a.ID != nil && *a.ID == c.id {
			return a
		}
	}
}

// result asks, and decodes the result into to.
func (c *client) result(method string, params, to any) {
	c.t.Helper()
	a := c.ask(method, params)
	if a.Error != nil {
		c.t.Fatalf("%s: %s", method, a.Error.Message)
	}
	if err := json.Unmarshal(a.Result, to); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
}

// tell sends a notification.
func (c *client) tell(method string, params any) {
	c.t.Helper()
	c.send(map[string]any{"method": method, "params": params})
}

func (c *client) initialize() {
	c.t.Helper()
	c.ask("initialize", map[string]any{"rootUri": c.uri(""), "capabilities": map[string]any{}})
	c.tell("initialized", map[string]any{})
}

// checked reads until the server has told what is wrong with this version of a file.
func (c *client) checked(name string) []problem {
	c.t.Helper()
	for {
		var a answer
		if err := json.Unmarshal(c.receive(), &a); err != nil {
			c.t.Fatal(err)
		}
		if a.Method == "textDocument/publishDiagnostics" && a.Params.URI == c.uri(name) && a.Params.Version != nil && *a.Params.Version == c.versions[name] {
			return c.last[name]
		}
	}
}

// open opens a file with a text.
func (c *client) open(name, src string) []problem {
	c.t.Helper()
	c.versions[name] = 1
	c.tell("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": c.uri(name), "languageId": "hcl", "version": 1, "text": src}})
	return c.checked(name)
}

// change replaces the whole text.
func (c *client) change(name, src string) []problem {
	c.t.Helper()
	return c.changes(name, map[string]any{"text": src})
}

func (c *client) changes(name string, list ...map[string]any) []problem {
	c.t.Helper()
	c.versions[name]++
	c.tell("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": c.uri(name), "version": c.versions[name]}, "contentChanges": list})
	return c.checked(name)
}

func document(uri string) map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": uri}}
}

// end shuts the server down and returns how it ended.
func (c *client) end() error {
	c.t.Helper()
	c.ask("shutdown", nil)
	c.tell("exit", nil)
	return <-c.ended
}

// edit is a change that the server proposes.
type edit struct {
	Range   area   `json:"range"`
	NewText string `json:"newText"`
}

// apply carries out edits of a text of one-byte characters, which do not overlap.
func apply(src string, edits []edit) string {
	lines := strings.SplitAfter(src, "\n")
	at := func(p place) int { return len(strings.Join(lines[:p.Line], "")) + p.Character }
	for _, e := range edits {
		src = src[:at(e.Range.Start)] + e.NewText + src[at(e.Range.End):]
	}
	return src
}
