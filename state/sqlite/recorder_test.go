package sqlite_test

import (
	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/state/sqlite"
)

// A store is what apply records in.
var _ apply.Recorder = (*sqlite.Store)(nil)
