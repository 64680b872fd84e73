package lsp

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
)

// loadTime bounds one load, so that a configuration from others cannot hang an editor.
const loadTime = 10 * time.Second

// load reads a configuration with the texts of its open files.
func (s *server) load(root string) (*lang.Config, hcl.Diagnostics) {
	ctx, cancel := context.WithTimeout(s.ctx, loadTime)
	defer cancel()
	opt := s.opt.Lang
	opt.Overlay = map[string][]byte{}
	for _, d := range s.docs {
		if rel, err := filepath.Rel(root, d.path); err == nil {
			opt.Overlay[filepath.ToSlash(rel)] = d.good
		}
	}
	return lang.Load(ctx, root, opt)
}

// rootOf is the directory of the configuration to which a document belongs: one above
// the document's own, within the folders of the editor, whose modules have the
// document; else the document's own.
func (s *server) rootOf(d *document) string {
	own := filepath.Dir(d.path)
	for dir := filepath.Dir(own); s.inFolder(dir); dir = filepath.Dir(dir) {
		if !hasConfiguration(dir) {
			continue
		}
		cfg, _ := s.load(dir)
		if rel, err := filepath.Rel(dir, d.path); err == nil && cfg.Files[filepath.ToSlash(rel)] != nil {
			return dir
		}
	}
	return own
}

func (s *server) inFolder(dir string) bool {
	return slices.ContainsFunc(s.folders, func(folder string) bool {
		rel, err := filepath.Rel(folder, dir)
		return err == nil && filepath.IsLocal(rel)
	})
}

func hasConfiguration(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !e.IsDir() && lang.Declares(e.Name()) })
}

// soon notes that a document's configuration has to be looked at, once no message is
// waiting.
func (s *server) soon(d *document) { s.stale[d.root] = d }

// catchUp looks at the configurations that changed.
func (s *server) catchUp() {
	for _, root := range slices.Sorted(maps.Keys(s.stale)) {
		d := s.stale[root]
		delete(s.stale, root)
		if _, err := guarded(func() (any, error) { s.check(d); return nil, nil }); err != nil {
			s.notify("window/logMessage", logParams{severityError, "handbill: " + err.Error()})
		}
	}
}

// check publishes what is wrong with the configuration of a document: first its other
// files, the document last.
func (s *server) check(d *document) {
	found := map[string][]diagnostic{}
	cfg, diags := s.load(d.root)
	s.configs[d.root] = cfg
	if !diags.HasErrors() && s.opt.Check != nil {
		diags = append(diags, s.opt.Check(cfg)...)
	}
	texts := map[string]*text{}
	for _, files := range []map[string][]byte{cfg.Files, cfg.VarFiles} {
		for name, src := range files {
			texts[filepath.Join(d.root, filepath.FromSlash(name))] = newText(src)
		}
	}
	for _, diag := range diags {
		path, t := d.path, (*text)(nil) // of what concerns no file, such as a bad -var
		if diag.Subject != nil {
			at := filepath.Join(d.root, filepath.FromSlash(diag.Subject.Filename))
			if t = texts[at]; t != nil {
				path = at
			}
		}
		found[path] = append(found[path], s.diagnostic(diag, t))
	}
	for path, open := range s.docs {
		if open.root != d.root {
			continue
		}
		if open.form.HasErrors() {
			found[path] = nil
			for _, diag := range open.form {
				found[path] = append(found[path], s.diagnostic(diag, open.text))
			}
		} else if found[path] == nil {
			found[path] = []diagnostic{}
		}
	}
	s.publish(d, found)
}

// diagnostic is a diagnostic as the protocol has it; t is the text of the file at
// whose beginning it stands where it has no place of its own.
func (s *server) diagnostic(diag *hcl.Diagnostic, t *text) diagnostic {
	out := diagnostic{Severity: severityError, Source: "handbill", Message: diag.Summary, Code: s.code(diag)}
	if diag.Severity == hcl.DiagWarning {
		out.Severity = severityWarning
	}
	if diag.Detail != "" {
		out.Message += ": " + diag.Detail
	}
	if diag.Subject != nil && t != nil {
		out.Range = t.span(*diag.Subject)
	}
	return out
}

func (s *server) code(diag *hcl.Diagnostic) string {
	if s.opt.Code != nil {
		return s.opt.Code(diag)
	}
	return lang.DiagCode(diag)
}

// publish tells the editor what was found in the files of a document's configuration,
// and which of them have nothing any more.
func (s *server) publish(d *document, found map[string][]diagnostic) {
	for path, root := range s.published {
		if root == d.root && found[path] == nil {
			found[path] = []diagnostic{}
		}
	}
	paths := slices.Sorted(maps.Keys(found))
	if i, ok := slices.BinarySearch(paths, d.path); ok {
		paths = append(slices.Delete(paths, i, i+1), d.path)
	}
	for _, path := range paths {
		p := publishParams{URI: s.uriOf(path), Diagnostics: found[path]}
		if open := s.docs[path]; open != nil {
			p.Version = &open.version
		}
		s.notify("textDocument/publishDiagnostics", p)
		if s.published[path], s.found[path] = d.root, found[path]; len(p.Diagnostics) == 0 {
			delete(s.published, path)
			delete(s.found, path)
		}
	}
}

// closed is told when a document is closed. Its configuration keeps its diagnostics
// while another file of it is open.
func (s *server) closed(d *document) {
	delete(s.stale, d.root)
	for _, path := range slices.Sorted(maps.Keys(s.docs)) {
		if s.docs[path].root == d.root {
			s.soon(s.docs[path])
			return
		}
	}
	delete(s.configs, d.root)
	s.publish(d, map[string][]diagnostic{d.path: {}})
}
