package audience

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/handbill/handbill/message"
)

// input is an open file, or the body of an answer, whose bytes are counted and hashed as
// they are read.
type input struct {
	file     *os.File      // nil for an answer
	body     io.ReadCloser // what is read: the file or the answer
	name     string
	hash     hash.Hash
	pos      atomic.Int64
	size     int64
	max      int64
	canceled func() error
	release  func() // frees what unpacking needs; nil for nothing
	out      int64  // bytes that were unpacked
}

func baseName(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(filepath.FromSlash(path))
}

// openInput opens the regular file at path inside the root.
func openInput(ctx context.Context, path string, opt Options) (*input, error) {
	root, done, err := rootOf(opt.Root)
	if err != nil {
		return nil, err
	}
	defer done()
	rel, info, err := statInside(root, path)
	if err != nil {
		return nil, err
	}
	in := &input{name: baseName(path), hash: sha256.New(), size: info.Size(), max: opt.MaxFileBytes, canceled: ctx.Err}
	if in.size > in.max {
		return nil, in.fail(sprintf("file is larger than %d bytes", in.max), "Split it.")
	}
	if in.file, err = root.Open(rel); err != nil {
		return nil, fileError(path, err)
	}
	// The name may lead to another file by now.
	in.body = in.file
	if info, err = in.file.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = in.close()
		return nil, in.fail("not a regular file", "It was replaced while it was opened.")
	}
	return in, nil
}

// rootOf returns the root to read in, and a function that releases it.
func rootOf(root *os.Root) (*os.Root, func(), error) {
	if root != nil {
		return root, func() {}, nil
	}
	root, err := os.OpenRoot(".")
	if err != nil {
		return nil, nil, &Error{Summary: "the current directory cannot be read", Err: err}
	}
	return root, func() { _ = root.Close() }, nil
}

// statInside finds the regular file at path. The path may be absolute if it leads
// into the root: configurations write "${path.root}/contacts.csv".
func statInside(root *os.Root, path string) (rel string, info fs.FileInfo, err error) {
	place := message.Place{File: baseName(path)}
	if path == "" {
		return "", nil, &Error{Summary: "no path", Detail: "The source needs the path of a file."}
	}
	rel = filepath.FromSlash(path)
	if filepath.IsAbs(rel) {
		if rel, err = relative(root, rel); err != nil {
			return "", nil, outside(place)
		}
	}
	if !filepath.IsLocal(rel) {
		return "", nil, outside(place)
	}
	info, err = root.Stat(rel)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, missing(root, rel, place)
	case err != nil && strings.Contains(err.Error(), "escapes from parent"):
		return "", nil, outside(place)
	case err != nil:
		return "", nil, fileError(path, err)
	case info.IsDir():
		return "", nil, &Error{Place: place, Summary: "is a directory", Detail: "The source needs the path of a file in it."}
	case !info.Mode().IsRegular():
		return "", nil, &Error{Place: place, Summary: "not a regular file",
			Detail: "Devices, pipes and sockets are not read. Write the contacts to a file."}
	}
	return rel, info, nil
}

func relative(root *os.Root, abs string) (string, error) {
	dir, err := filepath.Abs(root.Name())
	if err != nil {
		return "", err
	}
	return filepath.Rel(dir, abs)
}

func outside(place message.Place) error {
	return &Error{Place: place, Summary: "outside the configuration's directory",
		Detail: "Audience files are read from the configuration's directory and those below it only. Copy the file there."}
}

func missing(root *os.Root, rel string, place message.Place) error {
	e := &Error{Place: place, Summary: "no such file", Err: fs.ErrNotExist}
	dir, err := root.Open(filepath.Dir(rel))
	if err != nil {
		e.Detail = sprintf("The directory %q does not exist either.", filepath.ToSlash(filepath.Dir(rel)))
		return e
	}
	defer dir.Close()
	const looked = 1000
	names, _ := dir.Readdirnames(looked) // without names there is no hint
	if near := nearest(filepath.Base(rel), names); near != "" {
		e.Detail = sprintf("Did you mean %q?", filepath.ToSlash(filepath.Join(filepath.Dir(rel), near)))
	}
	return e
}

// fileError describes an error of the operating system without the path in it.
func fileError(path string, err error) error {
	e := &Error{Place: message.Place{File: baseName(path)}, Summary: "cannot be read", Err: err}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		e.Detail = pe.Err.Error()
	}
	if errors.Is(err, fs.ErrPermission) {
		e.Detail = "This user may not read it. Change the file's permissions."
	}
	return e
}

// Read reads, and counts and hashes the bytes.
func (in *input) Read(p []byte) (int, error) {
	if err := in.canceled(); err != nil {
		return 0, err
	}
	n, err := in.body.Read(p)
	in.hash.Write(p[:n])
	if in.pos.Add(int64(n)) > in.max {
		return n, in.fail(sprintf("file is larger than %d bytes", in.max), "Split it.")
	}
	if err != nil && err != io.EOF && in.file != nil {
		err = fileError(in.name, err)
	}
	return n, err
}

// grew counts bytes that were unpacked from the file, which are bounded like its own.
func (in *input) grew(n int) error {
	if in.out += int64(n); in.out > in.max {
		return in.fail(sprintf("holds more than %d bytes", in.max), "Split it.")
	}
	return nil
}

func (in *input) digest() (sum [32]byte) {
	in.hash.Sum(sum[:0])
	return sum
}

func (in *input) close() error {
	if in.release != nil {
		in.release()
		in.release = nil
	}
	if in.body == nil {
		return nil
	}
	body := in.body
	in.body, in.file = nil, nil
	return body.Close()
}

func (in *input) fail(summary, detail string) error { return in.failAt(0, summary, detail) }

func (in *input) failAt(line int, summary, detail string) error {
	return &Error{Place: message.Place{File: in.name, Line: line}, Summary: summary, Detail: detail}
}

// foreign names the format of a file that is not text, by its first bytes.
func foreign(head []byte) string {
	for magic, name := range map[string]string{
		"PK\x03\x04":       "an Excel workbook or a zip archive",
		"\xD0\xCF\x11\xE0": "an old Excel workbook",
		"\x1f\x8b":         "compressed with gzip",
		"\x28\xb5\x2f\xfd": "compressed with zstd",
		"%PDF":             "a PDF",
		"SQLite format 3":  "an SQLite database",
		"PAR1":             "a Parquet file",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return name
		}
	}
	if trimmed := bytes.ToLower(bytes.TrimSpace(head)); bytes.HasPrefix(trimmed, []byte("<!doctype")) ||
		bytes.HasPrefix(trimmed, []byte("<html")) {
		return "a web page, perhaps a login page in place of the export"
	}
	return ""
}

// foreignAdvice says what to do with such a file.
func foreignAdvice(what string) string {
	switch what {
	case "compressed with gzip":
		return "Files whose names end in .gz are unpacked. Rename it."
	case "compressed with zstd":
		return "Files whose names end in .zst are unpacked. Rename it."
	}
	return "Export the contacts as text, for example as CSV in UTF-8."
}
