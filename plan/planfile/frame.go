package planfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// frameReader reads frames one after the other.
type frameReader struct {
	r       *bufio.Reader
	sum     hash.Hash // of everything read; nil if nobody needs it
	before  []byte    // the sum before the last frame
	pos     int64
	zip     *zstd.Decoder
	packed  []byte
	content []byte
}

func (fr *frameReader) full(p []byte) error {
	n, err := io.ReadFull(fr.r, p)
	fr.pos += int64(n)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return torn()
	}
	if err != nil {
		return fmt.Errorf("reading the saved plan: %w", err)
	}
	return nil
}

func (fr *frameReader) magic() error {
	if start, _ := fr.r.Peek(len(ageMagic)); string(start) == ageMagic {
		return &fileError{"encrypted", "it is encrypted; give the age identity that it was encrypted to"}
	}
	var got [len(fileMagic)]byte
	if err := fr.full(got[:]); err != nil || string(got[:7]) != fileMagic[:7] {
		return &fileError{"not_a_plan", "the file was not written by `handbill plan -out`"}
	}
	if got[7] != fileMagic[7] {
		return &fileError{"version", fmt.Sprintf("its format is version %d and this handbill reads version %d; plan again with this one", got[7], fileMagic[7])}
	}
	fr.sum.Write(got[:])
	return nil
}

// next reads a frame and checks it. Its content is decompressed when it is
// asked for, and is valid until the next frame.
func (fr *frameReader) next() (section byte, content func() ([]byte, error), err error) {
	var head [frameHead]byte
	if fr.sum != nil {
		fr.before = fr.sum.Sum(fr.before[:0])
	}
	if err := fr.full(head[:]); err != nil {
		return 0, nil, err
	}
	section = head[0]
	plain := binary.LittleEndian.Uint32(head[1:])
	packed := binary.LittleEndian.Uint32(head[5:])
	switch {
	case strings.IndexByte(order, section) < 0:
		return 0, nil, damaged("it has a section of an unknown kind")
	case section == sectionEnd && plain != packed:
		return 0, nil, damaged("its end has another length than it says")
	case plain > maxFrame || packed > maxFrame+maxFrame/8:
		return 0, nil, &fileError{"too_large", "a part of it claims more than a plan needs"}
	}
	if cap(fr.packed) < int(packed) {
		fr.packed = make([]byte, max(int(packed), frameBytes))
	}
	fr.packed = fr.packed[:packed]
	if err := fr.full(fr.packed); err != nil {
		return 0, nil, err
	}
	if crc32.Checksum(fr.packed, castagnoli) != binary.LittleEndian.Uint32(head[9:]) {
		return 0, nil, damaged("a part of it has a wrong checksum")
	}
	if fr.sum != nil {
		fr.sum.Write(head[:])
		fr.sum.Write(fr.packed)
	}
	return section, func() ([]byte, error) { return fr.unpack(section, int(plain)) }, nil
}

// unpack decompresses the last frame, to no more than the size that it claims.
func (fr *frameReader) unpack(section byte, plain int) ([]byte, error) {
	if section == sectionEnd {
		return fr.packed, nil
	}
	if fr.zip == nil {
		zip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame), zstd.WithDecoderMaxWindow(maxFrame))
		if err != nil {
			return nil, fmt.Errorf("reading the saved plan: %w", err)
		}
		fr.zip = zip
	}
	if cap(fr.content) < plain {
		fr.content = make([]byte, 0, max(plain, frameBytes))
	}
	out, err := fr.zip.DecodeAll(fr.packed, fr.content[:0])
	if err != nil || len(out) != plain {
		return nil, damaged("a part of it does not decompress to what it claims")
	}
	fr.content = out
	return out, nil
}
