package statetest

import (
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func (u suite) TestHaltsLastUntilSomebodyResumes(t *testing.T) {
	s, _ := u.create(t)
	since := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	spring := state.Halt{Campaign: "campaign.spring", Reason: "canary", Code: "131026", Title: "3 of the first 9 failed", Advice: "Look.", Since: since}
	autumn := state.Halt{Campaign: "campaign.autumn", Reason: "stop_if", Since: since}
	for _, h := range []state.Halt{spring, autumn, {Campaign: "campaign.spring", Reason: "breaker", Since: since.Add(time.Hour)}} {
		if err := s.Halt(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	want := func(s state.Store, want ...state.Halt) {
		t.Helper()
		got, err := s.Halts(t.Context())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	want(s, autumn, spring) // the first reason stands
	begin := func(resume ...string) {
		t.Helper()
		if _, err := s.Begin(t.Context(), state.Run{Resume: resume, Who: "ada"}, []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring"}}); err != nil {
			t.Fatal(err)
		}
	}
	begin()
	want(s, autumn, spring)
	if err := s.Move(t.Context(), "campaign.spring", "campaign.may"); err != nil {
		t.Fatal(err)
	}
	spring.Campaign = "campaign.may"
	want(s, autumn, spring)
	begin("campaign.autumn")
	want(s, spring)
	begin("campaign.may")
	want(s)
}

func (u suite) TestARemovedCampaignIsNotHalted(t *testing.T) {
	s, _ := u.create(t)
	if _, err := s.Begin(t.Context(), state.Run{}, []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Halt(t.Context(), state.Halt{Campaign: "campaign.spring", Reason: "canary"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), "campaign.spring"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Halts(t.Context()); len(got) > 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func (u suite) TestLatestIsTheNewestMomentOfTheClock(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	s := u.open(t, Options{Clock: func() time.Time { return at }})
	latest := func(want time.Time) {
		t.Helper()
		got, err := s.Latest(t.Context())
		if err != nil || !got.Equal(want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	latest(at)
	at = at.Add(time.Hour)
	run, err := s.Begin(t.Context(), state.Run{Started: at, Plan: "p", Lanes: []state.Lane{{Number: mainNumber}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	latest(at)
	at = at.Add(time.Hour)
	intend(t, s, run.Lanes[0], intent(s, phone(1)))
	latest(at)
	// Imported deliveries have the times of other clocks.
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

// If the clock was once ten years ahead, a person can acknowledge it, and nothing is
// locked for ten years. The next clock that is ahead is still noticed.
func (u suite) TestAnAcknowledgedClock(t *testing.T) {
	s, clock := u.create(t)
	latest := func(want time.Time) {
		t.Helper()
		if got, err := s.Latest(t.Context()); err != nil || !got.Equal(want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	right := clock.now
	clock.now = right.AddDate(10, 0, 0)
	ahead := clock.now
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(2)))[0], "y"))
	clock.now = right.Add(time.Hour)
	latest(ahead)
	if err := s.AcknowledgeClock(t.Context(), "ada", "the battery was empty"); err != nil {
		t.Fatal(err)
	}
	said := clock.now
	latest(said)
	clock.now = said.Add(-30 * time.Minute) // before the acknowledgement
	latest(said)
	clock.now = right.AddDate(5, 0, 0)
	if _, err := s.Begin(t.Context(), state.Run{Started: clock.now}, nil); err != nil {
		t.Fatal(err)
	}
	latest(clock.now)
}

// A waiting status that was answered with 200 is better evidence than a person's word.
func (u suite) TestResolveJoinsWhatWaitsFirst(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	in := intent(s, phone(1))
	settle(t, s, run, state.Outcome{Attempt: intend(t, s, run, in)[0].Attempt, Send: state.InDoubt, Cause: "timeout", At: noon})
	told := status(wamidOf(1), in.Ref, message.RankSent, noon)
	if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Received: noon, Raw: []byte("{}"), Events: []message.Event{told}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Resolve(t.Context(), in.Key, state.Pending, "ada", ""); !errors.Is(err, state.ErrSettled) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Fold(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if d := oneDelivery(t, s); d.Send != state.Accepted {
		t.Errorf("it is %s, and would be sent again", d.Send)
	}
}

func (u suite) TestMoveRemoveImport(t *testing.T) {
	s, _ := u.create(t)
	run, err := s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: mainNumber}}}, []state.Resource{{Address: "campaign.spring", Type: "campaign", Name: "spring", Tree: []byte("{}")}})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, s, run.Lanes[0], accepted(intend(t, s, run.Lanes[0], intent(s, phone(1)))[0], "x"))
	if err := s.Move(t.Context(), "campaign.spring", "campaign.summer"); err != nil {
		t.Fatal(err)
	}
	if err := s.Move(t.Context(), "campaign.spring", "campaign.autumn"); !errors.Is(err, state.ErrUnknown) {
		t.Errorf("an unknown address was moved: %v", err)
	}
	key := state.Key{Campaign: "campaign.summer", Recipient: phone(1), Revision: 1}
	if d := oneDelivery(t, s); d.Key != key {
		t.Errorf("the delivery is %+v, want %+v", d.Key, key)
	}
	list := func(yield func(state.Delivery, error) bool) {
		_ = yield(state.Delivery{Key: key}, nil) && yield(state.Delivery{Key: state.Key{Campaign: "campaign.summer", Recipient: phone(2), Revision: 1}, ID: "y", Settled: noon}, nil)
	}
	if n, err := s.Import(t.Context(), iter.Seq2[state.Delivery, error](list)); n != 1 || err != nil {
		t.Errorf("imported %d, %v; want 1", n, err)
	}
	if n, err := s.Remove(t.Context(), "campaign.summer"); n != 2 || err != nil {
		t.Errorf("removed %d, %v; want 2", n, err)
	}
	if left := deliveries(t, s); len(left) != 0 {
		t.Errorf("%+v is left", left)
	}
}

func (u suite) TestPruneKeepsWhatMatters(t *testing.T) {
	s, clock := u.create(t)
	run := begin(t, s)
	in := intent(s, phone(1))
	settle(t, s, run, accepted(intend(t, s, run, in)[0], "x"))
	in.Revision, in.Ref = 2, "r2"
	settle(t, s, run, accepted(intend(t, s, run, in)[0], "y"))
	if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Received: noon, Raw: []byte("{}")}}); err != nil {
		t.Fatal(err)
	}
	clock.now = noon.Add(46 * 24 * time.Hour)
	if n, err := s.Prune(t.Context(), clock.now); n != 2 || err != nil {
		t.Errorf("pruned %d rows, %v; want the old revision and the known body", n, err)
	}
	if d := oneDelivery(t, s); d.Revision != 2 {
		t.Errorf("revision %d is left", d.Revision)
	}
}

// Prune keeps events for at least 45 days, and longer if its limit is earlier.
func (u suite) TestPruneKeepsYoungEvents(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name      string
		age       time.Duration // of the events
		before    time.Duration // ago
		inbound   int           // answered events that stay
		known     bool          // whether the body is still known
		notices   int
		revisions int
	}{
		{"younger than 45 days", 44 * day, 0, 1, true, 0, 2},
		{"older than 45 days", 46 * day, 0, 0, false, 0, 1},
		{"older, and to be kept", 46 * day, 50 * day, 1, true, 1, 2},
		{"older than what is to be kept", 51 * day, 50 * day, 0, false, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, clock := u.create(t)
			run := begin(t, s)
			for revision := range 2 {
				in := intent(s, phone(1))
				in.Revision, in.Ref = revision+1, ""
				settle(t, s, run, accepted(intend(t, s, run, in)[0], wamidOf(revision)))
			}
			body := state.Inbox{Provider: "provider.cloud.main", Received: noon, Raw: []byte("{}"), Events: []message.Event{
				wrote(message.Address{Phone: phone(1)}, "in.1", "hello", noon), {Kind: message.EventOther, At: noon, Raw: []byte("?")}}}
			if _, err := s.Append(t.Context(), []state.Inbox{body}); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.FoldAll(t.Context()), s.Answered(t.Context(), answering(t, s, mainNumber), 1)); err != nil {
				t.Fatal(err)
			}
			clock.now = noon.Add(c.age)
			if _, err := s.Prune(t.Context(), clock.now.Add(-c.before)); err != nil {
				t.Fatal(err)
			}
			fresh, err := s.Append(t.Context(), []state.Inbox{body})
			if err != nil || fresh[0] == c.known {
				t.Errorf("the body is new: %v, %v", fresh, err)
			}
			_, kept, err := s.Inbound(t.Context(), 1)
			if err != nil || kept != (c.inbound == 1) {
				t.Errorf("what was answered is kept: %v, %v", kept, err)
			}
			if n := sorted(t, s.Notices(t.Context(), time.Time{})); len(n) != c.notices {
				t.Errorf("notices %q", n)
			}
			if d := deliveries(t, s); len(d) != c.revisions {
				t.Errorf("deliveries %+v", d)
			}
		})
	}
}

// Two findings say the same of two deliveries, which are then removed.
func (u suite) TestFindingsOutliveTheirDeliveries(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	for i := range 2 {
		in := intent(s, phone(i))
		settle(t, s, run, accepted(intend(t, s, run, in)[0], wamidOf(i)))
		events(t, s, status(wamidOf(10+i), in.Ref, message.RankSent, noon))
	}
	if n, err := s.Remove(t.Context(), "campaign.spring"); n != 2 || err != nil {
		t.Fatalf("removed %d, %v", n, err)
	}
	intend(t, s, run, intent(s, phone(3)))
	found, err := s.Findings(t.Context())
	if err != nil || len(found) != 2 {
		t.Fatalf("findings %+v, %v", found, err)
	}
	for _, f := range found {
		if f.Kind != state.FindingDuplicate || f.Recipient != "" || f.Campaign != "" {
			t.Errorf("%+v", f)
		}
	}
}
