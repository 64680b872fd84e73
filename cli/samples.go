package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/workspace"
)

// sample is what one recipient of a campaign would get.
type sample struct {
	entry  plan.Entry
	draft  *message.Draft
	why    string
	length int // code points of all its texts
	room   int // characters that are left to the nearest limit
}

// findCampaign is the campaign that a person named, "spring" or
// "campaign.spring".
func findCampaign(cfg *lang.Config, name string) (*lang.Campaign, error) {
	var known []string
	for _, c := range cfg.Campaigns {
		if name == c.Address() || name == c.Name {
			return c, nil
		}
		known = append(known, c.Address())
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("no campaign is declared")
	}
	return nil, fmt.Errorf("there is no campaign %q; declared are %s", message.SafeText(name), strings.Join(known, ", "))
}

// render plans one campaign as if everybody's window were open and nothing had
// been sent, so that every recipient's message can be looked at. The caller
// closes the plan.
func (a *app) render(ctx context.Context, p *project, c *lang.Campaign) (*plan.Plan, error) {
	alone := *c
	alone.Window, alone.Schedule, alone.Limit, alone.OnInvalid = "assume_open", nil, nil, "skip"
	for i := range p.Config.Campaigns {
		if p.Config.Campaigns[i] == c {
			p.Config.Campaigns[i] = &alone
			defer func() { p.Config.Campaigns[i] = c }()
		}
	}
	built, diags, err := p.Plan(ctx, nil, workspace.PlanOptions{Options: plan.Options{Target: []string{c.Address()}}})
	if err != nil {
		return nil, a.failState(err, false)
	}
	if diags.HasErrors() {
		a.hclDiags(diags, p.Config.Files)
		built.Close()
		return nil, exit(exitError)
	}
	return built, nil
}

// choose picks n recipients' messages: the one nearest to a limit, the longest,
// the shortest, and then some by the seed.
func choose(pl *plan.Plan, campaign string, limits message.Limits, n int, seed uint64) ([]sample, error) {
	random := rand.New(rand.NewPCG(seed, 1))
	var nearest, longest, shortest *sample
	var some []sample
	seen := 0
	rulers := map[int]ruler{}
	for e, err := range pl.Entries() {
		if err != nil {
			return nil, err
		}
		if e.Draft < 0 || pl.Campaigns[e.Campaign].Address != campaign {
			continue
		}
		r, ok := rulers[e.Draft]
		if !ok {
			r = newRuler(pl.Drafts[e.Draft], limits)
			rulers[e.Draft] = r
		}
		s := r.measure(e)
		if nearest == nil || s.room < nearest.room {
			nearest = keep(s, "nearest to a limit")
		}
		if longest == nil || s.length > longest.length {
			longest = keep(s, "longest")
		}
		if shortest == nil || s.length < shortest.length {
			shortest = keep(s, "shortest")
		}
		if seen++; len(some) < n {
			some = append(some, *keep(s, "at random"))
		} else if k := random.IntN(seen); k < n {
			some[k] = *keep(s, "at random")
		}
	}
	var out []sample
	for _, s := range []*sample{nearest, longest, shortest} {
		if s != nil {
			out = append(out, *s)
		}
	}
	return distinct(append(out, some...), n), nil
}

// keep copies what the stream of entries reuses.
func keep(s sample, why string) *sample {
	s.why = why
	s.entry.Values = slices.Clone(s.entry.Values)
	return &s
}

// distinct are the first n samples of different recipients; one that was
// chosen for several reasons says all of them.
func distinct(list []sample, n int) []sample {
	var out []sample
	at := map[string]int{}
	for _, s := range list {
		key := s.entry.Recipient.Key()
		if i, ok := at[key]; ok {
			if s.why != "at random" {
				out[i].why += ", " + s.why
			}
			continue
		}
		if len(out) < n {
			at[key] = len(out)
			out = append(out, s)
		}
	}
	return out
}

// ruler measures the messages of one draft.
type ruler struct {
	draft *message.Draft
	max   []int // of the bound texts; 0 for no limit
}

func newRuler(d *message.Draft, limits message.Limits) ruler {
	byPath := map[string]int{}
	message.Fields(d.Message, func(f message.Field) { byPath[f.Path] = limits[f.Limit].Max })
	r := ruler{draft: d}
	for _, b := range d.Bindings {
		r.max = append(r.max, byPath[b.Path])
	}
	return r
}

func (r ruler) measure(e plan.Entry) sample {
	s := sample{entry: e, draft: r.draft, room: int(^uint(0) >> 1)}
	for i := range r.draft.Bindings {
		n := message.CodePoints(r.draft.Text(i, e.Values))
		s.length += n
		if r.max[i] > 0 {
			s.room = min(s.room, r.max[i]-n)
		}
	}
	return s
}

// one finds what a recipient would get.
func one(pl *plan.Plan, campaign, region, who string) (*sample, error) {
	key := who
	if parsed, err := audience.NewNumbers().Parse(who, region); err == nil {
		key = parsed
	}
	for e, err := range pl.Entries() {
		if err != nil {
			return nil, err
		}
		if e.Recipient.Key() != key || pl.Campaigns[e.Campaign].Address != campaign {
			continue
		}
		if e.Draft < 0 {
			return nil, fmt.Errorf("%s gets nothing of %s: %s (%s)", message.Mask(key), campaign, view.Reason(e.Reason), e.Recipient.Place)
		}
		return keep(sample{entry: e, draft: pl.Drafts[e.Draft]}, ""), nil
	}
	return nil, fmt.Errorf("%s is not in the audience of %s", message.Mask(key), campaign)
}
