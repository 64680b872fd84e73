package memstate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/handbill/handbill/state"
)

// lane is a sending number in the hands of one run, or of the server that answers.
type lane struct {
	state.Lane
	over bool // it has no open attempts and will get no more
}

// take gives the lane of a sending number to a run, or to the server that answers if
// run is 0.
func (s *Store) take(number string, run int64) (state.Lane, error) {
	if number == "" {
		return state.Lane{}, errors.New("a lane needs a sending number")
	}
	l := state.Lane{Number: number, ID: int64(len(s.lanes) + 1), Epoch: 1, Run: run}
	for _, before := range s.lanes {
		if before.Number == number && (before.Run == 0) == (run == 0) {
			l.Epoch = before.Epoch + 1
		}
	}
	set(s, &s.lanes, append(slices.Clone(s.lanes), lane{Lane: l}))
	return l, nil
}

// taken reports whether somebody else has taken the lane's number since.
func (s *Store) taken(l state.Lane) bool {
	return slices.ContainsFunc(s.lanes, func(o lane) bool {
		return o.Number == l.Number && (o.Run == 0) == (l.Run == 0) && o.Epoch > l.Epoch
	})
}

// fence refuses a lane if somebody else has taken its number since.
func (s *Store) fence(l state.Lane) error {
	switch {
	case l.ID < 1 || l.ID > int64(len(s.lanes)) || s.lanes[l.ID-1].Lane != l || l.Run != 0 && s.runs[l.Run-1].over:
		return fmt.Errorf("lane %d is not open", l.ID)
	case s.taken(l):
		return state.ErrFenced
	}
	return nil
}

// Unsettled implements state.Store.
func (s *Store) Unsettled(ctx context.Context) (numbers []string, err error) {
	err = s.read(ctx, func() error {
		for _, l := range s.lanes {
			if l.Run != 0 && !l.over {
				numbers = append(numbers, l.Number)
			}
		}
		slices.Sort(numbers)
		numbers = slices.Compact(numbers)
		return nil
	})
	return numbers, err
}

// Recover implements state.Store.
func (s *Store) Recover(ctx context.Context, number string) (n int, err error) {
	err = s.write(ctx, func() error {
		n = s.recover(number, func(run int64) bool { return run > 0 })
		lanes := slices.Clone(s.lanes)
		for i, l := range lanes {
			if l.Number == number && l.Run != 0 && (s.runs[l.Run-1].over || s.taken(l.Lane)) {
				lanes[i].over = true
			}
		}
		set(s, &s.lanes, lanes)
		return nil
	})
	return n, err
}

// recover marks the open attempts of some runs at a number as in doubt.
func (s *Store) recover(number string, of func(run int64) bool) (n int) {
	for _, a := range s.attempts {
		if a != nil && a.out == nil && a.from == number && of(a.run) {
			s.put(a, &outcome{send: state.InDoubt, settled: s.now, cause: "interrupted"})
			n++
		}
	}
	return n
}

// RecoverReplies implements state.Store.
func (s *Store) RecoverReplies(ctx context.Context, number string) (l state.Lane, n int, err error) {
	err = s.write(ctx, func() (err error) {
		if l, err = s.take(number, 0); err != nil {
			return err
		}
		n = s.recover(number, func(run int64) bool { return run == 0 })
		return nil
	})
	return l, n, err
}
