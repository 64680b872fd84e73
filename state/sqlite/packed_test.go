package sqlite

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
	"github.com/handbill/handbill/state/statetest"
)

// packedWorld is a state with small blocks in which anything may happen.
type packedWorld struct {
	rt    *rapid.T
	s     *Store
	clock *testClock
	run   state.Lane
	open  []state.Verdict
	tried []state.Key
	ids   int // number of provider ids given
}

func (w *packedWorld) key() state.Key {
	return state.Key{
		Campaign:  rapid.SampledFrom([]string{"campaign.spring", "campaign.spring", "campaign.spring", "campaign.autumn"}).Draw(w.rt, "campaign"),
		Recipient: phone(rapid.IntRange(1, 12).Draw(w.rt, "who")),
		Revision:  rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(w.rt, "revision"),
	}
}

// intend writes intents for some people, in whatever state their deliveries
// are.
func (w *packedWorld) intend() {
	var in []state.Intent
	seen := map[state.Key]bool{}
	for range rapid.IntRange(1, 8).Draw(w.rt, "intents") {
		k := w.key()
		if seen[k] {
			continue
		}
		seen[k] = true
		attempt := rapid.IntRange(1, 3).Draw(w.rt, "attempt")
		in = append(in, state.Intent{Key: k, To: message.AddressOf(k.Recipient), Attempt: attempt, Message: "list_message.browse",
			Digest: [16]byte{byte(attempt), byte(len(k.Campaign))}, Ref: message.NewRef(w.s.lineage, k.Campaign, k.Recipient, k.Revision, attempt),
			Again: rapid.Bool().Draw(w.rt, "again"), Retry: rapid.Bool().Draw(w.rt, "retry")})
	}
	for _, v := range intend(w.rt, w.s, w.run, in...) {
		if v.Gate == "" {
			w.open = append(w.open, v)
		}
	}
	for _, i := range in {
		w.tried = append(w.tried, i.Key)
	}
}

// settle writes the outcomes of some open attempts.
func (w *packedWorld) settle() {
	n := rapid.IntRange(0, len(w.open)).Draw(w.rt, "outcomes")
	for _, v := range w.open[:n] {
		o := state.Outcome{Attempt: v.Attempt, Send: rapid.SampledFrom([]state.Send{state.Accepted, state.Accepted, state.Pending, state.Rejected, state.InDoubt}).Draw(w.rt, "send"), At: w.clock.now}
		switch o.Send {
		case state.Accepted:
			w.ids++
			o.ID, o.Proof = wamidOf(w.ids), state.ProofResponse
		case state.Rejected:
			o.Code = rapid.SampledFrom([]string{"131026", "131047"}).Draw(w.rt, "code")
		}
		settle(w.rt, w.s, w.run, o)
	}
	w.open = w.open[n:]
}

// change makes a change that is not part of sending.
func (w *packedWorld) change() error {
	k := w.key()
	if len(w.tried) > 0 {
		k = rapid.SampledFrom(w.tried).Draw(w.rt, "whose")
	}
	ctx := w.rt.Context()
	switch rapid.SampledFrom([]int{0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7}).Draw(w.rt, "change") {
	case 0: // the provider accepted what was refused or in doubt
		events(w.rt, w.s, status(wamidOf(1000+w.ids), message.NewRef(w.s.lineage, k.Campaign, k.Recipient, k.Revision, 1), message.RankDelivered, w.clock.now))
	case 1:
		return w.s.Resolve(ctx, k, rapid.SampledFrom([]state.Send{state.Accepted, state.Pending}).Draw(w.rt, "as"), "ada", "looked")
	case 2:
		return w.s.Erase(ctx, k.Recipient)
	case 3:
		_, err := w.s.Import(ctx, func(yield func(state.Delivery, error) bool) {
			yield(state.Delivery{Key: k, Message: "list_message.browse", ID: "imported", Settled: w.clock.now}, nil)
		})
		return err
	case 4:
		w.clock.now = w.clock.now.Add(50 * 24 * time.Hour)
		_, err := w.s.Prune(ctx, w.clock.now)
		return err
	case 5:
		_, err := w.s.Remove(ctx, k.Campaign)
		return err
	case 6:
		err := w.s.Finish(ctx, state.Run{ID: w.run.Run, Campaigns: []state.CampaignRun{{Campaign: k.Campaign, Revision: k.Revision}}})
		w.run, w.open = begin(w.rt, w.s), nil
		if err == nil {
			_, err = w.s.Recover(ctx, number)
		}
		return err
	}
	return w.s.packRevision(ctx, k.Campaign, k.Revision)
}

// indexOfRows computes Compact's result without blocks.
func indexOfRows(t statetest.T, s *Store, campaign string, revision int) *packed.Index {
	t.Helper()
	var out *packed.Index
	err := s.read(t.Context(), func(c *conn) error {
		id, err := c.addressID(campaign)
		if err != nil {
			return err
		}
		names, err := c.names()
		if err != nil {
			return err
		}
		f := packed.New(names, 0).Filler()
		err = c.looseRows(f, id, revision, gap{1, endID})
		out = f.Wait()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compare compares the packed index, which a plan reads, with the rows.
func (w *packedWorld) compare(campaign string, revision int) {
	snap, err := w.s.Snapshot(w.rt.Context())
	if err != nil {
		w.rt.Fatal(err)
	}
	got, err := snap.Compact(w.rt.Context(), campaign, revision)
	if err = errors.Join(err, snap.Close()); err != nil {
		w.rt.Fatal(err)
	}
	want := indexOfRows(w.rt, w.s, campaign, revision)
	if d := cmp.Diff(maps.Collect(want.All()), maps.Collect(got.All())); d != "" {
		w.rt.Fatalf("%s, revision %d (-rows +blocks):\n%s", campaign, revision, d)
	}
}

// Whatever happens to deliveries, the packed index and the rows agree.
func TestPackedSaysWhatTheRowsSay(t *testing.T) {
	dir, n, written, dropped := t.TempDir(), 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		s, clock := createAt(rt, filepath.Join(dir, fmt.Sprint(n)))
		unsynced(rt, s)
		s.blockSize = packed.Size{Least: 2, Most: 5}
		w := &packedWorld{rt: rt, s: s, clock: clock, run: begin(rt, s)}
		for range rapid.IntRange(5, 30).Draw(rt, "steps") {
			before := blockCount(rt, s)
			var err error
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0:
				w.intend()
			case 1:
				w.settle()
			default:
				err = w.change()
			}
			if errors.Is(err, state.ErrDamaged) {
				rt.Fatal(err)
			} // the other errors are refusals: there was nothing to change
			after := blockCount(rt, s)
			dropped += max(before-after, 0)
			if rapid.Bool().Draw(rt, "pack") {
				if err := s.packRevision(rt.Context(), "campaign.spring", 1); err != nil {
					rt.Fatal(err)
				}
				written += blockCount(rt, s) - after
			}
			w.compare("campaign.spring", 1)
		}
		// Every history writes blocks at least once, if it has enough for one,
		// and removes them with their deliveries.
		without := blockCount(rt, s)
		if err := s.packRevision(rt.Context(), "campaign.spring", 1); err != nil {
			rt.Fatal(err)
		}
		written += blockCount(rt, s) - without
		before := blockCount(rt, s)
		if _, err := s.Remove(rt.Context(), "campaign.spring"); errors.Is(err, state.ErrDamaged) {
			rt.Fatal(err)
		}
		dropped += before - blockCount(rt, s)
		w.compare("campaign.spring", 1)
		w.compare("campaign.spring", 2)
		w.compare("campaign.autumn", 1)
		if r, err := s.Verify(rt.Context()); err != nil || !r.OK() {
			rt.Fatalf("verify found %+v, %v", r.Problems, err)
		}
		if err := s.Close(); err != nil {
			rt.Fatal(err)
		}
	})
	if !testing.Short() && (written < 10 || dropped < 4) {
		t.Errorf("only %d blocks were written and %d deleted", written, dropped)
	}
}

func blockCount(t statetest.T, s *Store) int {
	t.Helper()
	n := int64(0)
	err := s.read(t.Context(), func(c *conn) (err error) {
		n, _, err = c.queryInt("SELECT count(*) FROM sheets")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// At its end a run packs all deliveries, except in campaigns with few attempts.
func TestARunEndsPacked(t *testing.T) {
	s, _ := create(t)
	s.blockSize = packed.Size{Least: 10, Most: 40}
	fill(t, s, 95, 50)
	run := begin(t, s)
	if err := s.Finish(t.Context(), state.Run{ID: run.Run, Campaigns: []state.CampaignRun{{Campaign: "campaign.spring", Revision: 1}}}); err != nil {
		t.Fatal(err)
	}
	var got []int64
	err := s.read(t.Context(), func(c *conn) (err error) {
		got, err = c.queryInts("SELECT count FROM sheets ORDER BY id")
		return err
	})
	if want := []int64{40, 40, 15}; err != nil || !slices.Equal(got, want) {
		t.Errorf("blocks of %d attempts, %v; want %d", got, err, want)
	}
	verify(t, s)
}

// Verify finds a block that differs from its rows although its checksum is
// correct.
func TestVerifyComparesBlocks(t *testing.T) {
	s, _ := create(t)
	s.blockSize = packed.Size{Least: 10, Most: 40}
	fill(t, s, 40, 40)
	if err := s.packRevision(t.Context(), "campaign.spring", 1); err != nil {
		t.Fatal(err)
	}
	verify(t, s)
	err := s.write(t.Context(), func(tx *tx) error { // simulates a bug
		sum, _, err := tx.c.queryInt("SELECT sum FROM outcomes WHERE id = 3")
		tx.count(tOutcomes, -1, -sum)
		return errors.Join(err, tx.c.exec("DELETE FROM outcomes WHERE id = 3"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Verify(t.Context()); err != nil || len(r.Problems) != 1 || r.Problems[0].Table != "sheets" {
		t.Errorf("verify found %+v, %v", r.Problems, err)
	}
}
