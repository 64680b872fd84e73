package operation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// Status is what a state knows about campaigns.
type Status struct {
	Runs        []state.Run
	Funnel      []state.FunnelRow
	Orders      []state.OrderCount
	Links       []state.LinkCount
	Halts       []state.Halt
	Findings    []state.Finding
	Notices     []state.NoticeCount // none if one campaign is asked for, since they belong to none
	Waiting     int                 // webhook bodies that are accepted and not joined yet
	Doubts      []state.Delivery    // the first few; Funnel counts them all
	Open        []RunStatus         // of a state that machines share
	Variants    []VariantRow        // of campaigns with variants
	Experiments []Experiment
	// Templates are the declared templates as they were last read, and Told what
	// webhooks reported; none if one campaign is asked for.
	Templates []state.Managed
	Told      []state.ToldTemplate
	// Unsendable is the error of state.Sendable: why nothing is sent from the
	// state.
	Unsendable error
}

// maxDoubts bounds how many doubts are listed.
const maxDoubts = 20

// ReadStatus reads the status of a campaign, or of every campaign for "". If there
// is no state yet, everything is zero. A campaign that is neither declared nor in
// the state is an error.
func ReadStatus(ctx context.Context, ws *workspace.Workspace, campaign string) (*Status, error) {
	s := &Status{}
	store, err := ws.ReadState(ctx)
	if err != nil {
		return nil, err
	}
	if store != nil {
		defer store.Close()
		if err := errors.Join(s.read(ctx, ws, store, campaign), s.readTexts(ctx, store, campaign)); err != nil {
			return nil, err
		}
	}
	return s, s.known(ws, campaign)
}

func (s *Status) read(ctx context.Context, ws *workspace.Workspace, store state.Store, campaign string) (err error) {
	if s.Runs, err = store.Runs(ctx); err != nil {
		return err
	}
	if s.Funnel, err = store.Funnel(ctx, campaign); err != nil {
		return err
	}
	if s.Orders, err = store.Orders(ctx); err != nil {
		return err
	}
	if s.Links, err = store.LinkCounts(ctx, campaign); err != nil {
		return err
	}
	if s.Halts, err = store.Halts(ctx); err != nil {
		return err
	}
	if s.Findings, err = store.Findings(ctx); err != nil {
		return err
	}
	if s.Unsendable, err = Unsendable(ctx, store, ws); err != nil {
		return err
	}
	if s.Waiting, _, err = store.Waiting(ctx); err != nil {
		return err
	}
	if campaign == "" {
		if s.Notices, err = store.NoticeCounts(ctx); err != nil {
			return err
		}
		if err := s.readTemplates(ctx, store); err != nil {
			return err
		}
	}
	if shared, ok := store.(state.Shared); ok {
		if s.Open, err = Running(ctx, shared); err != nil {
			return err
		}
	}
	for d, err := range store.InDoubt(ctx, campaign) {
		if err != nil {
			return err
		}
		if len(s.Doubts) == maxDoubts {
			break
		}
		s.Doubts = append(s.Doubts, d)
	}
	return nil
}

func (s *Status) readTemplates(ctx context.Context, store state.Store) error {
	list, err := managed(ctx, store)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Kind == "template" && list[i].Known() {
			s.Templates = append(s.Templates, list[i])
		}
	}
	if len(s.Templates) > 0 {
		s.Told, err = state.ToldTemplates(ctx, store)
	}
	return err
}

// known returns an error if the campaign is neither in the configuration nor in the
// state.
func (s *Status) known(ws *workspace.Workspace, campaign string) error {
	ran := func(r state.Run) bool {
		return slices.ContainsFunc(r.Campaigns, func(c state.CampaignRun) bool { return c.Campaign == campaign })
	}
	if campaign == "" || len(s.Funnel) > 0 || slices.ContainsFunc(s.Runs, ran) {
		return nil
	}
	var names []string
	for _, c := range ws.Config.Campaigns {
		if c.Address() == campaign {
			return nil
		}
		names = append(names, c.Address())
	}
	return fmt.Errorf("there is no %s, neither declared nor in the state; declared are: %s", message.SafeText(campaign), strings.Join(names, ", "))
}

// Unsendable is state.Sendable for callers that only read: why says why nothing is
// sent from the state, err that it could not be read.
func Unsendable(ctx context.Context, store state.Store, ws *workspace.Workspace) (why, err error) {
	err = state.Sendable(ctx, store, ws.Now())
	var halt *state.HaltError
	var clock *state.ClockError
	if errors.As(err, &halt) || errors.As(err, &clock) {
		return err, nil
	}
	return nil, err
}
