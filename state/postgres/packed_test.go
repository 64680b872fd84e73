package postgres

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
)

// sendTo makes an attempt at each of some people, who are accepted unless they are
// in another map.
func sendTo(t *testing.T, s *Store, lane state.Lane, from, to int, other map[int]state.Send) {
	t.Helper()
	var in []state.Intent
	for i := from; i <= to; i++ {
		in = append(in, intent(fmt.Sprintf("+49151123456%02d", i)))
	}
	verdicts, err := s.Intend(t.Context(), lane, in)
	if err != nil {
		t.Fatal(err)
	}
	var out []state.Outcome
	for i, v := range verdicts {
		o := state.Outcome{Attempt: v.Attempt, Send: state.Accepted, Proof: state.ProofResponse, At: time.Now()}
		if send, ok := other[from+i]; ok {
			if o.Send, o.Proof = send, ""; send == state.Sending {
				continue
			}
		}
		out = append(out, o)
	}
	if err := s.Settle(t.Context(), lane, out); err != nil {
		t.Fatal(err)
	}
}

// wantBlocks compares the spans of a campaign's blocks, and what they and the rows say.
func wantBlocks(t *testing.T, s *Store, people int, want ...span) {
	t.Helper()
	var got []span
	var fromRows int
	err := s.read(t.Context(), func(tx *tx) error {
		got, _ = tx.spans("campaign.spring", 1)
		tx.one("SELECT count(DISTINCT recipient) FROM attempts WHERE campaign = 'campaign.spring'", nil, &fromRows)
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("blocks %v, %v; want %v", got, err, want)
	}
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	x, err := snap.Compact(t.Context(), "campaign.spring", 1)
	if err != nil || x.Len() != people || x.Len() != fromRows {
		t.Errorf("%d people, %v; want %d, and %d in the rows", x.Len(), err, people, fromRows)
	}
	for d, err := range snap.Deliveries(t.Context(), "campaign.spring") {
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := x.Lookup(d.Recipient); !ok || got.Send != d.Send || got.Attempt != d.Attempt {
			t.Errorf("the index says %+v of attempt %d with %v", got, d.Attempt, d.Send)
		}
	}
	if r, err := s.Verify(t.Context()); err != nil || len(r.Problems) > 0 {
		t.Errorf("verify found %+v, %v", r.Problems, err)
	}
}

// TestARunEndsPacked checks that a run ends with blocks of what was sent, that no block
// has an attempt without an outcome, and that a block goes when one of its rows changes.
func TestARunEndsPacked(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	s.blocks = packed.Size{Least: 3, Most: 10}
	finish := func(l state.Lane) {
		t.Helper()
		if err := s.Finish(t.Context(), state.Run{ID: l.Run, Campaigns: []state.CampaignRun{{Campaign: "campaign.spring", Revision: 1}}}); err != nil {
			t.Fatal(err)
		}
	}
	lane := begin(t, s)
	sendTo(t, s, lane, 1, 25, map[int]state.Send{4: state.InDoubt, 13: state.Sending, 15: state.Pending})
	wantBlocks(t, s, 25)
	finish(lane)
	wantBlocks(t, s, 25, span{1, 10}, span{14, 23}) // 11 and 12, and 24 and 25, are too few

	key := intent("+4915112345604").Key // in doubt until somebody looked
	if err := s.Resolve(t.Context(), key, state.Accepted, "ada", "looked"); err != nil {
		t.Fatal(err)
	}
	wantBlocks(t, s, 25, span{14, 23})
	lane = begin(t, s)
	if _, err := s.Recover(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	again := intent("+4915112345615") // the last of several attempts counts
	again.Attempt = 2
	if v, err := s.Intend(t.Context(), lane, []state.Intent{again}); err != nil || v[0].Attempt != 26 {
		t.Fatalf("%+v, %v", v, err)
	}
	wantBlocks(t, s, 25, span{14, 23})
	finish(lane)
	wantBlocks(t, s, 25, span{1, 10}, span{11, 13}, span{14, 23})

	if err := s.Erase(t.Context(), "+4915112345620"); err != nil {
		t.Fatal(err)
	}
	wantBlocks(t, s, 25, span{1, 10}, span{11, 13})
	lane = begin(t, s)
	if _, err := s.Recover(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	finish(lane)
	wantBlocks(t, s, 25, span{1, 10}, span{11, 13}, span{14, 23}, span{24, 26})
	if _, err := s.Remove(t.Context(), "campaign.spring"); err != nil {
		t.Fatal(err)
	}
	wantBlocks(t, s, 0)
}

// TestVerifyComparesBlocks checks that a block that does not say what its rows say is
// found.
func TestVerifyComparesBlocks(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	s.blocks = packed.Size{Least: 3, Most: 10}
	sendTo(t, s, begin(t, s), 1, 5, nil)
	if err := s.packRevision(t.Context(), "campaign.spring", 1); err != nil {
		t.Fatal(err)
	}
	wantBlocks(t, s, 5, span{1, 5})
	sql(t, s, "ALTER TABLE attempts DISABLE TRIGGER USER; UPDATE attempts SET attempt = 2 WHERE id = 2")
	if r, err := s.Verify(t.Context()); err != nil || len(r.Problems) != 1 || r.Problems[0].Table != "packed" {
		t.Errorf("verify found %+v, %v", r.Problems, err)
	}
}

// TestBlocksKnowWhoHasNoNumber checks that people without a phone number are kept in
// blocks too.
func TestBlocksKnowWhoHasNoNumber(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	s.blocks = packed.Size{Least: 2, Most: 2}
	lane := begin(t, s)
	var in []state.Intent
	for _, who := range []string{"DE.111", "+4915112345601", "DE.222", "DE.333"} {
		i := intent(who)
		i.To = message.AddressOf(who)
		in = append(in, i)
	}
	verdicts, err := s.Intend(t.Context(), lane, in)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts[:3] {
		if err := s.Settle(t.Context(), lane, []state.Outcome{{Attempt: v.Attempt, Send: state.Rejected, Code: fmt.Sprint(i), At: time.Now()}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.packRevision(t.Context(), "campaign.spring", 1); err != nil {
		t.Fatal(err)
	}
	wantBlocks(t, s, 4, span{1, 2})
}

// TestLooseRowsAreFoundByTheirIDs checks that a plan of a packed campaign does not read
// its rows, though the database knows nothing of them yet.
func TestLooseRowsAreFoundByTheirIDs(t *testing.T) {
	const people = 2000
	s := create(t, pgtest.Shared(t))
	s.blocks = packed.Size{Least: 10, Most: 100}
	sql(t, s, fmt.Sprintf(`INSERT INTO attempts (campaign, revision, recipient, person, attempt, run, number, intended, message, digest, body, ref)
		SELECT 'campaign.spring', 1, '+4915' || i, '+4915' || i, 1, 1, 'n', 1, 'm', decode(repeat('00', 16), 'hex'), '\x00', '' FROM generate_series(100001, 100000 + %d) i;
		INSERT INTO outcomes SELECT id, 2, '', 1, '', '', '', '' FROM attempts WHERE id NOT IN (7, 1500)`, people))
	if err := s.packRevision(t.Context(), "campaign.spring", 1); err != nil {
		t.Fatal(err)
	}
	err := s.once(t.Context(), func(c *pgx.Conn) error {
		if err := s.begin(t.Context(), c, beginRead, idleRead); err != nil {
			return err
		}
		tx := s.newTx(t.Context(), c)
		spans, count := tx.spans("campaign.spring", 1)
		from, a := tx.outside("campaign.spring", 1, spans, count)
		var read int
		tx.one("SELECT count(*)"+from, a, &read)
		if loose := people - int(count); read != loose || loose < 2 || loose > 30 {
			t.Errorf("%d rows are read, and %d are in no block", read, loose)
		}
		return tx.err
	})
	if err != nil {
		t.Fatal(err)
	}
}
