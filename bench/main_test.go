// Package bench compares handbill with bare loops that do only the indispensable
// work, in the same run on the same machine. It contains only tests: "make bench"
// prints the table of docs/benchmarks.md. A missed bound is shown in the table and
// never fails a test, since times are not reproducible.
//
// Every figure is measured in a separate process, which is the real binary or this
// test binary started again in a role, so that peak memory is that of one job.
package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// roleVar is the environment variable with the role of a child process.
const roleVar = "HANDBILL_BENCH_ROLE"

// roles are the roles of child processes. Each writes one JSON value.
var roles = map[string]func(args []string) (any, error){
	"plan":  planBaseline,
	"arms":  armsBaseline,
	"post":  postBaseline,
	"copy":  copyBaseline,
	"serve": serveRole,
	"fill":  fillState,
	"count": countState,
	"saved": savedPlan,
	"die":   dieSending,
	"again": takeUp,
	"prune": pruneState,

	"hooks":     hooksRole,
	"webhooks":  postWebhooks,
	"inserts":   insertsRole,
	"templates": func(args []string) (any, error) { return bareTemplates(args[0]) },
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
