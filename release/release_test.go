package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// The tests build a release of the last commit, with what is changed in files that
// Git knows, as if it were tagged so.
const testTag = "v0.1.0"

// made are two releases of one commit, from two clones.
var made struct {
	once          sync.Once
	dir           string
	clone         string
	first, second string
	err           error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if made.dir != "" {
		os.RemoveAll(made.dir)
	}
	os.Exit(code)
}

// releases makes the two releases once.
func releases(t *testing.T) (first, second string) {
	t.Helper()
	made.once.Do(func() { made.err = makeReleases() })
	if made.err != nil {
		t.Fatal(made.err)
	}
	return made.first, made.second
}

func makeReleases() (err error) {
	if made.dir, err = os.MkdirTemp("", "handbill-release-test-"); err != nil {
		return err
	}
	if err := os.Chmod(made.dir, 0o755); err != nil { // other users run what is in it
		return err
	}
	commit, err := git("..", "-c", "user.name=test", "-c", "user.email=test@localhost", "stash", "create")
	if commit == "" && err == nil {
		commit, err = git("..", "rev-parse", "HEAD")
	}
	if err != nil {
		return err
	}
	made.clone = filepath.Join(made.dir, "clone")
	made.first, made.second = filepath.Join(made.dir, "first"), filepath.Join(made.dir, "second")
	for clone, out := range map[string]string{made.clone: made.first, filepath.Join(made.dir, "elsewhere", "again"): made.second} {
		for _, args := range [][]string{
			{"..", "clone", "-q", "--no-checkout", ".", clone},
			{clone, "checkout", "-q", commit},
			{clone, "tag", testTag},
		} {
			if _, err := git(args[0], args[1:]...); err != nil {
				return err
			}
		}
		opt := &options{source: clone, out: out, platforms: []string{"linux/" + runtime.GOARCH}}
		if err := build(context.Background(), opt); err != nil {
			return err
		}
	}
	return nil
}

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", errors.New("git " + strings.Join(args, " ") + ": " + err.Error() + "\n" + stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// artefact is the path of a file of the first release.
func artefact(t *testing.T, end string) string {
	t.Helper()
	first, _ := releases(t)
	return filepath.Join(first, "handbill_"+strings.TrimPrefix(testTag, "v")+"_"+end)
}

// root makes an empty directory that everybody may enter, for a system of its own, and
// skips the test where that is not possible.
func root(t *testing.T, needed ...string) string {
	t.Helper()
	for _, name := range append(needed, "chroot", "unshare") {
		if _, err := exec.LookPath(name); err != nil && os.Getenv("CI") == "" {
			t.Skipf("needs %s", name)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("only root can change the root directory")
	}
	releases(t)
	dir, err := os.MkdirTemp(made.dir, "root-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// command runs a command and returns what it wrote.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// apart reports whether a process here may have a network of its own. A container may
// not be allowed that.
var apart = sync.OnceValue(func() bool { return exec.Command("unshare", "--net", "true").Run() == nil })

// handbill runs the installed program in a root of its own, as an ordinary user, and
// without a network where that can be had.
func handbill(t *testing.T, root, user string, args ...string) string {
	t.Helper()
	args = append([]string{"--userspec=" + user, root, "/usr/bin/handbill"}, args...)
	if !apart() {
		t.Log("with the network of this machine")
		return command(t, "chroot", args...)
	}
	return command(t, "unshare", append([]string{"--net", "chroot"}, args...)...)
}

// plans checks that the program says which one it is, and makes and plans a campaign
// in a directory.
func plans(t *testing.T, root, user, dir string) {
	t.Helper()
	identity(t, handbill(t, root, user, "version", "-json"), "commit:")
	handbill(t, root, user, "-chdir="+dir, "init")
	// Quiet hours need time zones, which an empty root does not have.
	night := `
campaign "night" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = list_message.browse
  values   = { context = "night" }
  window   = "assume_open"
  schedule {
    quiet_hours = "20:00-09:00"
    timezone    = "Europe/Berlin"
  }
}
`
	if err := os.WriteFile(filepath.Join(root, dir, "night.hcl"), []byte(night), 0o644); err != nil {
		t.Fatal(err)
	}
	out := handbill(t, root, user, "-chdir="+dir, "plan", "-at=2026-03-02T09:00:00Z")
	if !regexp.MustCompile(`Plan: \d+ to add, .* messages? to send`).MatchString(out) {
		t.Errorf("plan says\n%s", out)
	}
}

func identity(t *testing.T, out, build string) {
	t.Helper()
	var v struct {
		Version string `json:"handbill_version"`
		Build   string `json:"handbill_build"`
		Dirty   bool
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || "v"+v.Version != testTag || v.Dirty || !strings.HasPrefix(v.Build, build) {
		t.Errorf("the program is %s (%v), want a clean %s of %s", out, err, testTag, build)
	}
}

// tree lists the files below a directory.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimPrefix(path, dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestTwoBuildsAreTheSame checks that everything of a release is the same when it is
// made again elsewhere, and that its checksums are those of its files.
func TestTwoBuildsAreTheSame(t *testing.T) {
	first, second := releases(t)
	sums, err := os.ReadFile(filepath.Join(first, "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(second, "checksums.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sums, again) {
		t.Errorf("the first build gave\n%s\nand the second one\n%s", sums, again)
	}
	version, arch := strings.TrimPrefix(testTag, "v"), "linux_"+runtime.GOARCH
	var want, got []string
	for _, end := range []string{"image.tar", arch + ".apk", arch + ".cdx.json", arch + ".deb", arch + ".rpm", arch + ".tar.gz"} {
		want = append(want, "handbill_"+version+"_"+end)
	}
	for line := range strings.Lines(string(sums)) {
		got = append(got, strings.Fields(line)[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("the release is %q, want %q", got, want)
	}
	cmd := exec.Command("sha256sum", "-c", "--quiet", "checksums.txt")
	cmd.Dir = first
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestUncommitted checks that no release is made of what no commit says.
func TestUncommitted(t *testing.T) {
	releases(t)
	dirty := filepath.Join(t.TempDir(), "dirty")
	if _, err := git(made.clone, "clone", "-q", ".", dirty); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dirty, "README.md"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	opt := &options{source: dirty, out: filepath.Join(t.TempDir(), "dist"), platforms: []string{"linux/" + runtime.GOARCH}}
	if err := build(context.Background(), opt); err == nil || !strings.Contains(err.Error(), "uncommitted changes") {
		t.Errorf("a release of uncommitted changes: %v", err)
	}
	if err := build(context.Background(), &options{source: dirty, out: made.first}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a release beside another one: %v", err)
	}
}

// TestBill checks that the bill of materials names the modules that a program
// contains, with versions and licences.
func TestBill(t *testing.T) {
	data, err := os.ReadFile(artefact(t, "linux_"+runtime.GOARCH+".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BOMFormat string `json:"bomFormat"`
		Metadata  struct {
			Component struct{ Version string }
		}
		Components []struct {
			Name, Version string
			Evidence      struct{ Licenses []any }
		}
	}
	if err := json.Unmarshal(data, &bill); err != nil {
		t.Fatal(err)
	}
	if bill.BOMFormat != "CycloneDX" || bill.Metadata.Component.Version != testTag || len(bill.Components) < 30 {
		t.Errorf("a %s of %s with %d components", bill.BOMFormat, bill.Metadata.Component.Version, len(bill.Components))
	}
	for _, c := range bill.Components {
		// The licence of color is MIT's, in words that the tool does not recognise.
		known := len(c.Evidence.Licenses) > 0 || c.Name == "std" || c.Name == "github.com/fatih/color"
		if c.Version == "" || !known {
			t.Errorf("%s %q has the licences %v", c.Name, c.Version, c.Evidence.Licenses)
		}
	}
}

// TestGoInstall checks that "go install" of a tagged version, through a proxy that is a
// directory, gives a program that says its version.
func TestGoInstall(t *testing.T) {
	releases(t)
	const path = "github.com/handbill/handbill"
	dir := t.TempDir()
	versions := filepath.Join(dir, "proxy", filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		t.Fatal(err)
	}
	gomod, err := os.ReadFile(filepath.Join(made.clone, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := zip.CreateFromVCS(&archive, module.Version{Path: path, Version: testTag}, made.clone, testTag, ""); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"list": []byte(testTag + "\n"), testTag + ".info": []byte(`{"Version":"` + testTag + `"}`),
		testTag + ".mod": gomod, testTag + ".zip": archive.Bytes()} {
		if err := os.WriteFile(filepath.Join(versions, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// What was downloaded before is a proxy too, which needs no network.
	cache := strings.TrimSpace(command(t, "go", "env", "GOMODCACHE"))
	proxy := strings.TrimSpace(command(t, "go", "env", "GOPROXY"))
	cmd := exec.Command("go", "install", path+"@"+testTag)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath -modcacherw", "GOBIN="+dir, "GOMODCACHE="+filepath.Join(dir, "cache"), "GOSUMDB=off", "GOWORK=off", "CGO_ENABLED=0",
		"GOPROXY=file://"+filepath.Join(dir, "proxy")+",file://"+filepath.Join(cache, "cache", "download")+","+proxy)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	identity(t, command(t, filepath.Join(dir, "handbill"), "version", "-json"), "module:h1:")
}

// TestInstallPage checks that docs/install.md names files that a release has.
func TestInstallPage(t *testing.T) {
	page, err := os.ReadFile("../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"handbill_0.1.0_image.tar"}
	for _, platform := range platforms {
		name := "handbill_0.1.0_" + strings.ReplaceAll(platform, "/", "_")
		ends := []string{".tar.gz", ".deb", ".rpm", ".apk"}
		switch goos, _, _ := strings.Cut(platform, "/"); goos {
		case "windows":
			ends = []string{".zip"}
		case "darwin":
			ends = ends[:1]
		}
		want = append(want, name+".cdx.json")
		for _, end := range ends {
			want = append(want, name+end)
		}
		if !bytes.Contains(page, []byte(name+ends[0])) {
			t.Errorf("the page does not name %s%s", name, ends[0])
		}
	}
	for _, name := range regexp.MustCompile(`handbill_[0-9][\w.]*[a-z]`).FindAllString(string(page), -1) {
		if !slices.Contains(want, name) {
			t.Errorf("the page names %s, which no release has", name)
		}
	}
}
