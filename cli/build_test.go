package cli_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/handbill/handbill/cli"
)

const (
	someCommit    = "5d3f0c1a9be24478a6f1c20a7e8f64d1b90c2e37"
	anotherCommit = "0e9d8c7b6a5f4e3d2c1b0a99887766554433221f"
)

func TestBuildID(t *testing.T) {
	file := func(digest string) func() string { return func() string { return digest } }
	for _, c := range []struct {
		name          string
		build         cli.Build
		id, toCompare string
	}{
		{"release", cli.Build{Version: "1.2.3", Revision: someCommit, Digest: file("sha256:1")}, "commit:" + someCommit, "1.2.3"},
		{"go install", cli.Build{Version: "1.2.3", Sum: "h1:abc=", Digest: file("sha256:1")}, "module:h1:abc=", "1.2.3"},
		{"before the first release", cli.Build{Version: "0.0.0-20261129104442-a20bef7c8d1e", Revision: someCommit}, "commit:" + someCommit, ""},
		{"after a release", cli.Build{Version: "1.2.4-0.20261129104442-a20bef7c8d1e", Revision: someCommit}, "commit:" + someCommit, "1.2.4-0.20261129104442-a20bef7c8d1e"},
		{"changed source", cli.Build{Version: "1.2.3+dirty", Revision: someCommit, Dirty: true, Digest: file("sha256:1")}, "sha256:1", "1.2.3+dirty"},
		{"changed module", cli.Build{Version: "1.2.3", Sum: "h1:abc=", Dirty: true, Digest: file("sha256:1")}, "sha256:1", "1.2.3"},
		{"nothing stamped", cli.Build{Version: "devel", Digest: file("sha256:2")}, "sha256:2", ""},
		{"file not readable", cli.Build{Version: "devel", Digest: file("")}, "", ""},
		{"nothing known", cli.Build{Version: "1.2.3"}, "", "1.2.3"},
	} {
		if got := c.build.ID(); got != c.id {
			t.Errorf("%s: ID is %q, want %q", c.name, got, c.id)
		}
		if got := c.build.Release(); got != c.toCompare {
			t.Errorf("%s: Release is %q, want %q", c.name, got, c.toCompare)
		}
	}
}

// TestProcessBuild checks that a test binary, which has no commit, is
// identified by its file.
func TestProcessBuild(t *testing.T) {
	b := cli.ProcessBuild()
	if id := b.ID(); !strings.HasPrefix(id, "sha256:") || len(id) != len("sha256:")+64 || id != b.ID() {
		t.Errorf("the ID of a test binary is %q", id)
	}
	if b.Go == "" || b.Version == "" {
		t.Errorf("got %+v", b)
	}
}

// TestLinkedBuild checks that a release reports the values that it was linked
// with.
func TestLinkedBuild(t *testing.T) {
	const pkg = "github.com/handbill/handbill/cli"
	bin := filepath.Join(t.TempDir(), "handbill")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "-ldflags",
		"-X "+pkg+".linkedVersion=v7.8.9 -X "+pkg+".linkedRevision="+someCommit+" -X "+pkg+".linkedDate=2026-03-01T08:00:00Z", "..").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err = exec.Command(bin, "version", "-json").Output(); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"handbill_version": "7.8.9", "revision": someCommit, "date": "2026-03-01T08:00:00Z",
		"dirty": false, "handbill_build": "commit:" + someCommit} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
}

// TestPlanOfAnotherBuild checks that only the build that made a saved plan can
// apply it.
func TestPlanOfAnotherBuild(t *testing.T) {
	unknown := cli.Build{Version: release.Version}
	for _, c := range []struct {
		name             string
		planned, applied cli.Build
		said             []string // nothing if it is applied
	}{
		{"the same", release, release, nil},
		{"another commit of the version", release, cli.Build{Version: release.Version, Revision: anotherCommit},
			[]string{"Saved plan is stale", "0.1.0 (commit 5d3f0c1a9be24478) made it and this is 0.1.0 (commit 0e9d8c7b6a5f4e3d)", "apply it with the one that made it", "handbill plan"}},
		{"another version of the commit", release, cli.Build{Version: "0.1.1", Revision: release.Revision}, []string{"this is 0.1.1 (commit"}},
		{"planned by an unknown one", unknown, release, []string{"0.1.0 (a build that is not known) made it"}},
		{"applied by an unknown one", release, unknown, []string{"this is 0.1.0 (a build that is not known)"}},
		{"both unknown", unknown, unknown, []string{"nothing tells this build of handbill from another"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, n := springDesk(t)
			d.build = c.planned
			d.must(0, "plan", "-out=spring.plan")
			d.build = c.applied
			if c.said == nil {
				d.must(0, "apply", "spring.plan")
				if n.count() == 0 || n.requests[0].header.Get("User-Agent") != "handbill/0.1.0" {
					t.Errorf("%d requests", n.count())
				}
				return
			}
			d.must(6, "apply", "-detailed-exitcode", "spring.plan")
			wantAll(t, d.stderr.String(), c.said...)
			if n.count() != 0 {
				t.Errorf("%d messages were sent", n.count())
			}
			d.must(0, "show", "spring.plan") // show works with any build
		})
	}
}

// TestPrograms reads the identity that the linker gave to two programs, and none of a
// file that is no program.
func TestPrograms(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("programs are ELF files on Linux")
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command")
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, path := range []string{own, own, tool, "build_test.go"} {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		ids[string(cli.BuildID(f))] = true
		f.Close()
	}
	if len(ids) != 3 || !ids[""] {
		t.Errorf("two programs and a text have the identities %q", slices.Collect(maps.Keys(ids)))
	}
}
