package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli"
)

// configuration is the file of packages that belongs to the person who installs them.
const configuration = "/etc/handbill/serve.env"

// contained are the files of a package, sorted.
func contained(format string) []string {
	names := []string{
		configuration, "/usr/bin/handbill", "/usr/lib/systemd/system/handbill-serve.service", "/usr/lib/sysusers.d/handbill.conf",
		"/usr/share/bash-completion/completions/handbill", "/usr/share/fish/vendor_completions.d/handbill.fish",
		"/usr/share/doc/handbill/CHANGELOG.md.gz", "/usr/share/doc/handbill/THIRD-PARTY-NOTICES.gz",
	}
	if format == "deb" {
		names = append(names, "/usr/share/doc/handbill/copyright", "/usr/share/zsh/vendor-completions/_handbill")
	} else {
		names = append(names, "/usr/share/licenses/handbill/LICENSE", "/usr/share/zsh/site-functions/_handbill")
	}
	var pages func(*cobra.Command)
	pages = func(cmd *cobra.Command) {
		names = append(names, "/usr/share/man/man1/"+strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1.gz")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				pages(c)
			}
		}
	}
	pages(cli.Commands())
	slices.Sort(names)
	return names
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: there are\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// home makes the directory of an ordinary user with the id 1000.
func home(t *testing.T, root string) string {
	t.Helper()
	dir := filepath.Join(root, "home", "anna")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chown(dir, 1000, 1000)); err != nil {
		t.Fatal(err)
	}
	return "/home/anna"
}

// TestDeb installs the package into an empty root, plans there, and removes it again.
func TestDeb(t *testing.T) {
	dir := root(t, "dpkg", "bash", "mandoc")
	for _, d := range []string{"updates", "info", "triggers"} {
		if err := os.MkdirAll(filepath.Join(dir, "var/lib/dpkg", d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "var/lib/dpkg/status"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	deb := artefact(t, "linux_"+runtime.GOARCH+".deb")
	installed := func() (names []string) {
		return slices.DeleteFunc(tree(t, dir), func(name string) bool { return strings.HasPrefix(name, "/var/lib/dpkg/") })
	}
	command(t, "dpkg", "--root="+dir, "-i", deb)
	same(t, "installed", installed(), contained("deb"))
	anna := home(t, dir)
	plans(t, dir, "1000:1000", anna)
	if page := command(t, "mandoc", "-Tascii", filepath.Join(dir, "usr/share/man/man1/handbill.1.gz")); !strings.Contains(page, "Terraform for WhatsApp campaigns") {
		t.Errorf("the manual is\n%s", page)
	}
	bash := "source " + filepath.Join(dir, "usr/share/bash-completion/completions/handbill") + "; complete -p handbill"
	if out := command(t, "bash", "-c", bash); !strings.Contains(out, "__start_handbill") {
		t.Errorf("bash completes with %q", out)
	}
	if out := handbill(t, dir, "1000:1000", "__complete", "pla"); !strings.HasPrefix(out, "plan\t") {
		t.Errorf("the program completes %q", out)
	}
	unit(t, dir)

	// The configuration belongs to who changed it.
	env := filepath.Join(dir, configuration)
	if info, err := os.Stat(env); err != nil || info.Mode() != 0o600 {
		t.Errorf("%s: %v, %v; it may hold secrets", configuration, info, err)
	}
	const changed = "SERVE_FLAGS=-listen=127.0.0.1:9000\n"
	if err := os.WriteFile(env, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "dpkg", "--root="+dir, "-i", deb)
	if got, err := os.ReadFile(env); err != nil || string(got) != changed {
		t.Errorf("after the next installation, %s is %q, %v", configuration, got, err)
	}
	made := slices.DeleteFunc(installed(), func(name string) bool { return !strings.HasPrefix(name, anna) })
	if len(made) == 0 {
		t.Error("init made no file")
	}
	command(t, "dpkg", "--root="+dir, "-r", "handbill")
	same(t, "after the removal", installed(), append([]string{configuration}, made...))
	command(t, "dpkg", "--root="+dir, "-P", "handbill")
	same(t, "after the purge", installed(), made)
}

// manual checks the pages in a directory.
func manual(t *testing.T, dir string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no manual: %v", err)
	}
	out, _ := exec.Command("mandoc", append([]string{"-Tlint", "-Wwarning"}, paths...)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		t.Error(line)
	}
	page := command(t, "mandoc", "-Tascii", filepath.Join(dir, "handbill-plan.1"))
	page = string(overstrike(page))
	for _, want := range []string{"handbill-plan - ", "handbill 0.1.0", "-detailed-exitcode", "handbill plan [flags]"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of plan has no %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "--") || strings.Contains(page, `\`) {
		t.Errorf("the page of plan has two dashes or a backslash:\n%s", page)
	}
}

// overstrike drops what makes letters bold on paper.
func overstrike(s string) (out []byte) {
	for _, c := range []byte(s) {
		if c == '\b' {
			out = out[:len(out)-1]
			continue
		}
		out = append(out, c)
	}
	return out
}

// unit asks systemd about the service that was installed.
func unit(t *testing.T, root string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Log("systemd is not there to verify the unit")
		return
	}
	path := filepath.Join(root, "usr/lib/systemd/system/handbill-serve.service")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	local := filepath.Join(t.TempDir(), "handbill-serve.service")
	data = bytes.ReplaceAll(data, []byte("/usr/bin/handbill"), []byte(filepath.Join(root, "usr/bin/handbill")))
	if err := os.WriteFile(local, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if out := command(t, "systemd-analyze", "verify", "--man=no", local); out != "" {
		t.Errorf("systemd says\n%s", out)
	}
}

// TestRpm installs the package into an empty root, plans there, and removes it again.
func TestRpm(t *testing.T) {
	dir := root(t, "rpm")
	file := artefact(t, "linux_"+runtime.GOARCH+".rpm")
	rpm := func(args ...string) []string {
		return strings.Fields(command(t, "rpm", append([]string{"--root=" + dir, "--dbpath=/var/lib/rpm"}, args...)...))
	}
	rpm("--initdb")
	rpm("--nodeps", "-i", file)
	same(t, "contained", rpm("-ql", "handbill"), contained("rpm"))
	same(t, "configuration", rpm("-qc", "handbill"), []string{configuration})
	if out := rpm("-q", "--scripts", "handbill"); len(out) > 0 {
		t.Errorf("installing runs %q", out)
	}
	plans(t, dir, "1000:1000", home(t, dir))
	if err := os.WriteFile(filepath.Join(dir, configuration), []byte("SERVE_FLAGS=-listen=127.0.0.1:9000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rpm("-e", "handbill")
	left := slices.DeleteFunc(tree(t, dir), func(name string) bool {
		return strings.HasPrefix(name, "/var/lib/rpm/") || strings.HasPrefix(name, "/home/")
	})
	same(t, "after the removal", left, []string{configuration + ".rpmsave"})
}

// TestApk checks what the package for Alpine contains. It is not installed here.
func TestApk(t *testing.T) {
	f, err := os.Open(artefact(t, "linux_"+runtime.GOARCH+".apk"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	var names []string
	var info string
	gz, err := gzip.NewReader(in)
	for ; err == nil; err = gz.Reset(in) { // one tar for each part: signature, control, data
		gz.Multistream(false)
		part := tar.NewReader(gz)
		for {
			h, err := part.Next()
			if err != nil {
				break
			}
			if h.Name == ".PKGINFO" {
				data, _ := io.ReadAll(part)
				info = string(data)
			} else if h.Typeflag == tar.TypeReg {
				names = append(names, "/"+strings.TrimPrefix(h.Name, "/"))
			}
		}
		io.Copy(io.Discard, gz)
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	same(t, "contained", names, contained("apk"))
	for _, want := range []string{"pkgname = handbill\n", "pkgver = 0.1.0\n", "license = Apache-2.0\n"} {
		if !strings.Contains(info, want) {
			t.Errorf("there is no %q in\n%s", want, info)
		}
	}
}

// TestArchive unpacks the archive and plans with the program in it.
func TestArchive(t *testing.T) {
	dir := root(t, "mandoc")
	command(t, "tar", "xzf", artefact(t, "linux_"+runtime.GOARCH+".tar.gz"), "-C", dir, "--strip-components=1", "--no-same-owner")
	for _, name := range []string{"LICENSE", "THIRD-PARTY-NOTICES", "README.md", "CHANGELOG.md", "man/man1/handbill-apply.1", "completions/_handbill", "completions/handbill.fish"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	manual(t, filepath.Join(dir, "man/man1"))
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "usr/bin"), 0o755), os.Rename(filepath.Join(dir, "handbill"), filepath.Join(dir, "usr/bin/handbill"))); err != nil {
		t.Fatal(err)
	}
	plans(t, dir, "1000:1000", home(t, dir))
}

// TestImage unpacks the image's file system and plans in it, without a network, as the
// user that the image names.
func TestImage(t *testing.T) {
	dir := root(t)
	oci := t.TempDir()
	command(t, "tar", "xf", artefact(t, "image.tar"), "-C", oci)
	l, err := layout.FromPath(oci)
	if err != nil {
		t.Fatal(err)
	}
	outer, err := l.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	list, err := outer.IndexManifest()
	if err != nil || len(list.Manifests) != 1 || list.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "0.1.0" {
		t.Fatalf("the layout has %+v, %v", list, err)
	}
	index, err := outer.ImageIndex(list.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	list, err = index.IndexManifest()
	if err != nil || len(list.Manifests) != 1 || list.Manifests[0].Platform.Architecture != runtime.GOARCH {
		t.Fatalf("the image has %+v, %v", list, err)
	}
	img, err := index.Image(list.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c := config.Config; c.User != "65532:65532" || c.WorkingDir != "/campaign" || !slices.Equal(c.Entrypoint, []string{"/usr/bin/handbill"}) || config.Architecture != runtime.GOARCH {
		t.Errorf("the image is %+v", config)
	}
	unpack(t, img, dir)
	want := []string{"/etc/group", "/etc/passwd", "/etc/ssl/certs/ca-certificates.crt", "/usr/bin/handbill", "/usr/share/doc/handbill/THIRD-PARTY-NOTICES"}
	same(t, "contained", tree(t, dir), want)
	roots, err := os.ReadFile(filepath.Join(dir, "etc/ssl/certs/ca-certificates.crt"))
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(roots) || bytes.Count(roots, []byte("BEGIN")) < 50 {
		t.Errorf("there are no certificates of authorities: %v", err)
	}
	plans(t, dir, config.Config.User, config.Config.WorkingDir)
}

// unpack writes the file system of an image, with its owners.
func unpack(t *testing.T, img v1.Image, dir string) {
	t.Helper()
	files := mutate.Extract(img)
	defer files.Close()
	cmd := exec.Command("tar", "xp", "--same-owner", "--numeric-owner", "-C", dir)
	cmd.Stdin = files
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
