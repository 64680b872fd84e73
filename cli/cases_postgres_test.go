package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/state/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// sharedCases are also played with a state in PostgreSQL: some for each command.
var sharedCases = []string{
	"apply-in-automation", "apply-in-doubt", "apply-interrupted", "apply-lock-held", "apply-refusals", "apply-saved-plan",
	"apply-window-closed-at-provider", "follow-up-keys", "output-all", "plan-before-and-after-apply", "plan-frequency-cap", "plan-inbound-opens-window", "plan-opted-out",
	"plan-renamed-campaign", "plan-retry", "plan-revision", "plan-stop-words", "providers-check", "refresh-limit", "resolve-doubts", "state-giveback",
	"state-usernames", "status-after-apply", "status-billing", "status-notices", "test-applied-before", "try-testers",
}

// TestCaseOnPostgres plays cases with a state in PostgreSQL. The results must be
// the same as with a state in a file. HANDBILL_CASES=all plays all cases that do
// not need a file.
func TestCaseOnPostgres(t *testing.T) {
	if golden.Updating() {
		t.Skip("the golden files are those of a state in a file")
	}
	t.Setenv("HANDBILL_TEST_STATE", pgtest.Shared(t).URL())
	list := sharedCases
	if os.Getenv("HANDBILL_CASES") == "all" {
		found, err := filepath.Glob("../testdata/cases/*/cmd")
		if err != nil {
			t.Fatal(err)
		}
		list = nil
		for _, cmd := range found {
			if name := filepath.Base(filepath.Dir(cmd)); !slices.Contains(fileCases, name) {
				list = append(list, name)
			}
		}
	}
	for _, name := range list {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("../testdata/cases", name)
			play(t, dir, filepath.Join(dir, "cmd"), pgtest.Schema())
		})
	}
}

// fileCases need a file or an empty directory, or they show what may differ: the
// lineage of a state that does not exist, the files of the configuration, or an
// order or a number of rows that a store may choose.
var fileCases = []string{
	"apply-stale-plan", "init-empty-directory", "init-with-configuration", "json-of-changes", "mistyped", "no-configuration", "plan-fallback", "plan-json-document",
	"plan-template-read", "plan-title-of-25-characters", "state-damaged", "state-from-the-future", "state-is-no-state", "state-list-show", "state-rm-mv", "apply-replace-saved-plan-twice", "state-optouts", "state-postgres", "state-pull",
	"state-unwritable-place", "status-before-anything", "try-halted", "follow-up", "links",
}

// share puts the state of a case into a database, and creates it unless the case
// does.
func (g *game) share(make bool) {
	g.write("zz_state.hcl", "handbill {\n  state \"postgres\" {\n    url    = env(\"HANDBILL_STATE_URL\")\n    schema = \""+g.schema+"\"\n  }\n}\n")
	g.env = append(g.env, "HANDBILL_STATE_URL="+os.Getenv("HANDBILL_TEST_STATE"))
	if !make {
		return
	}
	s, err := postgres.Create(context.Background(), g.database())
	if err != nil {
		g.t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		g.t.Error(err)
	}
}

func (g *game) database() postgres.Options {
	return postgres.Options{URL: os.Getenv("HANDBILL_TEST_STATE"), Schema: g.schema, Clock: g.now, Rand: g.rand}
}

// asFile replaces the name of the state in a transcript by that of a file.
func (g *game) asFile(b *strings.Builder) string {
	if g.schema == "" {
		return b.String()
	}
	o := g.database()
	return strings.ReplaceAll(b.String(), o.Name(), "handbill.state")
}
