package operation

import (
	"context"
	"fmt"
	"time"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// maxSkew is how far this machine's clock may differ from the state's.
const maxSkew = 30 * time.Second

// sameTime returns an error while this machine's clock is wrong, or the state's:
// windows, quiet hours and caps depend on it. therefore is the end of its sentence.
func sameTime(ctx context.Context, ws *workspace.Workspace, store state.Shared, therefore string) error {
	before := ws.Now()
	theirs, err := ws.StateTime(ctx, store)
	if err != nil {
		return err
	}
	way, off := "ahead of", before.Sub(theirs)
	if after := ws.Now(); theirs.After(after) {
		way, off = "behind", theirs.Sub(after)
	}
	if off <= maxSkew {
		return nil
	}
	return fmt.Errorf("this machine's clock is %s the database's by %s. 24-hour windows, quiet hours and frequency caps depend on it, so %s",
		way, off.Round(10*time.Second), therefore)
}
