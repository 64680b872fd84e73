package sqlite_test

import (
	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/state/sqlite"
)

// A store is a Recorder for apply.
var _ apply.Recorder = (*sqlite.Store)(nil)
