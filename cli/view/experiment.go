package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// heldOutNote says by what somebody is held out.
func heldOutNote(c *plan.Campaign) string {
	if c.Experiment == nil {
		return "by an earlier experiment, and remembered"
	}
	return "by the experiment: they get nothing of this campaign"
}

// percent writes a percentage, such as "45 %".
func percent(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) + " %" }

// question says what an experiment compares: "replied within 72 h".
func question(e *plan.Experiment) string { return e.Metric + " within " + hours(e.Within) }

// hours writes a length of time that somebody declared, "72 h".
func hours(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return Duration(d)
}

// detectable says what difference an experiment can show.
func detectable(e *plan.Experiment) string {
	if e.Detectable == 0 {
		return "no difference would show with a power of 80 %"
	}
	return fmt.Sprintf("the smallest difference that shows with a power of 80 %%: %.1f percentage points", e.Detectable)
}

// armTexts are what an arm sends, with the variants that send something else.
func armTexts(a *plan.Arm) string {
	out := a.Message
	if a.Fallback != "" {
		out += ", window closed: " + a.Fallback
	}
	for i := range a.Texts {
		if t := &a.Texts[i]; t.Variant != "" {
			out += "; " + t.Variant + ": " + t.Message
		}
	}
	return out
}

// experimentText shows who gets which text of an experiment, and what can be learned
// from it.
func experimentText(t treeText, e *plan.Experiment) {
	t.b.WriteString("\n")
	t.line(6, " ", "experiment  "+t.style.dim("# "+message.SafeText(question(e))+"; "+detectable(e)))
	names, weights, counts := columns("held out"), 0, 0
	for i := range e.Arms {
		a := &e.Arms[i]
		names = max(names, columns("arm "+message.SafeText(a.Name)))
		weights = max(weights, columns(percent(a.Weight)), columns(percent(e.Holdout)))
		counts = max(counts, columns(armCount(a)))
	}
	for i := range e.Arms {
		a := &e.Arms[i]
		t.line(8, " ", pad("arm "+message.SafeText(a.Name), names)+"  "+padLeft(percent(a.Weight), weights)+"  "+pad(armCount(a), counts)+"  "+t.style.dim("# "+message.SafeText(armTexts(a))))
		for _, sample := range a.Samples {
			t.line(11, "", t.style.dim(clip("  "+message.SafeText(sample.Recipient)+": "+quote(sample.Text), 110)))
		}
	}
	if e.Holdout > 0 || e.HeldOut > 0 {
		t.line(8, " ", pad("held out", names)+"  "+padLeft(percent(e.Holdout), weights)+"  "+Plural(e.HeldOut, "recipient"))
	}
}

func armCount(a *plan.Arm) string {
	return Plural(a.Recipients, "recipient") + ", " + Plural(a.Messages, "message")
}

// markdownExperiments is a table of each campaign's arms.
func (r *PlanReport) markdownExperiments(m *markdown) {
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		e := c.Experiment
		if e == nil || i == maxRows {
			continue
		}
		b := "\n| arm of " + code(c.Address) + " | weight | message | recipients | send |\n|---|--:|---|--:|--:|\n"
		for k := range e.Arms {
			a := &e.Arms[k]
			b += "| " + strings.Join([]string{code(a.Name), percent(a.Weight), code(armTexts(a)), Count(a.Recipients), Count(a.Messages)}, " | ") + " |\n"
		}
		if e.Holdout > 0 || e.HeldOut > 0 {
			b += "| held out | " + percent(e.Holdout) + " | | " + Count(e.HeldOut) + " | 0 |\n"
		}
		m.add(b + "\nDecided by: " + question(e) + "; " + detectable(e) + ".\n")
	}
}

// pageExperiment is an experiment on the page of a plan.
type pageExperiment struct {
	Arms []pageArm
	Note string
}

type pageArm struct {
	Name, Weight, Message, Fallback, Recipients, Messages string
	Texts                                                 []plan.ArmText
}

func newPageExperiment(c *plan.Campaign) *pageExperiment {
	e := c.Experiment
	if e == nil {
		return nil
	}
	out := &pageExperiment{Note: "Decided by: " + question(e) + "; " + detectable(e) + "."}
	for i := range e.Arms {
		a := &e.Arms[i]
		out.Arms = append(out.Arms, pageArm{a.Name, percent(a.Weight), a.Message, a.Fallback, Count(a.Recipients), Count(a.Messages), a.Texts[:len(a.Texts)-1]})
	}
	if e.Holdout > 0 || e.HeldOut > 0 {
		out.Arms = append(out.Arms, pageArm{Name: "held out", Weight: percent(e.Holdout), Message: "nothing", Recipients: Count(e.HeldOut), Messages: "0"})
	}
	return out
}
