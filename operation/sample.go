package operation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// Sample is what one recipient of a campaign would get.
type Sample struct {
	Entry plan.Entry
	Draft *message.Draft // nil for a recipient who would get nothing; Entry has the reason
	Why   string         // why it was chosen, such as "longest"; "" if it was not chosen by Choose

	length int // code points of all its texts
	room   int // characters that are left to the nearest limit
}

// FindCampaign returns the campaign that a person named, as "spring" or
// "campaign.spring".
func FindCampaign(cfg *lang.Config, name string) (*lang.Campaign, error) {
	var known []string
	name = state.Quoted(name)
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

// Render plans one campaign of a workspace as if everybody's window were open and
// nothing had been sent, so that every recipient's message can be inspected. With
// unread it asks no account about templates. The caller closes the plan, which is
// returned even if the diagnostics contain errors.
func Render(ctx context.Context, ws *workspace.Workspace, c *lang.Campaign, unread bool) (*plan.Plan, hcl.Diagnostics, error) {
	alone := *c
	alone.Window, alone.Schedule, alone.Limit, alone.OnInvalid = "assume_open", nil, nil, "skip"
	for i := range ws.Config.Campaigns {
		if ws.Config.Campaigns[i] == c {
			ws.Config.Campaigns[i] = &alone
			defer func() { ws.Config.Campaigns[i] = c }()
		}
	}
	return ws.Plan(ctx, nil, workspace.PlanOptions{Unread: unread, Options: plan.Options{Target: []string{c.Address()}}})
}

// Choose picks n recipients' messages: the one nearest to a limit, the longest, the
// shortest, and then random ones by the seed.
func Choose(pl *plan.Plan, campaign string, limits message.Limits, n int, seed uint64) ([]Sample, error) {
	random := rand.New(rand.NewPCG(seed, 1))
	var nearest, longest, shortest *Sample
	var some []Sample
	seen := 0
	rulers := map[int]ruler{}
	for e, err := range pl.Entries() {
		if err != nil {
			return nil, err
		}
		if e.Draft < 0 || e.Reason.OfTemplate() || pl.Campaigns[e.Campaign].Address != campaign {
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
	var out []Sample
	for _, s := range []*Sample{nearest, longest, shortest} {
		if s != nil {
			out = append(out, *s)
		}
	}
	return distinct(append(out, some...), n), nil
}

// keep copies a sample, because the stream of entries reuses its memory.
func keep(s Sample, why string) *Sample {
	s.Why = why
	s.Entry.Values = slices.Clone(s.Entry.Values)
	return &s
}

// distinct returns the first n samples of different recipients; a sample that was
// chosen for several reasons lists all of them.
func distinct(list []Sample, n int) []Sample {
	var out []Sample
	at := map[string]int{}
	for _, s := range list {
		key := s.Entry.Recipient.Key()
		if i, ok := at[key]; ok {
			if s.Why != "at random" {
				out[i].Why += ", " + s.Why
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

func (r ruler) measure(e plan.Entry) Sample {
	s := Sample{Entry: e, Draft: r.draft, room: int(^uint(0) >> 1)}
	for i := range r.draft.Bindings {
		n := message.CodePoints(r.draft.Text(i, e.Values))
		s.length += n
		if r.max[i] > 0 {
			s.room = min(s.room, r.max[i]-n)
		}
	}
	return s
}

// FindSample returns what a recipient, named by number or user id, would get from a
// campaign; region is the country of a number in national form.
func FindSample(pl *plan.Plan, campaign, region, who string) (*Sample, error) {
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
		found := Sample{Entry: e}
		if e.Draft >= 0 {
			found.Draft = pl.Drafts[e.Draft]
		}
		return keep(found, ""), nil
	}
	return nil, fmt.Errorf("%s is not in the audience of %s", message.Mask(key), campaign)
}
