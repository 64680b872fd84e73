package operation

import (
	"cmp"
	"context"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// Try sends the messages of a few recipients of a campaign to its testers, and to
// nobody else. The campaign's deliveries are not touched.
type Try struct {
	Campaign *lang.Campaign
	Samples  []Sample // each goes to every tester
	Lock     Lock
	// LeftOut is called for testers who get nothing, with the reason.
	LeftOut func(tester, why string)
}

// Tried is one message to one tester.
type Tried struct {
	Tester string
	Why    string // the sample was chosen
	Answer message.Answer
}

// Run sends every sample to every tester, one after the other. If it is
// interrupted, or a message can't be encoded, it returns what was sent before
// together with the *Error.
func (t *Try) Run(ctx context.Context, ws *workspace.Workspace) ([]Tried, error) {
	// The lock: two processes must never pace the same number at once.
	_, free, err := t.Lock.take(ctx, ws, "try")
	if err != nil {
		return nil, err
	}
	defer free()
	testers, err := t.willing(ctx, ws)
	if err != nil {
		return nil, err
	}
	return t.send(ctx, ws, testers)
}

// willing returns the testers who can receive messages and did not opt out.
// Opt-outs in pending webhooks count. It fails if the state is halted.
func (t *Try) willing(ctx context.Context, ws *workspace.Workspace) ([]string, error) {
	store, err := ws.PlanState(ctx, false)
	if err != nil {
		return nil, err
	}
	if store == nil {
		return t.served(), nil
	}
	defer store.Close()
	if err := state.Sendable(ctx, store, ws.Now()); err != nil {
		return nil, err
	}
	snap, err := store.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	return t.optedIn(ctx, snap, t.served())
}

// served returns the testers in countries that WhatsApp's business platform serves.
func (t *Try) served() []string {
	var left []string
	for _, tester := range t.Campaign.Testers {
		if message.Unserved(message.Address{Phone: tester}) {
			t.LeftOut(tester, "is in a country that WhatsApp's business platform does not serve")
			continue
		}
		left = append(left, tester)
	}
	return left
}

func (t *Try) optedIn(ctx context.Context, snap state.Snapshot, testers []string) ([]string, error) {
	who, out := map[string]string{}, map[string]bool{}
	for tie, err := range snap.Ties(ctx) {
		if err != nil {
			return nil, err
		}
		if !tie.Former {
			who[message.Canonical(tie.Recipient)] = message.Canonical(tie.Person)
		}
	}
	for person, err := range snap.People(ctx) {
		if err != nil {
			return nil, err
		}
		key := message.Canonical(person.Recipient)
		out[key] = out[key] || person.OptedOut
	}
	erased, err := snap.Erased(ctx)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, tester := range testers {
		key := message.Canonical(tester)
		if out[cmp.Or(who[key], key)] || erased(tester) {
			t.LeftOut(tester, "opted out or was erased")
			continue
		}
		left = append(left, tester)
	}
	return left, nil
}

// send sends to testers. References have another lineage than the state's, so that
// no event about a try is taken for one about a delivery.
func (t *Try) send(ctx context.Context, ws *workspace.Workspace, testers []string) (tried []Tried, err error) {
	c := t.Campaign
	number, err := ws.Provider(c.Provider.Address())
	if err != nil {
		return nil, &Error{"Provider not usable", err}
	}
	defer workspace.CloseProvider(number)
	sender := providers.NewSender(number)
	lineage := "try " + ws.Now().UTC().Format("20060102T150405.000000000")
	var answers delivery.Answers
	for i, sample := range t.Samples {
		if i > 0 && !rest(ctx, c.Provider.Type, number.Profile().PairSeconds.Value) {
			return tried, refuse("Interrupted", "the rest of the tries was not sent")
		}
		for _, tester := range testers {
			to := message.Address{Phone: tester}
			ref := message.NewRef(lineage, c.Address(), tester, c.Revision, i+1)
			req, err := sender.Encode(to, sample.Draft, sample.Entry.Values, ref)
			if err != nil {
				return tried, &Error{"Message not encodable", err}
			}
			answer := sender.Send(ctx, req)
			doubted, halt := answers.Doubt(to, &answer)
			if doubted {
				providers.Distrust(sender)
			}
			tried = append(tried, Tried{Tester: tester, Why: sample.Why, Answer: answer})
			if halt {
				return tried, refuse("Answers mixed up", "the answers of the provider, or of a proxy before it, belong to other messages; the rest of the tries was not sent")
			}
		}
	}
	return tried, nil
}

// rest waits as long as a provider demands between two messages to one recipient;
// the sandbox demands nothing.
func rest(ctx context.Context, provider string, seconds float64) bool {
	if provider == "sandbox" {
		return ctx.Err() == nil
	}
	return pace.Sleep(ctx, time.Duration(seconds*float64(time.Second))) == nil
}
