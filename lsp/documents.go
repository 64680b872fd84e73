package lsp

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
)

// document is a file that is open in the editor.
type document struct {
	uri     string // as the editor writes it
	path    string
	version int
	text    *text
	form    hcl.Diagnostics // what is wrong with the text's form
	// good is the last text whose form was right; it stands in for a text in the middle
	// of being typed, so that other files keep their diagnostics. It may be empty.
	good []byte
	root string // the directory of the configuration that the file belongs to
}

// pathOf is the path of a file's URI; ok is false for anything but a file of this
// machine.
func pathOf(uri string) (path string, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" || !strings.HasPrefix(u.Path, "/") || strings.ContainsRune(u.Path, 0) {
		return "", false
	}
	path = filepath.FromSlash(u.Path)
	if volume := strings.TrimPrefix(path, string(filepath.Separator)); filepath.VolumeName(volume) != "" {
		path = volume // file:///C:/campaigns
	}
	return filepath.Clean(path), true
}

// uriOf is the URI of a file: as the editor wrote it where the file is open.
func (s *server) uriOf(path string) string {
	if d := s.docs[path]; d != nil {
		return d.uri
	}
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed}).String()
}

// open returns the open document of a URI.
func (s *server) open(uri string) (*document, error) {
	if path, ok := pathOf(uri); ok && s.docs[path] != nil {
		return s.docs[path], nil
	}
	return nil, &failure{codeInvalidParams, "no such document is open"}
}

// name is the document's name in its configuration.
func (d *document) name() string {
	rel, err := filepath.Rel(d.root, d.path)
	if err != nil {
		return filepath.Base(d.path)
	}
	return filepath.ToSlash(rel)
}

// set replaces the document's text.
func (d *document) set(t *text) {
	d.text = t
	if d.form = lang.CheckSyntax(t.src, d.name()); !d.form.HasErrors() {
		d.good = t.src
	}
}

func (s *server) didOpen(p *didOpenParams) (any, error) {
	path, ok := pathOf(p.Document.URI)
	if !ok {
		return nil, nil // a buffer without a file belongs to no configuration
	}
	d := &document{uri: p.Document.URI, path: path, version: p.Document.Version, root: filepath.Dir(path)}
	if strings.HasSuffix(path, ".json") {
		d.good = []byte("{}")
	}
	d.set(newText([]byte(p.Document.Text)))
	s.docs[path] = d
	d.root = s.rootOf(d)
	s.soon(d)
	return nil, nil
}

func (s *server) didChange(p *didChangeParams) (any, error) {
	d, err := s.open(p.Document.URI)
	if err != nil {
		return nil, err
	}
	t, bad := d.text, false
	for _, c := range p.Changes {
		if c.Range == nil {
			t = newText([]byte(c.Text))
			continue
		}
		next, ok := t.replace(*c.Range, c.Text)
		t, bad = next, bad || !ok
	}
	d.version = p.Document.Version
	d.set(t)
	s.soon(d)
	if bad {
		return nil, &failure{codeInvalidParams, "a change of " + filepath.Base(d.path) + " ends before it begins, and was left out"}
	}
	return nil, nil
}

func (s *server) didSave(p *documentParams) (any, error) {
	d, err := s.open(p.Document.URI)
	if err != nil {
		return nil, err
	}
	d.root = s.rootOf(d)
	s.soon(d)
	return nil, nil
}

func (s *server) didClose(p *documentParams) (any, error) {
	d, err := s.open(p.Document.URI)
	if err != nil {
		return nil, err
	}
	delete(s.docs, d.path)
	s.closed(d)
	return nil, nil
}
