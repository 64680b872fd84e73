package repo

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// questionRow is a row of "Where is …?" in docs/architecture.md.
var questionRow = regexp.MustCompile("(?m)^\\| (.+\\?) \\| (.+) \\| `([^`]+)` \\|$")

// TestQuestions checks that the page for newcomers answers with paths that
// exist, and that the file of each row contains what its answer relies on.
func TestQuestions(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Where is …?")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := questionRow.FindAllStringSubmatch(section, -1)
	holds := map[string]string{ // by path: the text on which the answer relies
		"delivery/person.go":     "type Window struct",
		"apply/turn.go":          "state.ErrFenced",
		"cli/cli.go":             "func (a *app) commands()",
		"workspace/providers.go": "func providerTypes()",
		"apply/lane.go":          "type lane struct",
	}
	for _, row := range rows {
		path := row[3]
		src, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s %v", row[1], err)
			continue
		}
		if what := holds[path]; what == "" || !strings.Contains(string(src), what) {
			t.Errorf("%s %s does not hold %q any more", row[1], path, what)
		}
		delete(holds, path)
		for _, m := range regexp.MustCompile("`([a-z]+(?:/[a-z_.]+)+/?)`").FindAllStringSubmatch(row[2], -1) {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s names %v", row[1], err)
			}
		}
	}
	for path := range holds {
		t.Errorf("no question is answered by %s", path)
	}
}
