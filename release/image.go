package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody is the user, and the group, that a container runs as.
const nobody = 65532

// image writes an image for containers that starts from nothing, for every Linux
// among the targets, as a tar of an OCI layout.
func (r *release) image(targets []*target) error {
	var images []mutate.IndexAddendum
	for _, t := range targets {
		if t.os != "linux" {
			continue
		}
		img, err := r.imageOf(t)
		if err != nil {
			return err
		}
		images = append(images, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: t.os, Architecture: t.arch}}})
	}
	if images == nil {
		return nil
	}
	dir := filepath.Join(r.work, "image")
	l, err := layout.Write(dir, mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	if err != nil {
		return err
	}
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), images...)
	if err := l.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag(r.version)})); err != nil {
		return err
	}
	return write(r.output("image.tar"), func(w io.Writer) error { return r.tarDir(w, dir) })
}

// tag is a version as a tag of an image, which has no "+".
func tag(version string) string { return strings.ReplaceAll(version, "+", "_") }

func (r *release) imageOf(t *target) (v1.Image, error) {
	notices := t.notices
	notices.name = "usr/share/doc/handbill/" + notices.name
	var layers []mutate.Addendum
	for _, l := range []struct {
		by   string
		fill func(*tar.Writer) error
	}{
		{"certificates, users and directories", r.base},
		{"handbill", func(a *tar.Writer) error {
			if err := r.tar(a, notices.name, notices); err != nil {
				return err
			}
			return r.tar(a, "usr/bin/handbill", t.binary)
		}},
	} {
		var b bytes.Buffer
		a := tar.NewWriter(&b)
		if err := l.fill(a); err != nil {
			return nil, err
		}
		if err := a.Close(); err != nil {
			return nil, err
		}
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
			tarball.WithCompressedCaching, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, err
		}
		layers = append(layers, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{Created: v1.Time{Time: r.date}, CreatedBy: l.by}})
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.Append(img, layers...)
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = t.os, t.arch, v1.Time{Time: r.date}
	config.Config = v1.Config{
		User: "65532:65532", WorkingDir: "/campaign", Entrypoint: []string{"/usr/bin/handbill"}, Env: []string{"PATH=/usr/bin"},
		Labels: map[string]string{
			"org.opencontainers.image.title": "handbill", "org.opencontainers.image.version": r.version, "org.opencontainers.image.revision": r.revision,
			"org.opencontainers.image.source": "https://github.com/handbill/handbill", "org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	return mutate.ConfigFile(img, config)
}

// base writes what a program finds on every system: who it is, whom to trust, a place
// for temporary files, and one for a campaign. Time zones are in the program.
func (r *release) base(a *tar.Writer) error {
	dir := func(name string, mode int64, owner int) error {
		return a.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, Uid: owner, Gid: owner, ModTime: r.date, Format: tar.FormatPAX})
	}
	text := func(name, data string) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: r.date, Format: tar.FormatPAX}
		if err := a.WriteHeader(h); err != nil {
			return err
		}
		_, err := io.WriteString(a, data)
		return err
	}
	for _, step := range []error{
		dir("tmp", 0o1777, 0), dir("campaign", 0o755, nobody),
		text("etc/passwd", "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/campaign:/sbin/nologin\n"),
		text("etc/group", "root:x:0:\nnonroot:x:65532:\n"),
		text("etc/ssl/certs/ca-certificates.crt", certificates()),
	} {
		if step != nil {
			return step
		}
	}
	return nil
}

// certificates are the authorities that Mozilla trusts, of the module in go.mod,
// rather than those of the machine that builds. Left out are those with conditions,
// which a file cannot say.
func certificates() string {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return b.String()
}

// tarDir writes the files of a directory, sorted by name.
func (r *release) tarDir(w io.Writer, dir string) error {
	a := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		return r.tar(a, path.Clean(filepath.ToSlash(name)), file{path: p, mode: 0o644})
	})
	if err != nil {
		return err
	}
	return a.Close()
}
