package sqlite

import (
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
)

func TestALockedFileSaysWhoAndWhat(t *testing.T) {
	err := describe(sqlite.ResultBusy.ToError())
	if !strings.Contains(err.Error(), "another program keeps it locked for writing") {
		t.Errorf("%v", err)
	}
	if advice := DiskAdvice(err); !strings.Contains(advice, "close it, and run the command again") {
		t.Errorf("%q", advice)
	}
}
