package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

var (
	servant = state.Owner{ID: "C", Kind: state.OwnerServe, Host: "three", PID: 3}
	deputy  = state.Owner{ID: "D", Kind: state.OwnerServe, Host: "four", PID: 4}
)

const ana, ben = "+4915112345671", "+4915112345672"

// beside opens the same state a second time, as another process does.
func beside(t *testing.T, s *Store) *Store {
	t.Helper()
	o, err := Open(t.Context(), s.opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func join(t *testing.T, s *Store, by state.Owner) state.Lane {
	t.Helper()
	l, err := s.JoinReplies(t.Context(), number, by)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// write delivers messages of people, in order.
func write(t *testing.T, s *Store, from ...string) {
	t.Helper()
	for _, who := range from {
		var n int
		if err := s.read(t.Context(), func(t *tx) error { t.one("SELECT count(*) FROM seen", nil, &n); return nil }); err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprint("wamid.", n+1)
		in := state.Inbox{Provider: number, Received: noon, Raw: []byte(id), Events: []message.Event{{Kind: message.EventInbound, ID: id, At: noon, From: message.Address{Phone: who}, Type: "text", Text: "Hi"}}}
		if _, err := s.Append(t.Context(), []state.Inbox{in}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Fold(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
}

func wantClaim(t *testing.T, s *Store, l state.Lane, n int, want ...int64) {
	t.Helper()
	refs, _, err := s.Claim(t.Context(), l, 0, n)
	var got []int64
	for _, r := range refs {
		got = append(got, r.Seq)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("lane %d claims %v, %v; want %v", l.ID, got, err, want)
	}
}

func wantNext(t *testing.T, s *Store, l state.Lane, who string, want int64) {
	t.Helper()
	if ref, ok, err := s.ClaimNext(t.Context(), l, who); err != nil || ok != (want != 0) || ref.Seq != want {
		t.Errorf("next of %s for lane %d: %+v, %v; want %d", who, l.ID, ref, err, want)
	}
}

func answered(t *testing.T, s *Store, l state.Lane, seqs ...int64) {
	t.Helper()
	if err := s.Answered(t.Context(), l, seqs...); err != nil {
		t.Fatal(err)
	}
}

// replyTo is an intent that answers an event.
func replyTo(who string, seq int64) state.Intent {
	in := intent(who)
	in.Campaign, in.Revision, in.Ref, in.Inbound = "reply_rule.hello", int(seq), fmt.Sprint("reply ", seq), seq
	return in
}

// TestServersShareANumber checks that two servers at one number get every event
// once, and a person's next event only when the one before is answered.
func TestServersShareANumber(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	o := beside(t, s)
	if numbers, err := s.Answering(t.Context()); len(numbers) != 0 || err != nil {
		t.Errorf("nobody answers yet: %q, %v", numbers, err)
	}
	mine, other := join(t, s, servant), join(t, o, deputy)
	if numbers, err := s.Answering(t.Context()); !slices.Equal(numbers, []string{number}) || err != nil {
		t.Errorf("servers answer at %q, %v", numbers, err)
	}
	write(t, s, ana, ben, ana, ana)
	wantClaim(t, s, mine, 1, 1)
	wantClaim(t, o, other, 9, 2) // 3 and 4 are of the person of 1
	wantClaim(t, s, mine, 9, 1)  // it has that one already
	wantNext(t, o, other, ana, 0)
	answered(t, s, mine, 1)
	wantNext(t, o, other, ana, 3)
	wantNext(t, s, mine, ana, 0)
	wantClaim(t, s, mine, 9)
	answered(t, o, other, 3, 2)
	wantClaim(t, s, mine, 9, 4)
	if err := s.GiveBack(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	wantClaim(t, o, other, 9, 4)
	if err := s.Answered(t.Context(), mine, 4); !errors.Is(err, state.ErrFenced) {
		t.Errorf("an event of another server was answered: %v", err)
	}
	if _, _, err := s.Claim(t.Context(), mine, 0, 9); !errors.Is(err, state.ErrFenced) {
		t.Errorf("a lane that was given back claims: %v", err)
	}
}

// TestARecoveryConcernsOneServer checks that whoever notices that a server is gone
// puts in doubt what that one had under way, and frees what it had claimed, and
// nothing of the others.
func TestARecoveryConcernsOneServer(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	mine, gone := join(t, s, servant), join(t, s, deputy)
	write(t, s, ana, ben)
	wantClaim(t, s, mine, 1, 1)
	wantClaim(t, s, gone, 9, 2)
	for _, c := range []struct {
		lane state.Lane
		who  string
		seq  int64
	}{{mine, ana, 1}, {gone, ben, 2}} {
		if v, err := s.Intend(t.Context(), c.lane, []state.Intent{replyTo(c.who, c.seq)}); err != nil || v[0].Gate != "" {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if owners, doubts, err := s.RecoverServers(t.Context()); len(owners) != 0 || doubts != 0 || err != nil {
		t.Fatalf("both are there: %v, %d in doubt, %v", owners, doubts, err)
	}
	expire(t, s)
	if err := s.Renew(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	owners, doubts, err := s.RecoverServers(t.Context())
	if err != nil || doubts != 1 || !slices.Equal(owners, []state.Owner{deputy}) {
		t.Errorf("recovered %v, %d in doubt, %v", owners, doubts, err)
	}
	wantClaim(t, s, mine, 9, 1, 2)
	if v, err := s.Intend(t.Context(), mine, []state.Intent{replyTo(ben, 2)}); err != nil || v[0].Gate == "" {
		t.Errorf("a second reply to one event: %+v, %v", v, err)
	}
	for what, err := range map[string]error{
		"renews":  s.Renew(t.Context(), gone),
		"answers": s.Answered(t.Context(), gone, 2),
		"intends": func() error { _, err := s.Intend(t.Context(), gone, []state.Intent{replyTo(ben, 3)}); return err }(),
	} {
		if !errors.Is(err, state.ErrFenced) {
			t.Errorf("the one that was gone %s: %v", what, err)
		}
	}
	// What it learns late is recorded.
	var id int64
	if err := s.read(t.Context(), func(t *tx) error { t.one("SELECT id FROM attempts WHERE revision = 2", nil, &id); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context(), gone, []state.Outcome{{Attempt: id, Send: state.Accepted, ID: "wamid.r2", Proof: state.ProofResponse, At: noon}}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("settled with %v", err)
	}
	if at, err := s.LastReply(t.Context(), "reply_rule.hello", ben); err != nil || at.IsZero() {
		t.Errorf("the late answer: %v, %v", at, err)
	}
}

// TestAServerAloneIsFenced checks that a server of the time before servers answered
// beside each other leaves its number to those.
func TestAServerAloneIsFenced(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	alone, _, err := s.RecoverReplies(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, ana, ben)
	if _, err := s.Intend(t.Context(), alone, []state.Intent{replyTo(ana, 1)}); err != nil {
		t.Fatal(err)
	}
	first, second := join(t, s, servant), join(t, s, deputy)
	if _, err := s.Intend(t.Context(), alone, []state.Intent{replyTo(ben, 2)}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("it still answers: %v", err)
	}
	for d, err := range s.InDoubt(t.Context(), "reply_rule.hello") {
		if err != nil || d.Recipient != ana || d.Cause != "interrupted" {
			t.Errorf("%+v, %v", d, err)
		}
	}
	wantClaim(t, s, first, 1, 1)
	wantClaim(t, s, second, 9, 2)
	if _, n, err := s.RecoverReplies(t.Context(), number); n != 0 || err != nil {
		t.Fatalf("%d in doubt, %v", n, err)
	}
	if err := s.Renew(t.Context(), first); !errors.Is(err, state.ErrFenced) {
		t.Errorf("beside one that is alone: %v", err)
	}
}

// TestOrphansAreSwept: a status that waits for a message which the state knows.
func TestOrphansAreSwept(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	lane := begin(t, s)
	v, err := s.Intend(t.Context(), lane, []state.Intent{intent(ana)})
	if err != nil {
		t.Fatal(err)
	}
	status := message.Event{Kind: message.EventStatus, ID: "wamid.1", At: noon, Rank: message.RankDelivered}
	if err := s.Events(t.Context(), number, []message.Event{status, {Kind: message.EventStatus, ID: "wamid.strange", At: noon, Rank: message.RankRead}}); err != nil {
		t.Fatal(err)
	}
	// As if the transaction that told the id had not seen the one of the status.
	sql(t, s, fmt.Sprintf("INSERT INTO outcomes VALUES (%d, 2, 'response', 1, '', '', '', 'wamid.1')", v[0].Attempt))
	delivered := func() int {
		tally, err := s.Tally(t.Context(), "campaign.spring", 1)
		if err != nil {
			t.Fatal(err)
		}
		return tally.Delivered
	}
	if delivered() != 0 {
		t.Fatal("the status did not wait")
	}
	for call, want := range []int{1, 0, 0} {
		if n, err := s.SweepOrphans(t.Context()); n != want || err != nil {
			t.Errorf("sweep %d joined %d, %v; want %d", call, n, err, want)
		}
	}
	if delivered() != 1 {
		t.Error("the status waits for ever")
	}
}

// TestServersHoldOnePace checks that two servers and an apply together take no slot
// of a number twice.
func TestServersHoldOnePace(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	o := beside(t, s)
	write(t, s, ana, ben)
	mine, other, run := join(t, s, servant), join(t, o, deputy), begin(t, s)
	const gap = 50 * time.Millisecond
	var leaves []time.Time
	for i := range 4 {
		for _, c := range []struct {
			s    *Store
			lane state.Lane
		}{{s, mine}, {o, other}, {s, run}} {
			in := intent(fmt.Sprintf("+49151200000%02d", len(leaves)))
			if c.lane.Run == 0 {
				in = replyTo(ana, 1)
				in.Campaign, in.Ref = fmt.Sprint("reply_rule.", len(leaves)), ""
			}
			in.Pace = pace.Ask{Gap: gap, After: noon}
			v, err := c.s.Intend(t.Context(), c.lane, []state.Intent{in})
			if err != nil || v[0].Leave.IsZero() && v[0].Until.IsZero() {
				t.Fatalf("%d: %+v, %v", i, v, err)
			}
			if !v[0].Leave.IsZero() {
				leaves = append(leaves, v[0].Leave)
			}
		}
	}
	if len(leaves) < 3 {
		t.Fatalf("only %d slots were given", len(leaves))
	}
	for i := 1; i < len(leaves); i++ {
		if d := leaves[i].Sub(leaves[i-1]); d < gap {
			t.Errorf("slots %d and %d are %v apart, want at least %v", i-1, i, d, gap)
		}
	}
}

// TestForwardsPassOn checks that a forward whose owner is gone passes to another
// one, who alone may say what became of it.
func TestForwardsPassOn(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	o := beside(t, s)
	write(t, s, ana)
	if err := s.AddForward(t.Context(), 1, "reply_rule.crm"); err != nil {
		t.Fatal(err)
	}
	claim := func(s *Store, owner string) (f state.Forward, ok bool) {
		t.Helper()
		list, _, err := s.ClaimForwards(t.Context(), owner, 9)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return f, false
		}
		return list[0], true
	}
	f, ok := claim(s, "dead")
	if !ok {
		t.Fatal("it is not due")
	}
	if _, ok := claim(o, "heir"); ok {
		t.Fatal("two have it")
	}
	sql(t, s, "UPDATE forwards SET until = clock_timestamp() - interval '1 second'")
	if _, ok := claim(o, "heir"); !ok {
		t.Fatal("it does not pass on")
	}
	if err := s.DoneForward(t.Context(), "dead", f, state.ForwardDead); err != nil {
		t.Fatal(err)
	}
	if n, err := s.DeadForwards(t.Context()); n != 0 || err != nil {
		t.Errorf("the one before gave it up: %d, %v", n, err)
	}
	if err := s.Erase(t.Context(), ana); err != nil {
		t.Fatal(err)
	}
	sql(t, s, "UPDATE forwards SET until = NULL")
	if f, ok := claim(o, "heir"); ok {
		t.Errorf("what an erased person wrote is handed on: %+v", f)
	}
}

// TestMigratesForwards checks that forwards of format 2, which were blobs, go on.
func TestMigratesForwards(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	sql(t, s, `DROP TABLE links; DROP TABLE packed; DROP FUNCTION packed_stale CASCADE; DROP TABLE products; DROP TABLE forwards; ALTER TABLE inbound DROP lane; ALTER TABLE attempts DROP lane, DROP arm, DROP variant, DROP attributes; UPDATE meta SET format = 2;
		INSERT INTO blobs VALUES ('forward/7/reply_rule.crm', '{"seq":7,"rule":"reply_rule.crm","attempts":2,"next":"2026-03-01T12:00:05.5+01:00","reason":"503 é"}'),
			('forward/8/reply_rule.crm', '{"seq":8,"rule":"reply_rule.crm","attempts":0,"next":"0001-01-01T00:00:00Z"}'),
			('forward_dead/9/reply_rule.crm', '{"seq":9,"rule":"reply_rule.crm","attempts":7,"next":"0001-01-01T00:00:00Z"}'), ('forwards', 'other')`)
	if err := Migrate(t.Context(), s.opt); err != nil {
		t.Fatal(err)
	}
	got, _, err := s.ClaimForwards(t.Context(), "ada", 9)
	want := []state.Forward{{Event: 8, Rule: "reply_rule.crm"}, {Event: 7, Rule: "reply_rule.crm", Attempts: 2, Due: time.UnixMilli(1772362805500).UTC(), Reason: "503 é"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if n, err := s.DeadForwards(t.Context()); n != 1 || err != nil {
		t.Errorf("%d were given up, %v; want 1", n, err)
	}
	if blobs, err := s.Blobs(t.Context(), "forward"); len(blobs) != 1 || err != nil {
		t.Errorf("blobs that are left: %v, %v", blobs, err)
	}
}

// TestAnswersShareACommit checks that what servers note about events is committed
// together with turns, and that a server that is gone fails alone.
func TestAnswersShareACommit(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	gone, mine := join(t, s, deputy), join(t, s, servant)
	write(t, s, ana, ben, ana)
	if err := s.GiveBack(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	wantClaim(t, s, mine, 9, 1, 2)
	commits := func(sql string) (n int) {
		if err := s.read(t.Context(), func(t *tx) error { t.one(sql, nil, &n); return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	reply := func(ctx context.Context) {
		v, err := s.Intend(ctx, mine, []state.Intent{replyTo(ben, 2)})
		if must(err); err == nil && v[0].Gate != "" {
			t.Errorf("a reply: %+v", v)
		}
	}
	together(t, s, func(ctx context.Context) { must(s.Settle(ctx, mine, nil)) }, reply, func(ctx context.Context) { must(s.Answered(ctx, mine, 1)) })
	if n := commits("SELECT count(DISTINCT x) FROM (SELECT xmin::text AS x FROM attempts UNION SELECT xmin::text FROM inbound WHERE id = 1) made"); n != 1 {
		t.Errorf("a reply and the end of another one are in %d commits", n)
	}
	together(t, s, func(ctx context.Context) { must(s.Settle(ctx, mine, nil)) }, func(ctx context.Context) { must(s.Answered(ctx, mine, 2)) }, func(ctx context.Context) {
		if err := s.Answered(ctx, gone, 3); !errors.Is(err, state.ErrFenced) {
			t.Errorf("a server that is gone: %v", err)
		}
	})
	wantNext(t, s, mine, ana, 3)
}
