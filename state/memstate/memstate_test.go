package memstate_test

import (
	"testing"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/memstate"
	"github.com/handbill/handbill/state/statetest"
)

func TestContract(t *testing.T) {
	statetest.Run(t, func(t statetest.T, o statetest.Options) state.Store {
		s := memstate.New(memstate.Options{Clock: o.Clock, Wish: o.Wish, Lineage: "00112233445566778899aabbccddeeff"})
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}
