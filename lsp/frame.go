package lsp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Bounds of one message.
const (
	maxHeader = 4 << 10  // bytes of one line
	maxFields = 16       // lines
	maxBody   = 32 << 20 // bytes; a file of a configuration may have one MiB
)

// errFrame is the cause of an error after which nobody knows where the next message
// begins.
var errFrame = errors.New("no message of the protocol")

// readFrame reads one message: header lines, an empty line, and as many bytes as
// Content-Length says. It returns io.EOF where the stream ends between two messages.
func readFrame(r *bufio.Reader) ([]byte, error) {
	length := -1
	for field := 0; ; field++ {
		line, err := r.ReadSlice('\n')
		switch {
		case err == io.EOF && field == 0 && len(line) == 0:
			return nil, io.EOF
		case errors.Is(err, bufio.ErrBufferFull), field == maxFields:
			return nil, fmt.Errorf("%w: its header is too long", errFrame)
		case err != nil:
			return nil, fmt.Errorf("%w: its header is not whole: %v", errFrame, err)
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return nil, fmt.Errorf("%w: a line of its header has no colon", errFrame)
		}
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
		if err != nil || n > maxBody || length >= 0 {
			return nil, fmt.Errorf("%w: its Content-Length is not one number of at most %d", errFrame, maxBody)
		}
		length = int(n)
	}
	if length < 0 {
		return nil, fmt.Errorf("%w: it has no Content-Length", errFrame)
	}
	var body bytes.Buffer // grows with what comes, not with what was promised
	if _, err := io.CopyN(&body, r, int64(length)); err != nil {
		return nil, fmt.Errorf("%w: it ends before its Content-Length: %v", errFrame, err)
	}
	return body.Bytes(), nil
}

// writeFrame writes one message.
func writeFrame(w io.Writer, message any) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(message); err != nil {
		return err
	}
	b := bytes.TrimRight(body.Bytes(), "\n")
	_, err := w.Write(append([]byte(fmt.Sprintf("Content-Length: %d\r\n\r\n", len(b))), b...))
	return err
}
