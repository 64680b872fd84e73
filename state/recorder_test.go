package state_test

import (
	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/state"
)

// A store is what apply records in.
var _ apply.Recorder = (*state.Store)(nil)
