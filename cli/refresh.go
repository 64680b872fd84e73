package cli

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

func (a *app) refreshCommand() *cobra.Command {
	var in inputFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "refresh [flags] [CAMPAIGN...]", Short: "ask providers what became of messages",
		Long: `Asks the providers that can be asked (1msg) what became of every message that is
neither read nor failed, and joins the answers into the state. Where webhooks come
in through "handbill serve" it is not needed. Nothing is sent.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.refresh(cmd.Context(), &in, args, asJSON) },
	}
	in.bind(cmd.Flags())
	bindJSON(cmd, &asJSON)
	return cmd
}

// pollAge is how old a message may be that is asked about: a status may come
// 30 days after the send, and a week more by webhook. Source: Meta, messages,
// "time to live", read 2026-09-11.
const pollAge = 38 * 24 * time.Hour

// pollHands is how many questions are open at a time.
const pollHands = 8

func (a *app) refresh(ctx context.Context, in *inputFlags, campaigns []string, asJSON bool) error {
	p, err := a.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.Close()
	if !p.HasState() {
		return a.show(&view.RefreshReport{NothingSent: true}, a.style(), asJSON)
	}
	store, _, err := p.OpenState(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	r := &view.RefreshReport{}
	for _, c := range p.Config.Campaigns {
		if c.Provider == nil || len(campaigns) > 0 && !slices.Contains(campaigns, c.Address()) {
			continue
		}
		ids, err := a.unsettled(ctx, store, c.Address())
		if err != nil {
			return a.failState(err, false)
		}
		if err := a.poll(ctx, p, store, c.Provider.Address(), ids, r); err != nil {
			return a.failState(err, false)
		}
	}
	if err := a.show(r, a.style(), asJSON); err != nil {
		return err
	}
	if r.Missing > 0 {
		return a.fail("Some answers are missing", fmt.Errorf("the provider did not answer for %s. Run refresh again", view.Plural(r.Missing, "message")))
	}
	return nil
}

// unsettled are the ids of a campaign's messages that may still change.
func (a *app) unsettled(ctx context.Context, store state.Store, campaign string) (ids []string, err error) {
	snap, err := store.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	for d, err := range snap.Deliveries(ctx, campaign) {
		if err != nil {
			return nil, err
		}
		open := d.Send == state.Accepted && d.ID != "" && d.Rank < message.RankRead && !d.Failed
		if open && a.sys.Now().Sub(d.Intended) < pollAge {
			ids = append(ids, d.ID)
		}
	}
	return ids, nil
}

// poll asks about ids and joins the answers, in order, a batch at a time.
func (a *app) poll(ctx context.Context, p *project, store state.Store, address string, ids []string, r *view.RefreshReport) error {
	if len(ids) == 0 {
		return nil
	}
	made, err := p.Provider(address)
	if err != nil {
		return err
	}
	defer workspace.CloseProvider(made)
	poller, ok := made.(providers.Poller)
	if !ok || !made.Profile().Polls {
		r.Unasked = append(r.Unasked, view.Unpolled{Provider: address, Messages: len(ids)})
		return nil
	}
	for batch := range slices.Chunk(ids, 256) {
		events, bad := pollBatch(ctx, poller, batch)
		if err := store.Events(ctx, address, events); err != nil {
			return err
		}
		r.Asked, r.Missing = r.Asked+len(batch), r.Missing+bad
	}
	return nil
}

func pollBatch(ctx context.Context, poller providers.Poller, ids []string) (events []message.Event, failed int) {
	answers := make([][]message.Event, len(ids))
	errs := make([]error, len(ids))
	free := make(chan struct{}, pollHands)
	var wg sync.WaitGroup
	for i, id := range ids {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			answers[i], errs[i] = poller.Poll(ctx, id)
		})
	}
	wg.Wait()
	for i := range ids {
		if errs[i] != nil {
			failed++
		}
		events = append(events, answers[i]...)
	}
	return events, failed
}
