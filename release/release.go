package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// options say what to build, and where.
type options struct {
	source, out string
	platforms   []string // "linux/amd64"
}

// release is one version of handbill that is being built.
type release struct {
	options
	work     string    // a temporary directory
	version  string    // by semantic versioning, without a "v"
	revision string    // the commit
	date     time.Time // of the commit; every file that is made has it
	shared   []file    // what is the same for every platform
	biller   string    // the program cyclonedx-gomod
}

// file is one that goes into an archive or a package.
type file struct {
	path string // where it is
	name string // in an archive, with slashes: "man/man1/handbill.1"
	mode os.FileMode
}

// target is one platform.
type target struct {
	os, arch string
	binary   file
	notices  file // licences of what the binary contains
}

func (t *target) String() string { return t.os + "_" + t.arch }

// build makes everything and writes it to opt.out.
func build(ctx context.Context, opt *options) error {
	if err := emptyDir(opt.out); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "handbill-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	r := &release{options: *opt, work: work}
	var targets []*target
	for _, platform := range opt.platforms {
		t, err := r.compile(ctx, platform)
		if err != nil {
			return err
		}
		targets = append(targets, t)
	}
	if r.shared, err = r.documents(); err != nil {
		return err
	}
	if r.biller, err = billTool(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, t := range targets {
		group.Go(func() error { return r.archive(t) })
		group.Go(func() error { return r.bill(ctx, t) })
		if t.os == "linux" {
			group.Go(func() error { return r.packages(t) })
		}
	}
	group.Go(func() error { return r.image(targets) })
	if err := group.Wait(); err != nil {
		return err
	}
	return r.checksums()
}

// emptyDir makes a directory, which must hold nothing: what is in it becomes the
// release.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty", dir)
	}
	return err
}

// output is the path of a file of the release. The parts follow the name and version.
func (r *release) output(parts ...string) string {
	return filepath.Join(r.out, "handbill_"+r.version+"_"+strings.Join(parts, ""))
}

// write makes a file of what render writes.
func write(path string, render func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := render(f); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

// checksums writes the SHA-256 of every file in the form that "sha256sum -c" reads.
func (r *release) checksums() error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var lines []string
	for _, e := range entries {
		f, err := os.Open(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return err
		}
		lines = append(lines, hex.EncodeToString(h.Sum(nil))+"  "+e.Name()+"\n")
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[66:], b[66:]) })
	return os.WriteFile(filepath.Join(r.out, "checksums.txt"), []byte(strings.Join(lines, "")), 0o644)
}
