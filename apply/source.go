package apply

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// source is the stream of what some campaigns of a number have to send. Its own
// goroutine reads the plan and prepares requests, so that the next
// batch is ready when a commit ends: commits are what a lane waits for.
type source struct {
	r       *Running
	takes   []bool  // by campaign: whether its entries are part of this stream
	canary  *counts // the campaign, where it has a canary and is alone; else nil
	awaited string  // the campaign, where it is alone; it may wait for its templates
	sender  providers.Sender
	groups  chan []*job
	group   []*job // from groups, the jobs that were not taken yet
	ended   chan struct{}
	bare    atomic.Bool // what is left will not be sent and needs no request
	reader  sync.WaitGroup
	err     error // of the plan; to be read when groups is closed
}

// groupSize is how many jobs are handed over at once. readAhead is how many jobs
// are ready in addition to those that a lane has in flight.
const (
	groupSize = 32
	readAhead = maxConcurrency
)

// openSources streams the jobs of provider's number, in the plan's order. A
// campaign with a canary has a stream of its own, so that only it has to wait
// for the canary; so has one whose templates are waited for.
func openSources(r *Running, provider string) []*source {
	var out []*source
	rest := make([]bool, len(r.plan.Campaigns))
	some := false
	flush := func() {
		if some {
			out = append(out, openSource(r, provider, rest, nil))
			rest, some = make([]bool, len(r.plan.Campaigns)), false
		}
	}
	for i := range r.plan.Campaigns {
		c := &r.plan.Campaigns[i]
		switch {
		case c.Provider != provider || c.Counts.Sends() == 0:
		case c.Canary == nil && !r.opt.Await.waits(c.Address):
			rest[i], some = true, true
		default:
			flush()
			alone := make([]bool, len(r.plan.Campaigns))
			alone[i] = true
			out = append(out, openSource(r, provider, alone, r.counts[i]))
		}
	}
	flush()
	return out
}

// openSource streams the jobs of the campaigns that takes accepts, until stop. alone is
// the only one, nil if there may be several.
func openSource(r *Running, provider string, takes []bool, alone *counts) *source {
	s := &source{r: r, takes: takes, sender: r.opt.Senders[provider],
		groups: make(chan []*job, readAhead/groupSize), ended: make(chan struct{})}
	if alone != nil {
		s.awaited = alone.campaign.Address
		if alone.campaign.Canary != nil {
			s.canary = alone
		}
	}
	s.reader.Go(func() {
		defer close(s.groups)
		s.err = s.read()
	})
	return s
}

// stop ends the stream. When it returns nothing reads the plan any more.
func (s *source) stop() {
	close(s.ended)
	s.reader.Wait()
}

// next returns the next job; nil at the end.
func (s *source) next() (*job, error) {
	if len(s.group) == 0 {
		var ok bool
		if s.group, ok = <-s.groups; !ok {
			return nil, s.err
		}
	}
	j := s.group[0]
	s.group[0], s.group = nil, s.group[1:]
	return j, nil
}

func (s *source) read() error {
	p := s.r.plan
	names := newNamer(s.r)
	var group []*job
	for e, err := range p.Entries() {
		if err == nil && (e.Draft < 0 || e.Draft >= len(p.Drafts)) && e.Action.Sends() {
			err = fmt.Errorf("an entry names message %d of %d", e.Draft, len(p.Drafts))
		}
		if err != nil {
			s.pass(group)
			return fmt.Errorf("reading the plan: %w", err)
		}
		if !e.Action.Sends() || !s.takes[e.Campaign] {
			continue
		}
		j := &job{entry: e, counts: s.r.counts[e.Campaign], draft: p.Drafts[e.Draft], attempt: max(e.Attempt, 1)}
		if was, ok := j.counts.wasSent(&e); ok {
			j.was = &was
		} else if !s.bare.Load() {
			prepare(s.sender, j, names)
		}
		if group = append(group, j); len(group) < groupSize {
			continue
		}
		if !s.pass(group) {
			return nil
		}
		group = nil
	}
	s.pass(group)
	return nil
}

// pass hands a group over. It reports false when the stream was stopped.
func (s *source) pass(group []*job) bool {
	if len(group) == 0 {
		return true
	}
	select {
	case s.groups <- group:
		return true
	case <-s.ended:
		return false
	}
}

// prepare builds the request and the intent of j's next attempt, unless j has them
// already.
func prepare(sender providers.Sender, j *job, names *namer) {
	if j.prepared == j.attempt {
		return
	}
	j.prepared = j.attempt
	c, e := j.counts.campaign, &j.entry
	key := e.Recipient.Key()
	ref := names.refs.Of(c.Address, key, c.Revision, j.attempt)
	var links []state.TokenLink
	j.values, links = names.link(j)
	if j.request, j.unfit = sender.Encode(e.Recipient.Address, j.draft, j.values, ref); j.unfit != nil {
		return
	}
	address, _, _ := c.MessageOf(e.Draft)
	arm, variant := c.ChoiceOf(e.Draft)
	needsWindow := message.NeedsWindow(j.draft.Message)
	j.intent = state.Intent{
		Key: state.Key{Campaign: c.Address, Recipient: key, Revision: c.Revision}, Choice: state.Choice{Arm: arm, Variant: variant, Attributes: c.KeptOf(e)},
		To: e.Recipient.Address, Attempt: j.attempt, Ref: ref,
		Body: sha256.Sum256(j.request.Body), Message: address, Digest: e.Digest, Links: links,
		Retry: e.Action == plan.Retry,
		// The order is for one attempt, not for those after it.
		Again: e.Action == plan.Replace && j.attempt == e.Attempt, Marketing: true, NoCooldown: needsWindow || !c.Marketing(), Window: needsWindow, AssumeOpen: c.AssumeOpen,
		KnownUntil: e.WindowUntil, CapCount: c.CapCount, CapPer: c.CapPer,
	}
}
