// Package bench measures handbill beside bare loops that do only what nobody
// can do without, in the same run on the same machine. It holds tests alone:
// "make bench" prints the table of docs/benchmarks.md. A bound that is missed
// is a word in the table and never a failing test, since time is not
// reproducible.
//
// Every figure is of a process of its own, the real binary or this test binary
// started again in a role, so that peaks of memory are those of one job.
package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// roleVar names the role in which the test binary was started again.
const roleVar = "HANDBILL_BENCH_ROLE"

// roles are what a child process may be. Each writes one JSON value.
var roles = map[string]func(args []string) (any, error){
	"plan":  planBaseline,
	"post":  postBaseline,
	"serve": serveRole,
	"fill":  fillState,
	"saved": savedPlan,
	"die":   dieSending,
	"again": takeUp,
	"prune": pruneState,

	"hooks":    hooksRole,
	"webhooks": postWebhooks,
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVar)
	if role == "" {
		os.Exit(m.Run())
	}
	result, err := roles[role](os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(1)
	}
}
