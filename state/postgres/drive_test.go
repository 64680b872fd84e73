package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/state"
)

var (
	first  = state.Owner{ID: "A", Kind: state.OwnerApply, Host: "one", PID: 1}
	second = state.Owner{ID: "B", Kind: state.OwnerWorker, Host: "two", PID: 2}
)

const other = "provider.cloud.other"

// carried begins a run on two numbers that other processes can carry on.
func carried(t *testing.T, s *Store, change func(*state.Carried)) state.Run {
	t.Helper()
	c := &state.Carried{Owner: first, Plan: func(w io.Writer) error { _, err := io.WriteString(w, "the plan"); return err }}
	if change != nil {
		change(c)
	}
	r, err := s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: number}, {Number: other}}, Carried: c,
		Campaigns: []state.CampaignRun{{Campaign: "campaign.spring", Revision: 1, Planned: 2, Pending: 2}, {Campaign: "campaign.autumn", Revision: 1, Planned: 1, Pending: 1}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// expire ends the limits of all lanes, as the passage of time does.
func expire(t *testing.T, s *Store) {
	t.Helper()
	sql(t, s, "UPDATE lanes SET until = clock_timestamp() - interval '1 second' WHERE until IS NOT NULL")
}

func open(t *testing.T, s *Store) []state.OpenRun {
	t.Helper()
	list, err := s.OpenRuns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func take(t *testing.T, s *Store, run int64, number string) (state.Lane, int) {
	t.Helper()
	l, doubts, err := s.TakeOver(t.Context(), run, number, second)
	if err != nil {
		t.Fatal(err)
	}
	return l, doubts
}

// TestAZombieIsFenced checks an owner that was stopped for longer than its
// limit. Once another one has taken the lane over, its intents are refused, but
// outcomes of what it sent are still recorded.
func TestAZombieIsFenced(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	run := carried(t, s, nil)
	old := run.Lanes[0]
	sent, err := s.Intend(t.Context(), old, []state.Intent{intent("+4915112345671")})
	if err != nil || sent[0].Attempt == 0 {
		t.Fatalf("%+v, %v", sent, err)
	}
	if _, _, err := s.TakeOver(t.Context(), run.ID, number, second); !errors.Is(err, state.ErrOwned) {
		t.Fatalf("a lane was taken whose owner is there: %v", err)
	}
	expire(t, s)
	lane, doubts := take(t, s, run.ID, number)
	if doubts != 1 || lane.Epoch <= old.Epoch || lane.Limit != state.LaneLimit {
		t.Errorf("%+v, %d in doubt", lane, doubts)
	}
	v, err := s.Turn(t.Context(), old, []state.Outcome{{Attempt: sent[0].Attempt, Send: state.Accepted, ID: "wamid.1", Proof: state.ProofResponse, At: noon}}, []state.Intent{intent("+4915112345672")})
	if !errors.Is(err, state.ErrFenced) || len(v) != 0 {
		t.Errorf("the old owner's turn: %+v, %v", v, err)
	}
	if tally, err := s.Tally(t.Context(), "campaign.spring", 1); err != nil || tally != (state.Tally{Accepted: 1}) {
		t.Errorf("after the old owner's answer: %+v, %v", tally, err)
	}
	if _, err := s.Turn(t.Context(), old, nil, nil); !errors.Is(err, state.ErrFenced) {
		t.Errorf("the old owner renewed its limit: %v", err)
	}
	if err := s.Finish(t.Context(), state.Run{ID: run.ID, Lanes: run.Lanes[:1]}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("the old owner closed the lane: %v", err)
	}
	if _, err := s.Intend(t.Context(), lane, []state.Intent{intent("+4915112345672")}); err != nil {
		t.Errorf("the new owner: %v", err)
	}
}

// TestATakeoverConcernsOneLane checks that a takeover leaves another lane's
// sends in flight to their owner.
func TestATakeoverConcernsOneLane(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	run := carried(t, s, nil)
	for i, lane := range run.Lanes {
		if _, err := s.Intend(t.Context(), lane, []state.Intent{intent(fmt.Sprintf("+491511234567%d", i))}); err != nil {
			t.Fatal(err)
		}
	}
	sql(t, s, "UPDATE lanes SET until = clock_timestamp() - interval '1 second' WHERE number = '"+number+"'")
	if _, doubts := take(t, s, run.ID, number); doubts != 1 {
		t.Errorf("%d in doubt", doubts)
	}
	for _, n := range []string{number, other} { // as an apply does before it begins
		if doubts, err := s.Recover(t.Context(), n); err != nil || doubts != 0 {
			t.Errorf("%s: %d in doubt, %v", n, doubts, err)
		}
	}
}

// TestTurnsBeginTheLimitAnew checks that every turn renews the limit, even an
// empty one.
func TestTurnsBeginTheLimitAnew(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	run := carried(t, s, nil)
	expire(t, s)
	if _, err := s.Turn(t.Context(), run.Lanes[0], nil, nil); err != nil {
		t.Fatal(err)
	}
	lanes := open(t, s)[0].Lanes
	if !lanes[0].Owned() || lanes[0].Left <= state.LaneLimit/2 || lanes[1].Owned() {
		t.Errorf("%+v", lanes)
	}
	if lanes[0].Owner != first {
		t.Errorf("the owner is %+v", lanes[0].Owner)
	}
}

// TestARunEndsWithItsLastLane checks that a run ends, and its plan is deleted,
// with its last lane.
func TestARunEndsWithItsLastLane(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	run := carried(t, s, func(c *state.Carried) {
		c.Hold = map[string]delivery.Reason{"campaign.spring": delivery.ReasonTemplatePaused}
		c.Plan = func(w io.Writer) error {
			_, err := io.WriteString(w, strings.Repeat("0123456789", planPart/4))
			return err
		}
	})
	var plan bytes.Buffer
	if err := s.Carried(t.Context(), run.ID, &plan); err != nil || plan.Len() != planPart/4*10 || !strings.HasPrefix(plan.String()[planPart:], "67") {
		t.Fatalf("%d bytes of the plan, %v", plan.Len(), err)
	}
	if hold := open(t, s)[0].Hold; hold["campaign.spring"] != delivery.ReasonTemplatePaused {
		t.Errorf("held are %v", hold)
	}
	spring := state.CampaignRun{Campaign: "campaign.spring", Revision: 1, Planned: 2, Accepted: 2}
	if err := s.Finish(t.Context(), state.Run{ID: run.ID, Lanes: run.Lanes[:1], Campaigns: []state.CampaignRun{spring}}); err != nil {
		t.Fatal(err)
	}
	still := open(t, s)
	if len(still) != 1 || !still[0].Lanes[0].Done || still[0].Lanes[1].Done {
		t.Fatalf("after one lane: %+v", still)
	}
	if _, err := s.Turn(t.Context(), run.Lanes[0], nil, nil); err == nil {
		t.Error("a lane that is done took a turn")
	}
	expire(t, s)
	if _, _, err := s.TakeOver(t.Context(), run.ID, number, second); !errors.Is(err, state.ErrOwned) {
		t.Errorf("a lane that is done was taken over: %v", err)
	}
	lane, _ := take(t, s, run.ID, other)
	if err := s.Finish(t.Context(), state.Run{ID: run.ID, Lanes: []state.Lane{lane}, Ended: noon.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if left := open(t, s); len(left) > 0 {
		t.Errorf("open after its last lane: %+v", left)
	}
	if err := s.Carried(t.Context(), run.ID, io.Discard); !errors.Is(err, state.ErrUnknown) {
		t.Errorf("its plan is still there: %v", err)
	}
	runs, err := s.Runs(t.Context())
	if err != nil || !runs[0].Ended.Equal(noon.Add(time.Hour)) || runs[0].Campaigns[0].Accepted != 2 || runs[0].Campaigns[1].Pending != 1 {
		t.Errorf("%+v, %v", runs, err)
	}
	if err := s.Finish(t.Context(), state.Run{ID: run.ID, Lanes: []state.Lane{lane}}); err == nil {
		t.Error("a run ended twice")
	}
}

// TestOneRunAtATime checks that while a run is driven or waits for workers, no
// other begins, and nothing of it is renamed or forgotten. A run that nobody
// drives is replaced, and its owner fenced.
func TestOneRunAtATime(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	again := func() error {
		_, err := s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: other}}, Carried: &state.Carried{Owner: second, Plan: func(io.Writer) error { return nil }}}, nil)
		return err
	}
	run := carried(t, s, nil)
	if _, err := s.Intend(t.Context(), run.Lanes[0], []state.Intent{intent("+4915112345671")}); err != nil {
		t.Fatal(err)
	}
	var driven *state.OpenRunError
	refused := func(what string, err error) {
		t.Helper()
		if !errors.As(err, &driven) || driven.Run.ID != run.ID || !strings.Contains(err.Error(), fmt.Sprintf("run stop %d", run.ID)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("another run", again())
	refused("a move", s.Move(t.Context(), "campaign.spring", "campaign.summer"))
	_, err := s.Remove(t.Context(), "campaign.spring")
	refused("a removal", err)
	expire(t, s)
	if err := s.Announce(t.Context(), state.Worker{Owner: second, Numbers: []string{other}}); err != nil {
		t.Fatal(err)
	}
	refused("another run, when a worker is about to go on", again())
	if err := s.Retire(t.Context(), second.ID); err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Turn(t.Context(), run.Lanes[0], nil, []state.Intent{intent("+4915112345672")}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("the owner of a run that was replaced: %v", err)
	}
	if list := open(t, s); len(list) != 1 || list[0].ID == run.ID {
		t.Errorf("open are %+v", list)
	}
}

// TestRunsSideBySide checks that two runs are open at a time if they share no number
// and no campaign, and that the error says what they share if they do.
func TestRunsSideBySide(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	begin := func(number, campaign string, open bool) (state.Run, error) {
		return s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{Number: number}}, Campaigns: []state.CampaignRun{{Campaign: campaign, Revision: 1, Open: open}, {Campaign: "campaign.over", Revision: 1}},
			Carried: &state.Carried{Owner: first, Plan: func(io.Writer) error { return nil }}}, nil)
	}
	one, err := begin(number, "campaign.spring", true)
	if err != nil {
		t.Fatal(err)
	}
	two, err := begin(other, "campaign.autumn", true)
	if err != nil {
		t.Fatalf("a second run: %v", err)
	}
	const third = "provider.cloud.third"
	for _, c := range []struct {
		number, campaign string
		open             bool
		shares           string
	}{{number, "campaign.winter", true, number}, {third, "campaign.autumn", true, "campaign.autumn"}, {third, "campaign.autumn", false, "campaign.autumn"}, {third, "campaign.over", true, "campaign.over"}} {
		var driven *state.OpenRunError
		if _, err := begin(c.number, c.campaign, c.open); !errors.As(err, &driven) || !slices.Contains(driven.Shares, c.shares) || !strings.Contains(err.Error(), c.shares) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, run := range []state.Run{one, two} {
		if _, err := s.Turn(t.Context(), run.Lanes[0], nil, nil); err != nil {
			t.Errorf("run %d: %v", run.ID, err)
		}
	}
	expire(t, s)
	if _, err := begin(other, "campaign.winter", true); err != nil {
		t.Fatal(err)
	}
	if list := open(t, s); len(list) != 2 || list[0].ID != one.ID || list[1].ID == two.ID {
		t.Errorf("after the second was replaced: %+v", list)
	}
	if _, err := s.Turn(t.Context(), two.Lanes[0], nil, nil); !errors.Is(err, state.ErrFenced) {
		t.Errorf("the second, which was replaced: %v", err)
	}
	// A lane that is done belongs to nobody.
	if err := s.Finish(t.Context(), state.Run{ID: one.ID, Lanes: one.Lanes, Campaigns: []state.CampaignRun{{Campaign: "campaign.spring", Revision: 1}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := begin(number, "campaign.spring", true); err != nil {
		t.Errorf("after the first: %v", err)
	}
}

// TestSoFar checks what a new owner is told about a run's campaign.
func TestSoFar(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	run := carried(t, s, nil)
	soFar := func(first, last int) state.SoFar {
		t.Helper()
		far, err := s.SoFar(t.Context(), run.ID, "campaign.spring", 1, first, last)
		if err != nil {
			t.Fatal(err)
		}
		return far
	}
	var handles []int64
	for i := range 5 {
		v, err := s.Intend(t.Context(), run.Lanes[0], []state.Intent{intent(fmt.Sprintf("+491511234567%d", i))})
		if err != nil || v[0].Attempt == 0 {
			t.Fatalf("%+v, %v", v, err)
		}
		handles = append(handles, v[0].Attempt)
	}
	if far := soFar(2, 2); far.Answers != 0 || !far.First.IsZero() || len(far.Last) > 0 {
		t.Errorf("before any answer: %+v", far)
	}
	for i, o := range []state.Outcome{{Send: state.Accepted, ID: "a", Proof: state.ProofResponse}, {Send: state.Pending, Code: "130429"}, {Send: state.Rejected, Code: "131026"}, {Send: state.Accepted, ID: "b", Proof: state.ProofResponse}} {
		o.Attempt, o.At = handles[i], noon.Add(time.Duration(i)*time.Minute)
		if err := s.Settle(t.Context(), run.Lanes[0], []state.Outcome{o}); err != nil {
			t.Fatal(err)
		}
	}
	sql(t, s, fmt.Sprintf("INSERT INTO statuses SELECT %d, 1, 1, 1, '131026', '', false, '', '', '', 0, 0, 0", handles[3]))
	expire(t, s)
	take(t, s, run.ID, number) // the fifth is in doubt
	far := soFar(2, 2)
	if far.Answers != 4 || !far.First.Equal(noon.Add(2*time.Minute)) || !slices.Equal(far.Last, []bool{true, false}) || far.Failed != 1 {
		t.Errorf("%+v", far)
	}
	if far := soFar(5, 9); !far.First.IsZero() || !slices.Equal(far.Last, []bool{false, true, false}) {
		t.Errorf("%+v", far)
	}
}

// TestADetachedRunWaits checks that a run for workers has no owner and is
// replaced by nothing, unless it is stopped.
func TestADetachedRunWaits(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	run := carried(t, s, func(c *state.Carried) { c.Detach = true })
	if r := open(t, s)[0]; !r.Detached || r.Lanes[0].Owned() || !r.Driven(nil) {
		t.Errorf("%+v", r)
	}
	if err := s.StopRun(t.Context(), run.ID, true, "ada"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.TakeOver(t.Context(), run.ID, number, second); !errors.Is(err, state.ErrOwned) {
		t.Errorf("a lane of a stopped run was taken: %v", err)
	}
	if r := open(t, s)[0]; !r.Stopped || r.Driven(nil) {
		t.Errorf("%+v", r)
	}
	if err := s.StopRun(t.Context(), run.ID, false, "ada"); err != nil {
		t.Fatal(err)
	}
	lane, _ := take(t, s, run.ID, number)
	if err := s.GiveBack(t.Context(), lane); err != nil {
		t.Fatal(err)
	}
	if r := open(t, s)[0]; r.Lanes[0].Owned() {
		t.Errorf("given back, and still owned: %+v", r)
	}
	next, _ := take(t, s, run.ID, number)
	if err := s.GiveBack(t.Context(), lane); err != nil {
		t.Fatal(err)
	}
	if r := open(t, s)[0]; !r.Lanes[0].Owned() || next.Epoch <= lane.Epoch {
		t.Errorf("an owner before gave the lane of the next one back: %+v", r)
	}
	if err := s.StopRun(t.Context(), run.ID+1, true, "ada"); !errors.Is(err, state.ErrUnknown) {
		t.Errorf("a run that is not there: %v", err)
	}
}

// TestWorkersAnnounceThemselves checks that a worker is announced for a limited
// time.
func TestWorkersAnnounceThemselves(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	w := state.Worker{Owner: second, Numbers: []string{number}, Config: "1"}
	for range 2 {
		if err := s.Announce(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.Workers(t.Context())
	if err != nil || len(list) != 1 || list[0].Owner != second || list[0].Numbers[0] != number || list[0].Config != "1" {
		t.Fatalf("%+v, %v", list, err)
	}
	sql(t, s, "UPDATE workers SET until = clock_timestamp() - interval '1 second'")
	if list, err = s.Workers(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("one that was not heard of: %+v, %v", list, err)
	}
}

// TestMigratesFormat1 checks that a state of the previous version is migrated,
// with its runs and lanes.
func TestMigratesFormat1(t *testing.T) {
	o := options(pgtest.Shared(t).URL(), pgtest.Schema())
	err := inSchema(t.Context(), o, false, func(s *Store, c *pgx.Conn, _ int) error {
		if err := step(t.Context(), c, 1, 1); err != nil {
			return err
		}
		_, err := c.Exec(t.Context(), "INSERT INTO meta (format, lineage, serial, epoch, latest, place) SELECT 1, 'x', 1, 1, 0, "+here+
			`; INSERT INTO runs VALUES (1, false, '{"ID":1}'); INSERT INTO lanes VALUES (1, '`+number+`', false, 1, 1)`, pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), o); !errors.Is(err, errOlder) {
		t.Errorf("before: %v", err)
	}
	if err := Migrate(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if list := open(t, s); len(list) > 0 {
		t.Errorf("a run of before can be carried on: %+v", list)
	}
	if _, err := s.Intend(t.Context(), state.Lane{ID: 1, Number: number, Epoch: 1, Run: 1}, []state.Intent{intent("+4915112345671")}); err != nil {
		t.Errorf("a lane of before: %v", err)
	}
}
