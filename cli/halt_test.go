package cli

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/state"
)

// A halted state in a database has no copies beside it.
func TestWhereANewerStateIs(t *testing.T) {
	for database, want := range map[bool]string{false: "handbill state restore FILE", true: "another standby"} {
		detail := haltDiagnostic(&state.HaltError{Why: "it is an older copy", Database: database}).Detail
		if !strings.Contains(detail, want) || strings.Contains(detail, "state restore") == database {
			t.Errorf("in a database: %v: %s", database, detail)
		}
	}
}
