package postgres

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/state"
)

// failovers is how many times a standby that lacks commits is promoted;
// HANDBILL_FAILOVERS says another number.
const failovers = 2

// TestAStandbyThatLacksCommits: nothing is sent from an asynchronous standby that was
// promoted without the last commits, neither by a new apply nor by one that goes on,
// before somebody acknowledges.
func TestAStandbyThatLacksCommits(t *testing.T) {
	times := failovers
	if n, err := strconv.Atoi(os.Getenv("HANDBILL_FAILOVERS")); err == nil {
		times = n
	}
	primary := pgtest.Start(t, "handbill", "-c fsync=off")
	s := create(t, primary)
	lane := begin(t, s)
	standby := primary.Standby(t)
	if err := standby.Down(); err != nil {
		t.Fatal(err)
	}
	// From here on the standby receives nothing. Its files, as often as wanted, are
	// standbys that lack this.
	sent, err := s.Intend(t.Context(), lane, []state.Intent{intent("+4915112345601")})
	if err != nil || sent[0].Attempt == 0 {
		t.Fatalf("%+v, %v", sent, err)
	}
	if err := primary.Down(); err != nil {
		t.Fatal(err)
	}
	for i := range times {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			c := standby.Copy(t)
			o := s.opt
			o.URL = c.URL()
			promoted, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer promoted.Close()
			if _, err := promoted.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: number}}}, nil); err == nil || !strings.Contains(err.Error(), "standby") {
				t.Errorf("a run begins on a standby: %v", err)
			}
			c.Promote(t)
			refusesToSend(t, promoted, lane, "A standby was promoted")
		})
	}
}

// refusesToSend fails unless the state is halted: for a new run, for one that goes on,
// and for replies, until somebody acknowledges.
func refusesToSend(t *testing.T, s *Store, lane state.Lane, why string) {
	t.Helper()
	halt, err := s.Halted(t.Context())
	if err != nil || halt == nil || !strings.Contains(halt.Why, why) {
		t.Fatalf("halted: %v, %v", halt, err)
	}
	if _, err := s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: number}}}, nil); !errors.As(err, &halt) {
		t.Errorf("a run begins: %v", err)
	}
	who := []state.Intent{intent("+4915112345601")}
	if v, err := s.Intend(t.Context(), lane, who); !errors.As(err, &halt) || len(v) > 0 {
		t.Errorf("the run goes on: %+v, %v", v, err)
	}
	replies, _, err := s.RecoverReplies(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	who[0].Inbound = 1
	if v, err := s.Intend(t.Context(), replies, who); !errors.As(err, &halt) || len(v) > 0 {
		t.Errorf("an answer goes: %+v, %v", v, err)
	}
	if err := s.Acknowledge(t.Context(), "ada", "what was sent is imported"); err != nil {
		t.Fatal(err)
	}
	who[0].Inbound = 0
	if v, err := s.Intend(t.Context(), begin(t, s), who); err != nil || v[0].Attempt == 0 {
		t.Errorf("after somebody looked: %+v, %v", v, err)
	}
}
