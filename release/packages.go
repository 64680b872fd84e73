package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk" // makes nfpm.Get know it
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// maintainer is who packages say they are of.
const maintainer = "The handbill authors <handbill@users.noreply.github.com>"

// formats are those of packages.
var formats = []string{"deb", "rpm", "apk"}

// packages writes the packages of a platform.
func (r *release) packages(t *target) error {
	contents, err := r.contents(t)
	if err != nil {
		return err
	}
	for _, format := range formats {
		if err := r.pack(t, format, contents); err != nil {
			return fmt.Errorf("%s for %s: %w", format, t, err)
		}
	}
	return nil
}

// pack writes one package. There are no scripts in it: nothing runs as root when it
// is installed or removed.
func (r *release) pack(t *target, format string, contents files.Contents) error {
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "handbill", Arch: t.arch, Platform: "linux", Version: r.version, Section: "utils", Priority: "optional",
		Maintainer: maintainer, Vendor: "The handbill authors", Homepage: "https://github.com/handbill/handbill", License: "Apache-2.0",
		Description: "Terraform for WhatsApp campaigns\n" +
			"handbill declares WhatsApp campaigns in HCL, checks every message for every\n" +
			"recipient before the first one is sent, shows what it would do, does only\n" +
			"that, and remembers what it did.",
		DisableGlobbing: true,
		MTime:           r.date,
		Overridables: nfpm.Overridables{
			Recommends: []string{"ca-certificates"},
			Contents:   contents,
			RPM:        nfpm.RPM{BuildHost: "localhost", Group: "Applications/Internet", Packager: maintainer},
		},
	})
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return err
	}
	return write(r.output(t.String(), ".", format), func(w io.Writer) error { return packager.Package(info, w) })
}

// contents are the files of a package at the places where distributions want them.
func (r *release) contents(t *target) (files.Contents, error) {
	dir := filepath.Join(r.work, t.String(), "package")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	p := &contents{r: r, dir: dir}
	own := func(name string) string { return filepath.Join(r.source, "release", "files", name) }
	p.add(t.binary.path, "/usr/bin/handbill", 0o755)
	for _, f := range r.shared {
		switch name := path.Base(f.name); {
		case strings.HasPrefix(f.name, "man/"):
			p.compress(f.path, "/usr/share/"+f.name+".gz")
		case name == "handbill.bash":
			p.add(f.path, "/usr/share/bash-completion/completions/handbill", 0o644)
		case name == "_handbill":
			p.add(f.path, "/usr/share/zsh/vendor-completions/_handbill", 0o644).Packager = "deb"
			p.add(f.path, "/usr/share/zsh/site-functions/_handbill", 0o644).Packager = "rpm"
			p.add(f.path, "/usr/share/zsh/site-functions/_handbill", 0o644).Packager = "apk"
		case name == "handbill.fish":
			p.add(f.path, "/usr/share/fish/vendor_completions.d/handbill.fish", 0o644)
		case name == "LICENSE": // Debian has the text of its own, and copyright names it
			p.add(f.path, "/usr/share/licenses/handbill/LICENSE", 0o644).Packager = "rpm"
			p.add(f.path, "/usr/share/licenses/handbill/LICENSE", 0o644).Packager = "apk"
		case name == "CHANGELOG.md":
			p.compress(f.path, "/usr/share/doc/handbill/CHANGELOG.md.gz")
		}
	}
	p.compress(t.notices.path, "/usr/share/doc/handbill/THIRD-PARTY-NOTICES.gz")
	p.add(own("copyright"), "/usr/share/doc/handbill/copyright", 0o644).Packager = "deb"
	p.add(own("handbill-serve.service"), "/usr/lib/systemd/system/handbill-serve.service", 0o644)
	p.add(own("handbill.sysusers"), "/usr/lib/sysusers.d/handbill.conf", 0o644)
	p.add(own("serve.env"), "/etc/handbill/serve.env", 0o600).Type = files.TypeConfigNoReplace
	return p.list, p.err
}

// contents collects the files of a package.
type contents struct {
	r    *release
	dir  string // for what is compressed
	list files.Contents
	err  error
}

func (c *contents) add(from, to string, mode os.FileMode) *files.Content {
	f := &files.Content{Source: from, Destination: to, Type: files.TypeFile,
		FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: mode, MTime: c.r.date}}
	c.list = append(c.list, f)
	return f
}

// compress adds a file as gzip does with -9n.
func (c *contents) compress(from, to string) {
	path := filepath.Join(c.dir, filepath.Base(to))
	data, err := os.ReadFile(from)
	if err == nil {
		err = write(path, func(w io.Writer) error {
			gz, _ := gzip.NewWriterLevel(w, gzip.BestCompression)
			_, err := gz.Write(data)
			return errors.Join(err, gz.Close())
		})
	}
	c.err = errors.Join(c.err, err)
	c.add(path, to, 0o644)
}
