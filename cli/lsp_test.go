package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/handbill/handbill/cli"
)

// editor is the other end of a language server: it sends its messages, and ends the
// server once it was told diagnostics.
type editor struct {
	to   *io.PipeWriter
	told sync.Once
	out  bytes.Buffer
}

func framed(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }

// Write takes what the server says.
func (e *editor) Write(p []byte) (int, error) {
	e.out.Write(p)
	if bytes.Contains(e.out.Bytes(), []byte("publishDiagnostics")) {
		e.told.Do(func() {
			go io.WriteString(e.to, framed(`{"jsonrpc":"2.0","id":2,"method":"shutdown"}`)+framed(`{"jsonrpc":"2.0","method":"exit"}`))
		})
	}
	return len(p), nil
}

// TestLanguageServer checks that the server says of an unsaved text what validate would
// say, with the variables of its flags.
func TestLanguageServer(t *testing.T) {
	d := newDesk(t)
	d.write("main.hcl", "")
	in, to := io.Pipe()
	e := &editor{to: to}
	go io.WriteString(to, framed(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`)+
		framed(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file://`+d.dir+
			`/main.hcl","version":1,"text":"variable \"dish\" {}\ntext_message \"a\" {\n  body = \"${var.dish} ${upper(var.dihs)}\"\n}\n"}}}`))
	code := cli.Main(context.Background(), []string{"lsp", "-var", "dish=soup"}, cli.System{
		Stdin: in, Stdout: e, Stderr: &d.stderr, Environ: d.env, Build: d.build, Now: d.now, Rand: d.rand, Dir: d.dir, Interrupts: d.interrupts,
	})
	if code != 0 || d.stderr.String() != "" {
		t.Errorf("exit %d, stderr %q", code, d.stderr.String())
	}
	if got := e.out.String(); strings.Count(got, `"code":`) != 1 || !strings.Contains(got, `"code":"unknown_reference"`) {
		t.Errorf("the server said\n%s", got)
	}
}

// TestLanguageServerThatIsLeft checks the exit codes of a server whose editor goes away
// without a word, says exit at once, or speaks another language.
func TestLanguageServerThatIsLeft(t *testing.T) {
	d := newDesk(t)
	d.must(0, "lsp")
	d.stdin = framed(`{"jsonrpc":"2.0","method":"exit"}`)
	if d.must(1, "lsp"); d.stderr.String() != "" {
		t.Errorf("stderr %q", d.stderr.String())
	}
	d.stdin = "GET / HTTP/1.1\r\n\r\n"
	d.must(1, "lsp")
	wantAll(t, d.stderr.String(), "Editor not understood", "no colon")
	d.stdin = framed(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`)
	if code := d.runCut(&cutWriter{left: 10, err: syscall.EPIPE}, "lsp"); code != 1 {
		t.Errorf("exit %d where the editor does not read", code)
	}
}
