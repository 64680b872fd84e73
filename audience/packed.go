package audience

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory in bytes that a zstd file may ask for: that of
// "zstd --ultra -22", which is the largest that the tool itself reads unasked.
const maxWindow = 128 << 20

// unpacked is what a file holds whose name ends in .gz or .zst. It ends in an error
// where the file does, so that nobody after a cut is left out silently.
type unpacked struct {
	in   *input
	r    io.Reader
	kind string
}

// unpack returns what is in the file, unpacked if its name says that it is packed.
func (in *input) unpack() (io.Reader, error) {
	lower := strings.ToLower(in.name)
	switch {
	case strings.HasSuffix(lower, ".gz"):
		u := &unpacked{in: in, kind: "gzip"}
		r, err := gzip.NewReader(in)
		if err != nil {
			return nil, u.fail(err)
		}
		u.r = r
		return u, nil
	case strings.HasSuffix(lower, ".zst"):
		u := &unpacked{in: in, kind: "zstd"}
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, u.fail(err)
		}
		u.r, in.release = r, r.Close
		return u, nil
	}
	return in, nil
}

// Read reads, and counts the bytes.
func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if big := u.in.grew(n); big != nil {
		return n, big
	}
	if err != nil && err != io.EOF {
		err = u.fail(err)
	}
	return n, err
}

// fail says what is wrong with a packed file.
func (u *unpacked) fail(err error) error {
	var own *Error
	switch {
	case errors.As(err, &own) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF:
		return u.in.fail("is cut off", "It ends before what was packed into it does. Copy it again, whole.")
	case errors.Is(err, gzip.ErrHeader) || errors.Is(err, zstd.ErrMagicMismatch):
		return u.in.fail("is not compressed with "+u.kind, "Its name says that it is. Rename it, or pack it.")
	case errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return u.in.fail("wants more memory to be unpacked than there is for it", "Pack it again without --long.")
	}
	return u.in.fail("cannot be unpacked", "It is damaged. Copy it again, or pack it again.")
}
