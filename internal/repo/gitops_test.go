package repo

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/handbill/handbill/internal/forgetest"
	"github.com/handbill/handbill/sandbox"
)

// repository is a working tree with the pipeline's example in it, and the
// network that its campaign sends to.
type repository struct {
	t    *testing.T
	dir  string
	out  string
	env  []string
	job  *forgetest.Forge // whose pull request the jobs are for
	mu   sync.Mutex
	sent []string // bodies of requests
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &repository{t: t, dir: t.TempDir(), out: t.TempDir()}
	network := sandbox.New(sandbox.Options{AssumeOpen: true, Throughput: 1000, Clock: time.Now}).Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return // the sender is gone
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		if req.Method == http.MethodPost {
			r.mu.Lock()
			r.sent = append(r.sent, string(body))
			r.mu.Unlock()
		}
		network.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.job = forgetest.New(t)
	r.env = append(append(os.Environ(), r.job.GitHub()...), beHandbill+"=1", "HANDBILL="+self, "OUT="+r.out, "SANDBOX_URL="+server.URL,
		"HANDBILL_VAR_state_directory="+t.TempDir(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	if err := os.CopyFS(r.dir, os.DirFS("examples/gitops")); err != nil {
		t.Fatal(err)
	}
	r.git("init", "-q", "-b", "main")
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "The campaign")
	return r
}

func (r *repository) command(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r *repository) git(args ...string) {
	r.t.Helper()
	if out, err := r.command("git", args...); err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (r *repository) pipeline(args ...string) string {
	r.t.Helper()
	out, err := r.command("./pipeline.sh", args...)
	if err != nil {
		r.t.Fatalf("pipeline.sh %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// edit replaces a text in a file; the file must contain it.
func (r *repository) edit(name, from, to string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	src, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(src), from) {
		r.t.Fatalf("%s has no %q: %v", name, from, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(src), from, to, 1)), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repository) read(name string) string {
	r.t.Helper()
	src, err := os.ReadFile(filepath.Join(r.out, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(src)
}

// commented runs the step that comments, and returns the only comment there is.
func (r *repository) commented(env string) string {
	r.t.Helper()
	r.pipeline("comment", env)
	all := r.job.Comments()
	if len(all) != 1 {
		r.t.Fatalf("there are %d comments, want 1", len(all))
	}
	return all[0].Body
}

// taken returns the messages that were sent since the last call.
func (r *repository) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.sent
	r.sent = nil
	return out
}

// TestPipeline follows the pipelines of examples/gitops: plan on a pull request,
// comment, merge, and apply exactly what was reviewed.
func TestPipeline(t *testing.T) {
	r := newRepository(t)
	r.pipeline("check")
	r.pipeline("plan", "prod")
	r.pipeline("apply", "prod")
	if got := r.taken(); len(got) != 2 {
		t.Fatalf("the first apply sent %d messages, want 2:\n%s", len(got), strings.Join(got, "\n"))
	}

	r.git("checkout", "-q", "-b", "beta")
	r.edit("main.hcl", `"Beta Widget"`, `"Beta Widget 2"`)
	r.edit("contacts/prod.csv", "Emil,no", "Emil,yes")
	r.git("commit", "-qam", "Offer the second beta")
	r.pipeline("check")
	r.pipeline("plan", "prod")
	comment := r.commented("prod")
	for _, want := range []string{"<!-- handbill-plan env=prod sha256:", "**Plan: 0 to add, 1 to change, 0 to remove. 1 message to send.**",
		"\n+   row        | Beta Widget 2 · Standard model (prod_beta)\n", "`campaign.spring`"} {
		if !strings.Contains(comment, want) {
			t.Errorf("the comment lacks %q:\n%s", want, comment)
		}
	}
	if strings.Contains(comment, "5112345613") || strings.Contains(r.read("plan.prod.html"), "5112345613") {
		t.Error("a phone number is shown to reviewers")
	}

	// A merge in between does not change what was reviewed.
	r.git("checkout", "-q", "main")
	r.git("merge", "-q", "--no-ff", "-m", "Merge", "beta")
	r.edit("main.hcl", `"Beta Widget 2"`, `"Something that nobody reviewed"`)
	out := r.pipeline("apply", "prod")
	got := r.taken()
	if len(got) != 1 || !strings.Contains(got[0], "Beta Widget 2") || !strings.Contains(got[0], "4915112345613") {
		t.Errorf("something other than the reviewed plan was sent: %q\n%s", got, out)
	}

	r.edit("main.hcl", `"Something that nobody reviewed"`, `"Beta Widget 2"`)
	if out := r.pipeline("plan", "prod"); !strings.Contains(out, "nothing to do") {
		t.Errorf("after the apply there is still something to do:\n%s", out)
	}
	if comment := r.commented("prod"); !strings.Contains(comment, "No changes") {
		t.Errorf("the comment is still the one of before:\n%s", comment)
	}
}

// TestPipelineRefuses checks that a plan that breaks a guard fails its job and
// leaves a comment that says why, and that environments do not see each other.
func TestPipelineRefuses(t *testing.T) {
	r := newRepository(t)
	r.edit("environments/dev.vars.hcl", "= 10", "= 1")
	if out, err := r.command("./pipeline.sh", "plan", "dev"); err == nil {
		t.Fatalf("a plan that breaks a guard passed:\n%s", out)
	}
	if comment := r.commented("dev"); !strings.Contains(comment, "**Plan failed") || !strings.Contains(comment, "this environment allows 1") {
		t.Errorf("the comment does not say why:\n%s", comment)
	}
	if _, err := os.Stat(filepath.Join(r.out, "plan.dev.bin")); err == nil {
		t.Error("a plan that failed was saved")
	}
	r.pipeline("plan", "prod")
	if got := r.taken(); len(got) != 0 {
		t.Errorf("planning sent %q", got)
	}
}

// TestPipelineFiles checks that the files for the forges are valid YAML, and
// that the steps that they name are those of pipeline.sh.
func TestPipelineFiles(t *testing.T) {
	for _, name := range []string{".github/workflows/campaign.yml", ".gitlab-ci.yml", "atlantis.yaml", "repos.yaml"} {
		src, err := os.ReadFile(filepath.Join("examples/gitops", name))
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := yaml.Unmarshal(src, &doc); err != nil || len(doc) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		for _, line := range strings.Split(string(src), "\n") {
			_, call, found := strings.Cut(line, "./pipeline.sh ")
			if word, _, _ := strings.Cut(strings.Trim(call, "]"), " "); found && word != "check" && word != "plan" && word != "comment" && word != "apply" {
				t.Errorf("%s calls pipeline.sh %s", name, word)
			}
		}
	}
}
