package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/forgetest"
)

// TestComment takes one campaign from its first plan to an apply, in jobs of both
// forges: one comment says what the newest plan says.
func TestComment(t *testing.T) {
	for name, job := range map[string]func(*forgetest.Forge) []string{"GitHub": (*forgetest.Forge).GitHub, "GitLab": (*forgetest.Forge).GitLab} {
		t.Run(name, func(t *testing.T) {
			f := forgetest.New(t, forgetest.Comment{ID: 1, Author: "ada", Body: "Shall we?"})
			d := newDesk(t)
			d.env = append(d.env, job(f)...)
			for _, name := range []string{"main.hcl", "contacts.csv"} {
				src, err := os.ReadFile(filepath.Join("../testdata/cases/plan-markdown-row-title", name))
				if err != nil {
					t.Fatal(err)
				}
				d.write(name, string(src))
			}
			comment := func(says string) {
				t.Helper()
				d.stdin = d.must(0, "plan", "-format=markdown")
				out := d.must(0, "comment", "-env=prod")
				all := f.Comments()
				want := strings.Replace(d.stdin, "<!-- handbill-plan ", "<!-- handbill-plan env=prod ", 1)
				if len(all) != 2 || all[1].Body != want || all[1].Author != forgetest.Bot {
					t.Fatalf("the comments are %+v", all)
				}
				if !strings.HasPrefix(out, says+": https://github.example/acme/campaigns/pull/12#issuecomment-2\n") && !strings.HasPrefix(out, says+": "+f.URL+"/acme/campaigns/-/merge_requests/12#note_2\n") {
					t.Errorf("it says %q, want %s", out, says)
				}
			}
			comment("Commented")
			comment("The comment says so already")
			d.must(0, "apply", "-auto-approve")
			comment("Replaced the comment")
			d.write("comment.md", f.Comments()[1].Body)
			if out := d.must(0, "comment", "-json", "comment.md"); !strings.Contains(out, `"did":"unchanged"`) || !strings.Contains(out, `"others":0`) {
				t.Errorf("as JSON: %s", out)
			}
		})
	}
}

func TestCommentRefuses(t *testing.T) {
	f := forgetest.New(t)
	job := f.GitHub()
	without := func(name string) []string {
		var out []string
		for _, v := range job {
			if !strings.HasPrefix(v, name+"=") {
				out = append(out, v)
			}
		}
		return out
	}
	const plan = "<!-- handbill-plan -->\n"
	for _, c := range []struct {
		env   []string
		stdin string
		args  []string
		says  string
	}{
		{job, "", nil, "empty"},
		{job, "Plan failed", nil, "handbill plan -format=markdown"},
		{job, plan, []string{"nowhere.md"}, "nowhere.md: no such file"},
		{job, plan, []string{"-env=a b"}, "letters, digits"},
		{job, plan, []string{"-github", "-gitlab"}, "exclude each other"},
		{nil, plan, nil, "name the forge with -github or -gitlab"},
		{job, plan, []string{"-gitlab"}, "GITLAB_TOKEN is not set"},
		{without("GITHUB_TOKEN"), plan, nil, "GITHUB_TOKEN is not set"},
		{without("GITHUB_REPOSITORY"), plan, nil, "GITHUB_REPOSITORY is not set"},
		{without("GITHUB_REF"), plan, nil, "-number=N"},
		{append(without("GITHUB_TOKEN"), "GITHUB_TOKEN=wrong-token"), plan, nil, "the token is not valid"},
		{job, plan, []string{"-number=13"}, "404 Project Not Found"},
		{job, strings.Repeat("x", 5<<20), nil, "more than 4 MB"},
	} {
		d := newDesk(t)
		d.env, d.stdin = c.env, c.stdin
		d.must(1, append([]string{"comment"}, c.args...)...)
		if said := strings.Join(strings.Fields(d.stderr.String()), " "); !strings.Contains(said, c.says) || strings.Contains(said, "wrong-token") {
			t.Errorf("%v: %s", c.args, said)
		}
	}
	if all := f.Comments(); len(all) > 0 {
		t.Errorf("the comments are %+v", all)
	}
}
