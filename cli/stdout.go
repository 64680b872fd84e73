package cli

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/handbill/handbill/cli/view"
)

// output is standard output as every command writes to it. It keeps the first
// error of a write and writes nothing after it, so that no command has to look
// at each write: Main ends with exit code 1 when something was lost. It may be
// used by several goroutines.
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

// lost is the first error of a write, nil when everything was written.
func (o *output) lost() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// forgiveLeaver forgets that the reader left, for texts that people page
// through, such as help.
func (o *output) forgiveLeaver() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if errors.Is(o.err, syscall.EPIPE) {
		o.err = nil
	}
}

// outputLost says that the output was cut, and gives the exit code. A code that
// says more than "done" or "there is something to do" stays.
func (a *app) outputLost(err error, code int) int {
	a.diagnose([]view.Diagnostic{{Severity: "error", Summary: "Output cut short",
		Detail: a.near(fmt.Sprintf("Writing to standard output failed, so what was written there is not whole: %v.\n\nWhat the command changed or sent before that stays as it is.", err))}})
	if code == exitDone || code == exitChanges {
		return exitError
	}
	return code
}
