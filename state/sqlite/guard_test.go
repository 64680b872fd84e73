package sqlite

import (
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/handbill/handbill/state"
)

func TestLatestIsTheNewestMomentOfTheClock(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "handbill.state"))
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	o.Clock = func() time.Time { return at }
	s, err := Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	latest := func(want time.Time) {
		t.Helper()
		got, err := s.Latest(t.Context())
		if err != nil || !got.Equal(want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	latest(at)
	at = at.Add(time.Hour)
	run, err := s.Begin(t.Context(), state.Run{Started: at, Plan: "p"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	latest(at)
	at = at.Add(time.Hour)
	intend(t, s, run, intent(s, phone(1)))
	latest(at)
	// What was sent elsewhere has the time of other clocks.
	d := state.Delivery{Key: state.Key{Campaign: "campaign.old", Recipient: phone(2), Revision: 1}, Settled: at.Add(48 * time.Hour)}
	if _, err := s.Import(t.Context(), iter.Seq2[state.Delivery, error](func(yield func(state.Delivery, error) bool) { yield(d, nil) })); err != nil {
		t.Fatal(err)
	}
	latest(at)
	if err := s.OptOut(t.Context(), phone(3), "operator", ""); err != nil {
		t.Fatal(err)
	}
	at = at.Add(-24 * time.Hour)
	latest(at.Add(24 * time.Hour))
}

func TestHaltedUntilAcknowledged(t *testing.T) {
	o := closed(t)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if halt, err := s.Halted(t.Context()); halt != nil || err != nil {
		t.Errorf("a state in order: %v, %v", halt, err)
	}
	backup := o.Path + ".copy"
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Restore(t.Context(), backup, o); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if halt, err := s.Halted(t.Context()); halt == nil || err != nil {
		t.Errorf("a restored state: %v, %v", halt, err)
	}
	if err := s.Acknowledge(t.Context(), "ada", "nothing was sent since"); err != nil {
		t.Fatal(err)
	}
	if halt, err := s.Halted(t.Context()); halt != nil || err != nil {
		t.Errorf("an acknowledged state: %v, %v", halt, err)
	}
}
