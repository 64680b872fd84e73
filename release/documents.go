package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/handbill/handbill/cli"
)

// documents makes what is the same for every platform: licence, manual pages and
// completions.
func (r *release) documents() ([]file, error) {
	var files []file
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		files = append(files, file{filepath.Join(r.source, name), name, 0o644})
	}
	pages, err := r.manual()
	if err != nil {
		return nil, err
	}
	scripts, err := r.completions()
	return append(append(files, pages...), scripts...), err
}

// completions writes the scripts that complete commands in shells, as "handbill
// completion" does.
func (r *release) completions() ([]file, error) {
	dir := filepath.Join(r.work, "completions")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root := cli.Commands()
	var files []file
	for _, s := range []struct {
		name   string
		render func(io.Writer) error
	}{
		{"handbill.bash", func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"_handbill", root.GenZshCompletion},
		{"handbill.fish", func(w io.Writer) error { return root.GenFishCompletion(w, true) }},
		{"handbill.ps1", root.GenPowerShellCompletionWithDesc},
	} {
		f := file{filepath.Join(dir, s.name), "completions/" + s.name, 0o644}
		if err := write(f.path, s.render); err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// doubleDash matches flags as cobra writes them; handbill documents one dash.
var doubleDash = regexp.MustCompile(`--([a-z])`)

// flagParagraph matches a flag and its text as cobra writes them: a paragraph with a
// tab in the middle.
var flagParagraph = regexp.MustCompile(`(?m)^(?:\.PP\n)?(\\fB-.*)\n\t(.*)$`)

// manual writes a page for each command.
func (r *release) manual() ([]file, error) {
	dir := filepath.Join(r.work, "man1")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root := cli.Commands()
	root.DisableAutoGenTag = true
	plain(root)
	header := &doc.GenManHeader{Section: "1", Date: &r.date, Source: "handbill " + r.version, Manual: "handbill"}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, e := range entries {
		f := file{filepath.Join(dir, e.Name()), "man/man1/" + e.Name(), 0o644}
		page, err := os.ReadFile(f.path)
		if err != nil {
			return nil, err
		}
		page = doubleDash.ReplaceAll(page, []byte("-$1"))
		page = bytes.Replace(page, []byte(`"`+r.date.Format("Jan 2006")+`"`), []byte(`"`+r.date.Format(time.DateOnly)+`"`), 1)
		page = flagParagraph.ReplaceAll(page, []byte(".TP\n$1\n$2"))
		if err := os.WriteFile(f.path, bytes.TrimLeft(page, "\n"), 0o644); err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// plain keeps the texts of commands, which are not Markdown, from being read as such.
func plain(cmd *cobra.Command) {
	cmd.Short, cmd.Long = escape(cmd.Short), escape(cmd.Long)
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { f.Usage = escape(f.Usage) })
	for _, c := range cmd.Commands() {
		plain(c)
	}
}

var special = regexp.MustCompile("[\\\\`*_<\\[\\]#|]")

// escape puts a backslash before what Markdown would take for more than text, except
// in lines that are indented as code is.
func escape(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "\t") {
			lines[i] = special.ReplaceAllString(line, `\$0`)
		}
	}
	return strings.Join(lines, "\n")
}
