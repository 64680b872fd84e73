package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// compile builds the program for a platform.
func (r *release) compile(ctx context.Context, platform string) (*target, error) {
	goos, arch, ok := strings.Cut(platform, "/")
	if !ok {
		return nil, fmt.Errorf("%q is no platform such as linux/amd64", platform)
	}
	t := &target{os: goos, arch: arch}
	dir := filepath.Join(r.work, t.String())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	name := "handbill"
	if goos == "windows" {
		name += ".exe"
	}
	t.binary = file{filepath.Join(dir, name), name, 0o755}
	if _, err := r.run(ctx, t, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w -buildid=", "-o", t.binary.path, "."); err != nil {
		return nil, err
	}
	if err := r.identify(t.binary.path); err != nil {
		return nil, err
	}
	text, err := r.notices(ctx, t)
	if err != nil {
		return nil, err
	}
	t.notices = file{filepath.Join(dir, "THIRD-PARTY-NOTICES"), "THIRD-PARTY-NOTICES", 0o644}
	return t, os.WriteFile(t.notices.path, text, 0o644)
}

// run runs a command in the source for a platform and returns its output. What the
// environment says about Go's builds does not count.
func (r *release) run(ctx context.Context, t *target, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = r.source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch, "GOFLAGS=", "GOWORK=off", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s for %s: %w\n%s", name, args[0], t, err, stderr.String())
	}
	return out, nil
}

// identify takes version, commit and time from what Go wrote into a program.
func (r *release) identify(binary string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	var modified bool
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			r.revision = s.Value
		case "vcs.time":
			if r.date, err = time.Parse(time.RFC3339, s.Value); err != nil {
				return err
			}
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	switch r.version = strings.TrimPrefix(info.Main.Version, "v"); {
	case r.revision == "" || r.date.IsZero():
		return errors.New("Go found no commit in the source, which must be a Git clone, and no worktree: a release says which commit it is of")
	case modified:
		return errors.New("there are uncommitted changes; a release is of a commit")
	}
	return nil
}

// licenceFile matches the files that say under which terms a module may be passed on.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// notices collects the licences of the modules that are compiled into a program, and
// of Go itself: they ask to be passed on with it.
func (r *release) notices(ctx context.Context, t *target) ([]byte, error) {
	list, err := r.run(ctx, t, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", ".")
	if err != nil {
		return nil, err
	}
	goroot, err := r.run(ctx, t, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	modules := strings.Fields(strings.ReplaceAll(string(list), " ", "@"))
	lines := []string{"Go\t" + strings.TrimSpace(string(goroot))}
	for i := 0; i+1 < len(modules); i += 2 {
		lines = append(lines, modules[i]+"\t"+modules[i+1])
	}
	slices.Sort(lines)
	var text bytes.Buffer
	text.WriteString("handbill contains the following modules, whose terms are:\n")
	for _, line := range slices.Compact(lines) {
		module, dir, _ := strings.Cut(line, "\t")
		if err := notice(&text, module, dir); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

func notice(text *bytes.Buffer, module, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		terms, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		found = true
		fmt.Fprintf(text, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("-", 80), module, e.Name(), bytes.TrimSpace(terms))
	}
	if !found {
		return fmt.Errorf("%s has no file with its licence in %s", module, dir)
	}
	return nil
}
