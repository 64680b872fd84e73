package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"io"
	"os"
	"path"
	"path/filepath"
)

// archive packs the program with its documents into one directory: a zip for Windows,
// else a tar.
func (r *release) archive(t *target) error {
	files := append([]file{t.binary, t.notices}, r.shared...)
	top := path.Base(filepath.ToSlash(r.output(t.String())))
	if t.os == "windows" {
		return write(r.output(t.String(), ".zip"), func(w io.Writer) error { return r.zip(w, top, files) })
	}
	return write(r.output(t.String(), ".tar.gz"), func(w io.Writer) error {
		gz, _ := gzip.NewWriterLevel(w, gzip.BestCompression)
		a := tar.NewWriter(gz)
		for _, f := range files {
			if err := r.tar(a, path.Join(top, f.name), f); err != nil {
				return err
			}
		}
		if err := a.Close(); err != nil {
			return err
		}
		return gz.Close()
	})
}

// tar adds a file, without anything of the machine: its owner and its times.
func (r *release) tar(a *tar.Writer, name string, f file) error {
	data, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(f.mode), Size: int64(len(data)), ModTime: r.date, Format: tar.FormatPAX}
	if err := a.WriteHeader(h); err != nil {
		return err
	}
	_, err = a.Write(data)
	return err
}

func (r *release) zip(w io.Writer, top string, files []file) error {
	a := zip.NewWriter(w)
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: path.Join(top, f.name), Method: zip.Deflate, Modified: r.date}
		h.SetMode(f.mode)
		part, err := a.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := part.Write(data); err != nil {
			return err
		}
	}
	return a.Close()
}
