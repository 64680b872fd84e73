package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// tryOptions are the flags of try.
type tryOptions struct {
	in     inputFlags
	lock   lockFlags
	sample int
	seed   uint64
	json   bool
}

func (a *app) tryCommand() *cobra.Command {
	var opt tryOptions
	cmd := &cobra.Command{
		Use: "try [flags] CAMPAIGN", Short: "send a few rendered messages to the campaign's testers", Args: cobra.ExactArgs(1),
		Long: `Renders the campaign's message for a few of its recipients and sends those to the
numbers that the campaign declares as testers, and to nobody else. The
campaign's deliveries are not touched: what its recipients get is planned as if
nothing had been tried. A tester's 24-hour window must be open for anything but
a template.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.try(cmd.Context(), args[0], &opt) },
	}
	opt.in.bind(cmd.Flags())
	opt.lock.bind(cmd.Flags())
	bindJSON(cmd, &opt.json)
	cmd.Flags().IntVar(&opt.sample, "sample", 1, "how many recipients' messages every tester gets")
	cmd.Flags().Uint64Var(&opt.seed, "seed", 1, "choose the random ones by this number")
	return cmd
}

func (a *app) try(ctx context.Context, name string, opt *tryOptions) error {
	p, err := a.load(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.Close()
	c, err := findCampaign(p.Config, name)
	if err != nil {
		return a.fail("No such campaign", err)
	}
	if len(c.Testers) == 0 {
		return a.fail("No testers", fmt.Errorf("%s declares no testers, so nothing was sent. Add the numbers that may get tries, testers = [\"+49…\"]", c.Address()))
	}
	pl, err := a.render(ctx, p, c)
	if err != nil {
		return err
	}
	defer pl.Close()
	samples, err := choose(pl, c.Address(), workspace.Limits(c.Provider.Type), opt.sample, opt.seed)
	if err != nil {
		return a.fail("Contacts not readable", err)
	}
	if len(samples) == 0 {
		return a.fail("Nothing to try", fmt.Errorf("%s has no recipient who would get a message, so nothing was sent", c.Address()))
	}
	// The lock: two processes must never pace the same number at once.
	unlock, err := a.lock(ctx, &opt.lock, p, "try")
	if err != nil {
		return a.failState(err, false)
	}
	defer unlock()
	testers, err := a.willing(ctx, p, c)
	if err != nil {
		return err
	}
	return a.sendTries(ctx, p, c, testers, samples, opt.json)
}

// willing are the testers who did not opt out.
func (a *app) willing(ctx context.Context, p *project, c *lang.Campaign) ([]string, error) {
	store, err := p.ReadState(ctx)
	if err != nil {
		return nil, a.failState(err, false)
	}
	if store == nil {
		return a.served(c.Testers), nil
	}
	defer store.Close()
	snap, err := store.Snapshot(ctx)
	if err != nil {
		return nil, a.failState(err, false)
	}
	defer snap.Close()
	return a.optedIn(ctx, snap, a.served(c.Testers))
}

// served are the testers in countries that WhatsApp's business platform serves.
func (a *app) served(testers []string) []string {
	var left []string
	for _, t := range testers {
		if message.Unserved(message.Address{Phone: t}) {
			fmt.Fprintf(a.sys.Stderr, "%s is in a country that WhatsApp's business platform does not serve, and gets nothing.\n", message.Mask(t))
			continue
		}
		left = append(left, t)
	}
	return left
}

func (a *app) optedIn(ctx context.Context, snap state.Snapshot, testers []string) ([]string, error) {
	who, out := map[string]string{}, map[string]bool{}
	for tie, err := range snap.Ties(ctx) {
		if err != nil {
			return nil, a.failState(err, false)
		}
		if !tie.Former {
			who[tie.Recipient] = tie.Person
		}
	}
	for person, err := range snap.People(ctx) {
		if err != nil {
			return nil, a.failState(err, false)
		}
		out[person.Recipient] = person.OptedOut
	}
	erased, err := snap.Erased(ctx)
	if err != nil {
		return nil, a.failState(err, false)
	}
	var left []string
	for _, t := range testers {
		if out[cmp.Or(who[t], who[message.Canonical(t)], t)] || erased(t) {
			fmt.Fprintf(a.sys.Stderr, "%s opted out or was erased, and gets nothing.\n", message.Mask(t))
			continue
		}
		left = append(left, t)
	}
	return left, nil
}

// sendTries sends every sample to every tester, one after the other, and
// reports each. Their references are of another lineage than the state's, so
// that no event about a try is taken for one of a delivery.
func (a *app) sendTries(ctx context.Context, p *project, c *lang.Campaign, testers []string, samples []sample, asJSON bool) error {
	number, err := p.Provider(c.Provider.Address())
	if err != nil {
		return a.fail("Provider not usable", err)
	}
	defer workspace.CloseProvider(number)
	sender := providers.NewSender(number)
	lineage := "try " + a.sys.Now().UTC().Format("20060102T150405.000000000")
	r := &view.TryReport{Campaign: c.Address()}
	for i, smp := range samples {
		if i > 0 && !a.rest(ctx, c.Provider.Type, number.Profile().PairSeconds.Value) {
			return errors.Join(a.show(r, a.style(), asJSON), a.fail("Interrupted", fmt.Errorf("the rest of the tries was not sent")))
		}
		for _, tester := range testers {
			ref := message.NewRef(lineage, c.Address(), tester, c.Revision, i+1)
			req, err := sender.Encode(message.Address{Phone: tester}, smp.draft, smp.entry.Values, ref)
			if err != nil {
				return a.fail("Message not encodable", err)
			}
			answer := sender.Send(ctx, req)
			r.Add(tester, smp.why, &answer)
		}
	}
	if err := a.show(r, a.style(), asJSON); err != nil {
		return err
	}
	if r.Accepted < len(r.Tries) {
		return exit(exitError)
	}
	return nil
}

// rest waits as long as a provider asks for between two messages to one
// recipient; the sandbox takes them at once.
func (a *app) rest(ctx context.Context, provider string, seconds float64) bool {
	if provider == "sandbox" {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(time.Duration(seconds * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
