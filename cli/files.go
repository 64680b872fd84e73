package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/workspace"
)

// writeFile writes a file that only its owner may read.
func (a *app) writeFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(a.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", message.SafeText(name), workspace.PathCause(err))
	}
	if err = errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", message.SafeText(name), workspace.PathCause(err))
	}
	return nil
}
