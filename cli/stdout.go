package cli

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/handbill/handbill/cli/view"
)

// output is the standard output of every command. It keeps the first write error
// and writes nothing after it, so commands need not check each write: Main exits
// with code 1 if output was lost. It is safe for concurrent use.
type output struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

// Write passes p on, or gives the first error again.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	o.err = err
	return n, err
}

// lost returns the first write error; nil if everything was written.
func (o *output) lost() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// forgiveLeaver ignores that the reader has closed the pipe, for texts that people
// page through, such as help.
func (o *output) forgiveLeaver() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if errors.Is(o.err, syscall.EPIPE) {
		o.err = nil
	}
}

// outputLost reports that the output is incomplete and returns the exit code. A
// code that says more than "done" or "there are changes" is kept.
func (a *app) outputLost(err error, code int) int {
	a.diagnose([]view.Diagnostic{{Severity: "error", Summary: "Output cut short",
		Detail: a.near(fmt.Sprintf("Writing to standard output failed, so what was written there is not whole: %v.\n\nWhat the command changed or sent before that stays as it is.", err))}})
	if code == exitDone || code == exitChanges {
		return exitError
	}
	return code
}
