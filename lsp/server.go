package lsp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/hcl-lang/schema"
	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
)

// Options are what a server needs of its process.
type Options struct {
	Version string
	// Lang is with what configurations are loaded; the server adds unsaved texts.
	Lang lang.Options
	// Check finds what can be known of a configuration that was loaded without errors,
	// beside what loading says; nil for nothing.
	Check func(*lang.Config) hcl.Diagnostics
	// Code is the code of a diagnostic; nil for lang.DiagCode.
	Code func(*hcl.Diagnostic) string
	// Columns are the names of the columns of an audience's rows, in the configuration of
	// a directory, without asking a network; nil where they are not known, or Columns is.
	Columns func(ctx context.Context, dir string, a *lang.Audience) []string
	// Explain explains a code; "" for one that nobody knows. Nil explains none.
	Explain func(code string) string
}

// ErrNoShutdown says that the client ended the server without having shut it down
// before, which the protocol wants to be told from an orderly end.
var ErrNoShutdown = errors.New("the editor said exit before shutdown")

// errExit ends the server in order.
var errExit = errors.New("exit")

// Serve answers the messages of one client until the client says exit, the stream
// ends or ctx is over, which end it without an error, or until a message cannot be
// told from the next or an answer cannot be written. A read that is in progress when
// ctx ends is left behind.
func Serve(ctx context.Context, in io.Reader, out io.Writer, opt *Options) error {
	s := newServer(ctx, out, opt)
	messages := make(chan frame)
	ended, end := context.WithCancel(ctx)
	defer end()
	go receive(ended, bufio.NewReaderSize(in, maxHeader), messages)
	for {
		switch err := s.take(s.next(messages)); {
		case err == errExit, err == io.EOF, ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
	}
}

// next waits for a message. When none is there yet, it first looks at what changed:
// while somebody types fast, a large configuration is not loaded for every key.
func (s *server) next(messages <-chan frame) frame {
	if len(s.stale) > 0 {
		select {
		case f := <-messages:
			return f
		default:
			s.catchUp()
		}
	}
	if s.lost != nil {
		return frame{err: s.lost}
	}
	select {
	case <-s.ctx.Done():
		return frame{err: s.ctx.Err()}
	case f := <-messages:
		return f
	}
}

func newServer(ctx context.Context, out io.Writer, opt *Options) *server {
	return &server{ctx: ctx, opt: opt, out: out, docs: map[string]*document{}, published: map[string]string{}, found: map[string][]diagnostic{}, stale: map[string]*document{},
		configs: map[string]*lang.Config{}, schema: schemaOf(lang.Blocks(), opt.Lang.Schemas)}
}

// frame is one message, or why there is none any more.
type frame struct {
	body []byte
	err  error
}

// receive hands over messages until there is none any more.
func receive(ctx context.Context, r *bufio.Reader, to chan<- frame) {
	for {
		body, err := readFrame(r)
		select {
		case to <- frame{body, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

type server struct {
	ctx  context.Context
	opt  *Options
	out  io.Writer
	lost error // of writing; nothing is written after it

	ready, down bool // after initialize, after shutdown
	folders     []string
	snippets    bool // the editor takes places to fill in what is completed
	schema      *schema.BodySchema
	configs     map[string]*lang.Config // as they were last loaded, by directory
	docs        map[string]*document    // open ones, by path
	published   map[string]string       // files that have diagnostics in the editor, and for which root
	found       map[string][]diagnostic // what they are
	stale       map[string]*document    // roots to look at, and the document that changed
}

// take carries out one message. Its error ends the server.
func (s *server) take(f frame) error {
	if f.err != nil {
		if errors.Is(f.err, errFrame) {
			s.fail(nil, &failure{codeInvalidRequest, f.err.Error()})
		}
		return f.err
	}
	var m received
	if err := json.Unmarshal(f.body, &m); err != nil {
		code := codeParse
		if json.Valid(f.body) {
			code = codeInvalidRequest
		}
		s.fail(nil, &failure{code, "this is no message of JSON-RPC 2.0"})
		return s.lost
	}
	switch {
	case m.Method == "" && len(m.ID) > 0 && m.Version == "2.0":
		return nil // an answer; the server asks nothing
	case m.Version != "2.0" || m.Method == "" || !validID(m.ID):
		s.fail(nil, &failure{codeInvalidRequest, "this is no message of JSON-RPC 2.0"})
	case len(m.ID) == 0:
		if err := s.notified(&m); err != nil {
			return err
		}
	default:
		result, err := s.answer(&m)
		if err != nil {
			s.fail(m.ID, err)
			break
		}
		s.write(reply{"2.0", m.ID, result})
	}
	return s.lost
}

// validID reports whether an id is one: a number, a text, or none.
func validID(id json.RawMessage) bool {
	return len(id) == 0 || id[0] == '"' || id[0] == '-' || id[0] >= '0' && id[0] <= '9'
}

func (s *server) write(message any) {
	if s.lost == nil {
		s.lost = writeFrame(s.out, message)
	}
}

func (s *server) notify(method string, params any) { s.write(notification{"2.0", method, params}) }

func (s *server) fail(id json.RawMessage, err error) {
	if len(id) == 0 {
		id = json.RawMessage("null")
	}
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{codeInternal, err.Error()}
	}
	s.write(failedReply{"2.0", id, f})
}

// requests are the methods that are answered.
var requests = map[string]func(*server, json.RawMessage) (any, error){
	"textDocument/formatting":     with((*server).formatting),
	"textDocument/completion":     with((*server).completion),
	"textDocument/hover":          with((*server).hover),
	"textDocument/definition":     with((*server).definition),
	"textDocument/documentSymbol": with((*server).symbols),
	"textDocument/codeAction":     with((*server).actions),
	"textDocument/inlayHint":      with((*server).hints),
}

// notifications are the methods that are not answered.
var notifications = map[string]func(*server, json.RawMessage) (any, error){
	"textDocument/didOpen":   with((*server).didOpen),
	"textDocument/didChange": with((*server).didChange),
	"textDocument/didSave":   with((*server).didSave),
	"textDocument/didClose":  with((*server).didClose),
}

// with decodes the parameters of a method.
func with[P any](method func(*server, *P) (any, error)) func(*server, json.RawMessage) (any, error) {
	return func(s *server, raw json.RawMessage) (any, error) {
		params := new(P)
		if err := json.Unmarshal(raw, params); err != nil || len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			return nil, &failure{codeInvalidParams, "the parameters have another form than the method asks for"}
		}
		return method(s, params)
	}
}

func (s *server) answer(m *received) (any, error) {
	switch {
	case s.down:
		return nil, &failure{codeInvalidRequest, "the server was shut down"}
	case m.Method == "initialize" && s.ready:
		return nil, &failure{codeInvalidRequest, "the server is initialized already"}
	case m.Method == "initialize":
		return with((*server).initialize)(s, m.Params)
	case !s.ready:
		return nil, &failure{codeNotInitialized, "the server is not initialized"}
	case m.Method == "shutdown":
		s.down = true
		return nil, nil
	}
	method := requests[m.Method]
	if method == nil {
		return nil, &failure{codeNoMethod, "the server has no such method"}
	}
	return guarded(func() (any, error) { return method(s, m.Params) })
}

func (s *server) notified(m *received) error {
	if m.Method == "exit" {
		if !s.down {
			return ErrNoShutdown
		}
		return errExit
	}
	method := notifications[m.Method]
	if !s.ready || s.down || method == nil {
		return nil
	}
	if _, err := guarded(func() (any, error) { return method(s, m.Params) }); err != nil {
		s.notify("window/logMessage", logParams{severityError, "handbill: " + m.Method + ": " + err.Error()})
	}
	return nil
}

// guarded keeps the server up when a library stumbles over a text that is not whole:
// an editor sends those with every key.
func guarded(do func() (any, error)) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			result, err = nil, &failure{codeInternal, fmt.Sprintf("a bug of handbill: %v", p)}
		}
	}()
	return do()
}

func (s *server) initialize(p *initializeParams) (any, error) {
	s.ready = true
	s.snippets = p.Capabilities.TextDocument.Completion.Item.Snippets
	for _, f := range append(p.WorkspaceFolders, workspaceFolder{p.RootURI}) {
		if path, ok := pathOf(f.URI); ok {
			s.folders = append(s.folders, path)
		}
	}
	return &initializeResult{
		Capabilities: map[string]any{
			"positionEncoding":           "utf-16",
			"textDocumentSync":           map[string]any{"openClose": true, "change": 2, "save": true},
			"documentFormattingProvider": true,
			"documentSymbolProvider":     true,
			"definitionProvider":         true,
			"codeActionProvider":         map[string]any{"codeActionKinds": []string{"quickfix"}},
			"inlayHintProvider":          true,
			"hoverProvider":              true,
			"completionProvider":         map[string]any{"triggerCharacters": []string{".", "{", "\""}},
		},
		ServerInfo: map[string]string{"name": "handbill", "version": s.opt.Version},
	}, nil
}
