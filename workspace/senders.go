package workspace

import (
	"context"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// Senders are the numbers that a plan sends through.
type Senders struct {
	ByProvider map[string]providers.Sender // by address

	numbers map[string]providers.Provider
}

// Senders makes the numbers that p sends through. The caller closes them.
func (w *Workspace) Senders(p *plan.Plan) (*Senders, error) {
	out := &Senders{ByProvider: map[string]providers.Sender{}, numbers: map[string]providers.Provider{}}
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		if c.Counts.Sends() == 0 || out.ByProvider[c.Provider] != nil {
			continue
		}
		number, err := w.Provider(c.Provider)
		if err != nil {
			out.Close()
			return nil, err
		}
		out.numbers[c.Provider] = number
		out.ByProvider[c.Provider] = providers.NewSender(number)
	}
	return out, nil
}

// Close closes the numbers.
func (s *Senders) Close() {
	for _, n := range s.numbers {
		CloseProvider(n)
	}
}

// concluder is a number whose network ends with this process, so that the outcomes
// of its messages must be recorded now: the embedded sandbox.
type concluder interface {
	// Conclude lets the network's time pass and returns the events of a message; ok
	// is false if there is nothing to record.
	Conclude(messageID string) (events []message.Event, ok bool)
}

// concludeBatch is how many messages' events are recorded at once.
const concludeBatch = 500

// Conclude records the outcomes of the messages that the embedded sandbox accepted.
func (s *Senders) Conclude(ctx context.Context, store state.Store, p *plan.Plan) error {
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		number, ok := s.numbers[c.Provider].(concluder)
		if !ok {
			continue
		}
		if err := concludeCampaign(context.WithoutCancel(ctx), store, number, c); err != nil {
			return err
		}
	}
	return nil
}

func concludeCampaign(ctx context.Context, store state.Store, number concluder, c *plan.Campaign) error {
	snap, err := store.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	var events []message.Event
	messages := 0
	for d, err := range snap.Deliveries(ctx, c.Address) {
		if err != nil {
			return err
		}
		if d.Send != state.Accepted || d.Rank > message.RankNone || d.Failed {
			continue
		}
		found, ok := number.Conclude(d.ID)
		if !ok {
			continue
		}
		events = append(events, found...)
		if messages++; messages%concludeBatch == 0 {
			if err := store.Events(ctx, c.Provider, events); err != nil {
				return err
			}
			events = events[:0]
		}
	}
	if len(events) == 0 {
		return nil
	}
	return store.Events(ctx, c.Provider, events)
}
