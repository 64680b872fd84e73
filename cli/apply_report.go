package cli

import (
	"errors"
	"strings"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state/sqlite"
	"github.com/handbill/handbill/workspace"
)

// applyDelivery converts an apply event for the views.
func applyDelivery(ev apply.Event) view.Delivery {
	d := view.Delivery{Kind: string(ev.Kind), Campaign: ev.Campaign, Provider: ev.Provider, Recipient: ev.Recipient,
		Attempt: ev.Attempt, Again: ev.Again, Reason: string(ev.Reason), Until: ev.Until, Done: ev.Done, Total: ev.Total}
	if ev.Kind == apply.EventAnswered {
		d.Outcome, d.MessageID, d.Code, d.Title = ev.Answer.Class.String(), ev.Answer.ID, ev.Answer.Code, message.SafeText(ev.Answer.Title)
	}
	if ev.Halt != nil {
		d.Reason, d.Code, d.Title = string(ev.Halt.Reason), ev.Halt.Code, ev.Halt.Title
	}
	return d
}

// providerOf is the number that a campaign of the plan sends from.
func providerOf(p *plan.Plan, campaign string) string {
	for i := range p.Campaigns {
		if p.Campaigns[i].Address == campaign {
			return p.Campaigns[i].Provider
		}
	}
	return ""
}

// applyReport converts the result of a run for the views.
func applyReport(done *operation.Applied, planned *view.PlanReport) *view.ApplyReport {
	r := &view.ApplyReport{Took: done.Took, Stopped: done.Report.Stopped, Broken: done.Err != nil, Hints: planned.Hints, Outputs: outputsOf(planned.Plan)}
	if errors.Is(done.Err, sqlite.ErrMoved) {
		return r // what was sent cannot be counted
	}
	for i := range done.Report.Campaigns {
		c := &done.Report.Campaigns[i]
		v := view.AppliedCampaign{CampaignRun: c.CampaignRun, Sent: c.Sent, Refused: c.Refused, Unsent: c.Unsent, Gates: c.Gates, Provider: providerOf(planned.Plan, c.Campaign),
			Existing: c.Existing, DoubtsBefore: c.DoubtsBefore, Advice: adviceFor(c.Refused)}
		if c.Halt != nil {
			h := view.Halt{Reason: c.Halt.Reason, Code: c.Halt.Code, Title: c.Halt.Title, Advice: sentence(errors.New(c.Halt.Advice)), Since: c.Halt.Since}
			v.Halt = view.NewHalt(c.Campaign, h, c.Halt.Stays)
		}
		r.Campaigns = append(r.Campaigns, v)
	}
	return r
}

// adviceFor returns advice for causes, which begin with a provider's code.
func adviceFor(causes map[string]int) map[string]string {
	out := map[string]string{}
	for cause := range causes {
		code, _, _ := strings.Cut(cause, " ")
		if len(code) <= 3 {
			continue // perhaps an HTTP status, which means something else
		}
		if advice := workspace.Advice(code); advice != "" {
			out[cause] = sentence(errors.New(advice))
		}
	}
	return out
}

// outputsOf are the outputs that a run leaves.
func outputsOf(p *plan.Plan) []view.Output {
	var list []view.Output
	for _, o := range p.Outputs {
		if o.Change != plan.Delete {
			list = append(list, view.Output{Name: o.Name, Value: o.Value, Sensitive: o.Sensitive})
		}
	}
	return list
}
