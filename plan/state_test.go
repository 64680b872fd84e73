package plan

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// TestConverges records that everything in a plan was sent, and plans again:
// nothing is left to do.
func TestConverges(t *testing.T) {
	ctx := t.Context()
	s, err := sqlite.Create(ctx, sqlite.Options{Path: filepath.Join(t.TempDir(), "handbill.state"), Clock: func() time.Time { return testAt },
		Rand: rand.NewChaCha8([32]byte{1}), Version: "0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := open(t, map[string]string{"main.hcl": small, "contacts.csv": smallContacts})
	build := func() *Plan {
		t.Helper()
		snap, err := s.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		w.in.State = snap
		p, diags := w.plan(t)
		if diags.HasErrors() {
			t.Fatal(summaries(diags))
		}
		return p
	}
	p := build()
	if p.Lineage == "" || p.Sends() != 3 || p.Empty() {
		t.Fatalf("the first plan sends %d", p.Sends())
	}
	carryOut(t, s, p)
	again := build()
	if c := again.Campaigns[0].Counts; !again.Empty() || c.Sent != 3 || again.Campaigns[0].OldText != 0 {
		t.Errorf("the second plan is not empty: %+v", c)
	}
	if again.Serial <= p.Serial {
		t.Error("the serial did not rise")
	}
}

// carryOut records that everything in p was sent and accepted.
func carryOut(t *testing.T, s *sqlite.Store, p *Plan) {
	t.Helper()
	ctx := t.Context()
	resources, err := p.StateResources()
	if err != nil {
		t.Fatal(err)
	}
	run, err := s.Begin(ctx, state.Run{Lanes: []state.Lane{{Number: p.Campaigns[0].Provider}}, Started: testAt, Version: "0.1.0", Plan: p.Digest}, resources)
	if err != nil {
		t.Fatal(err)
	}
	var intents []state.Intent
	for _, e := range collect(t, p) {
		c := &p.Campaigns[e.Campaign]
		key := e.Recipient.Key()
		intents = append(intents, state.Intent{Key: state.Key{Campaign: c.Address, Recipient: key, Revision: c.Revision}, To: e.Recipient.Address,
			Attempt: e.Attempt, Ref: message.NewRef(p.Lineage, c.Address, key, c.Revision, e.Attempt), Message: c.Message, Digest: e.Digest})
	}
	verdicts, err := s.Intend(ctx, run.Lanes[0], intents)
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []state.Outcome
	for i, v := range verdicts {
		if v.Gate != "" {
			t.Fatalf("a gate is closed: %s", v.Gate)
		}
		outcomes = append(outcomes, state.Outcome{Attempt: v.Attempt, Send: state.Accepted, ID: "wamid." + string(rune('a'+i)), Proof: state.ProofResponse, At: testAt})
	}
	if err := s.Settle(ctx, run.Lanes[0], outcomes); err != nil {
		t.Fatal(err)
	}
}
