package delivery

import (
	"errors"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
)

// These are the changes that an answer makes to an attempt that is already
// settled.
func TestJoins(t *testing.T) {
	for _, c := range []struct {
		known, told Send
		want        Joining
	}{
		{Accepted, Accepted, JoinComplete},
		{Accepted, InDoubt, JoinKeep},
		{Accepted, Rejected, JoinContradict},
		{Accepted, Pending, JoinContradict},
		{Pending, Accepted, JoinAfterAll},
		{Pending, Pending, JoinKeep},
		{Pending, Rejected, JoinKeep},
		{Pending, InDoubt, JoinKeep},
		{Rejected, Accepted, JoinAfterAll},
		{Rejected, Rejected, JoinKeep},
		{Rejected, Pending, JoinKeep},
		{Rejected, InDoubt, JoinKeep},
		{InDoubt, Accepted, JoinReplace},
		{InDoubt, Rejected, JoinReplace},
		{InDoubt, Pending, JoinReplace},
		{InDoubt, InDoubt, JoinKeep},
	} {
		if got, err := Joins(c.known, c.told, ProofResponse); got != c.want || err != nil {
			t.Errorf("%s, and then %s: %d, %v; want %d", c.known, c.told, got, err, c.want)
		}
	}
	var forbidden *TransitionError
	if _, err := Joins(InDoubt, Sending, ProofResponse); !errors.As(err, &forbidden) {
		t.Errorf("a doubt is sent: %v", err)
	}
	if _, err := Joins(InDoubt, Accepted, ""); !errors.As(err, &forbidden) {
		t.Errorf("accepted without a proof: %v", err)
	}
}

func TestEventTime(t *testing.T) {
	const received = 5000
	for at, want := range map[int64]int64{4000: 4000, 5000: 5000, 6000: received, -1: received} {
		if got := EventTime(&message.Event{At: time.UnixMilli(at)}, received); got != want {
			t.Errorf("an event of %d counts as of %d, want %d", at, got, want)
		}
	}
	if got := EventTime(&message.Event{}, received); got != received {
		t.Errorf("an event without a time counts as of %d", got)
	}
}

func TestMarketing(t *testing.T) {
	out := Opt{Choice: OptedOut}
	for _, c := range []struct {
		name       string
		opt        Opt
		cooldown   int64
		noCooldown bool
		want       Gate
		until      int64
	}{
		{"nothing is known", Opt{}, 0, false, GateNone, 0},
		{"opted in", Opt{Choice: OptedIn}, 0, false, GateNone, 0},
		{"opted out", out, 0, false, GateOptedOut, 0},
		{"opted out, whatever is cooling", out, 2000, true, GateOptedOut, 0},
		{"cooling", Opt{}, 1001, false, GateCooldown, 1001},
		{"cooled", Opt{}, 1000, false, GateNone, 0},
		{"cooling, and no template", Opt{}, 1001, true, GateNone, 0},
	} {
		if gate, until := Marketing(c.opt, c.cooldown, 1000, c.noCooldown); gate != c.want || until != c.until {
			t.Errorf("%s: %q until %d, want %q until %d", c.name, gate, until, c.want, c.until)
		}
	}
}

func TestHeed(t *testing.T) {
	stop := Opt{Choice: OptedOut, At: 10, Reason: "stop_word", Evidence: "enough"}
	pause := Opt{Choice: OptedOut, At: 10, Reason: OptUnclear, Evidence: "enough?"}
	in := Opt{Choice: OptedIn, At: 10}
	stay := func(at int64) Opt { return Opt{Choice: OptedIn, At: at, Reason: "stay"} }
	for _, c := range []struct {
		name    string
		opt     Opt
		wish    Wish
		said    Opt
		want    Opt
		stopped bool
	}{
		{"no wish", stop, WishNone, Opt{At: 20}, stop, false},
		{"a stop", Opt{}, WishStop, Opt{At: 10, Reason: "stop_word", Evidence: "enough"}, stop, true},
		{"a stop after an opt-in", in, WishStop, Opt{At: 10, Reason: "stop_word", Evidence: "enough"}, stop, true},
		{"a stop before an opt-in", in, WishStop, Opt{At: 9, Reason: "stop_word"}, in, false},
		{"a second stop", stop, WishStop, Opt{At: 9, Reason: "stop_word"}, stop, false},
		{"a stop takes the place of a pause, also an older one", pause, WishStop, Opt{At: 5, Reason: "stop_word"}, Opt{OptedOut, 5, "stop_word", ""}, true},
		{"an unclear word", Opt{}, WishUnclear, Opt{At: 10, Reason: OptUnclear, Evidence: "enough?"}, pause, true},
		{"an unclear word after a stop", stop, WishUnclear, Opt{At: 20, Reason: OptUnclear}, stop, false},
		{"stay lifts a pause", pause, WishStay, Opt{At: 11}, stay(11), false},
		{"stay within the same second", pause, WishStay, Opt{At: 10}, stay(10), false},
		{"stay from before the pause", pause, WishStay, Opt{At: 9}, pause, false},
		{"stay lifts no stop", stop, WishStay, Opt{At: 20}, stop, false},
		{"stay without a question", Opt{}, WishStay, Opt{At: 20}, Opt{}, false},
	} {
		if got, stopped := c.opt.Heed(c.wish, c.said); got != c.want || stopped != c.stopped {
			t.Errorf("%s: %+v, %v; want %+v, %v", c.name, got, stopped, c.want, c.stopped)
		}
	}
}
