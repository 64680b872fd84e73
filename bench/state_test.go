package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// openPlan reads a saved plan.
func openPlan(path string) (*plan.Plan, *plan.ConfigSnapshot, *os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, nil, err
	}
	p, snap, err := plan.Read(f, info.Size())
	return p, snap, f, err
}

// savedPlan copies a saved plan: all of it is read and all of it is written.
// Arguments: the saved plan and the copy. The result is in seconds.
func savedPlan(args []string) (any, error) {
	started := time.Now()
	p, snap, f, err := openPlan(args[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out, err := os.Create(args[1])
	if err != nil {
		return nil, err
	}
	defer out.Close()
	err = errors.Join(plan.Write(out, p, *snap), out.Sync())
	return time.Since(started).Seconds(), err
}

// fillState makes a state in which everybody of a saved plan was sent, as one
// apply would leave it. Arguments: the saved plan and the state's file.
func fillState(args []string) (any, error) {
	p, _, f, err := openPlan(args[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ctx := context.Background()
	s, err := state.Open(ctx, state.Options{Path: args[1], Clock: time.Now, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	resources, err := p.StateResources()
	if err != nil {
		return nil, err
	}
	c := &p.Campaigns[0]
	run := state.Run{Started: time.Now(), Plan: p.Digest, Campaigns: []state.CampaignRun{{Campaign: c.Address, Revision: c.Revision, Planned: c.Counts.Sends()}}}
	if run.ID, err = s.Begin(ctx, run, resources); err != nil {
		return nil, err
	}
	n, err := fill(ctx, s, p, run.ID)
	if err != nil {
		return nil, err
	}
	run.Ended, run.Campaigns[0].Accepted = time.Now(), n
	if err := s.Finish(ctx, run); err != nil {
		return nil, err
	}
	return n, s.Close()
}

func fill(ctx context.Context, s *state.Store, p *plan.Plan, run int64) (n int, err error) {
	c := &p.Campaigns[0]
	var intents []state.Intent
	flush := func() error {
		verdicts, err := s.Intend(ctx, run, intents)
		if err != nil {
			return err
		}
		outcomes := make([]state.Outcome, 0, len(verdicts))
		for _, v := range verdicts {
			if v.Attempt == 0 {
				return fmt.Errorf("gate %s", v.Gate)
			}
			n++
			outcomes = append(outcomes, state.Outcome{Attempt: v.Attempt, Send: state.Accepted, Proof: state.ProofResponse,
				ID: fmt.Sprintf("wamid.HBgN%013dFQIAERgS%012dA", v.Attempt*7919, v.Attempt), At: time.Now()})
		}
		intents = intents[:0]
		return s.Settle(ctx, run, outcomes)
	}
	for e, err := range p.Entries() {
		if err != nil {
			return n, err
		}
		if !e.Action.Sends() {
			continue
		}
		key := e.Recipient.Key()
		intents = append(intents, state.Intent{
			Key: state.Key{Campaign: c.Address, Recipient: key, Revision: c.Revision}, To: e.Recipient.Address, Attempt: 1,
			Ref: message.NewRef(p.Lineage, c.Address, key, c.Revision, 1), Message: c.Message, Digest: e.Digest,
			Marketing: true, Window: true, KnownUntil: e.WindowUntil,
		})
		if len(intents) == 2000 {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, flush()
}
