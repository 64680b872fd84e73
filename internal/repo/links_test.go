package repo

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	fencePattern   = regexp.MustCompile("(?ms)^```.*?^```")
	codePattern    = regexp.MustCompile("`[^`\n]*`")
)

// TestLinks checks that every link between the pages leads to an existing file
// and heading. Links to other sites are not followed.
func TestLinks(t *testing.T) {
	var pages []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".md"), path == "llms.txt":
			pages = append(pages, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		src, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text := codePattern.ReplaceAllString(fencePattern.ReplaceAllString(string(src), ""), "")
		for _, m := range linkPattern.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[1], "://") && !strings.HasPrefix(m[1], "mailto:") {
				checkLink(t, page, m[1])
			}
		}
	}
}

// TestTheIndexHasEveryPage checks that the index for programs that read documentation
// names every page of docs/.
func TestTheIndexHasEveryPage(t *testing.T) {
	index, err := os.ReadFile("llms.txt")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("docs/providers/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, more...) {
		if !strings.Contains(string(index), "("+filepath.ToSlash(page)+")") {
			t.Errorf("llms.txt does not name %s", page)
		}
	}
}

func checkLink(t *testing.T, page, link string) {
	t.Helper()
	path, anchor, _ := strings.Cut(link, "#")
	target := page
	if path != "" {
		target = filepath.Join(filepath.Dir(page), path)
	}
	info, err := os.Stat(target)
	if err != nil {
		t.Errorf("%s links to %s, which is not there", page, link)
		return
	}
	if anchor == "" || info.IsDir() {
		return
	}
	src, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headingPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(string(src), ""), -1) {
		if slug(h[1]) == anchor {
			return
		}
	}
	t.Errorf("%s links to %s, and %s has no such heading", page, link, target)
}

// slug is a heading's anchor as GitHub and GitLab generate it.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
