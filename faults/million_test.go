package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// TestAMillion kills an apply on a state with many deliveries, and measures the time
// until the next one knows what was in flight, and until it sends: 50,000 of them in
// CI, and a million where HANDBILL_FAULTS is a duration. The figure is in
// docs/promises.md; no time fails the test.
func TestAMillion(t *testing.T) {
	ci, long := effort()
	if !ci {
		t.Skip("fills a state of many deliveries; make faults does it")
	}
	t.Parallel() // beside the kills, which mostly wait
	million := 50_000
	if long > 0 {
		million = 1_000_000
	}
	h := newHouse(t, 400, sandbox.Options{Seed: 15, Latency: 4 * time.Millisecond})
	began := time.Now()
	if err := h.remember(million); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(h.statePath())
	if err != nil {
		t.Fatal(err)
	}
	filled := time.Since(began)
	if out, code := h.start("HANDBILL_FP=answer-after:200").wait(t); code != -1 {
		t.Fatalf("it was not killed: %d\n%s", code, out)
	}
	open := count(h.deliveries(), state.Sending)
	before := h.network.Totals().Posts
	began = time.Now()
	r := h.start()
	for !strings.Contains(r.out.String(), "An earlier run was interrupted") && !r.ended(time.Millisecond) {
	}
	known := time.Since(began)
	h.posted(r, before+1)
	sent := time.Since(began)
	if out, code := r.wait(t); code != 0 {
		t.Errorf("apply ends with %d:\n%s", code, out)
	}
	if doubts := h.judge(); doubts != open || open > parallel {
		t.Errorf("%d in doubt, %d were open", doubts, open)
	}
	h.read(func(ctx context.Context, s *sqlite.Store) error {
		if tally, err := s.Tally(ctx, past, 1); err != nil || tally.Accepted != million {
			t.Errorf("of %d deliveries %d are there, %v", million, tally.Accepted, err)
		}
		return nil
	})
	t.Logf("a state of %d MB with %d deliveries (filled in %.0f s): after a kill, what was in flight is known after %.2f s, and the next request leaves after %.2f s",
		info.Size()/1e6, million, filled.Seconds(), known.Seconds(), sent.Seconds())
}

// past is a campaign that is no longer declared.
const past = "campaign.winter"

// remember writes n accepted deliveries of an earlier campaign, as an apply leaves
// them.
func (h *house) remember(n int) (err error) {
	ctx := context.Background()
	s, err := openStore(ctx, h.statePath(), time.Now, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	meta, err := s.Meta(ctx)
	if err != nil {
		return err
	}
	run := state.Run{Lanes: []state.Lane{{Number: "provider.sandbox.main"}}, Campaigns: []state.CampaignRun{{Campaign: past, Revision: 1, Planned: n, Accepted: n}}}
	if run, err = s.Begin(ctx, run, nil); err != nil {
		return err
	}
	const batch = 10_000
	intents, outcomes := make([]state.Intent, batch), make([]state.Outcome, batch)
	for first := 0; first < n; first += batch {
		for i := range intents {
			key := state.Key{Campaign: past, Recipient: fmt.Sprintf("+4917%08d", first+i), Revision: 1}
			intents[i] = state.Intent{Key: key, To: message.Address{Phone: key.Recipient}, Attempt: 1, Message: "text_message.hi",
				Ref: message.NewRef(meta.Lineage, past, key.Recipient, 1, 1)}
		}
		verdicts, err := s.Turn(ctx, run.Lanes[0], nil, intents)
		if err != nil {
			return err
		}
		for i, v := range verdicts {
			outcomes[i] = state.Outcome{Attempt: v.Attempt, Send: state.Accepted, Proof: state.ProofResponse,
				ID: fmt.Sprintf("wamid.HBgN%013dFQIAERgS%012dA", v.Attempt*7919, v.Attempt), At: time.Now()}
		}
		if _, err := s.Turn(ctx, run.Lanes[0], outcomes, nil); err != nil {
			return err
		}
	}
	return s.Finish(ctx, run)
}
