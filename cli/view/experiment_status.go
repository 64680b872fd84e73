package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/stats"
)

// ArmShare is how many people of an arm did what an experiment is about.
type ArmShare struct {
	Name string
	stats.Share
}

// ExperimentStatus is what an experiment shows so far. Intervals have a confidence of
// 95 %, and are not made wider where there are several arms.
type ExperimentStatus struct {
	Metric string    `json:"metric"` // "delivered", "read", "replied", "clicked", "ordered"
	Within int       `json:"within_seconds"`
	Ends   time.Time `json:"ends,omitzero"` // when the metric of the last person is known
	Over   bool      `json:"over"`
	// Winner is the arm that is above every other, and above the holdout where that is
	// compared; "" where that is not decided.
	Winner  string      `json:"winner"`
	Verdict string      `json:"verdict"` // in a sentence
	Arms    []ArmStatus `json:"arms"`
	// Holdout is set where the metric is "ordered": who got no message can only order.
	Holdout *ArmStatus `json:"holdout,omitempty"`

	within time.Duration
}

// ArmStatus is what the people of an arm did. Shares are from 0 to 1.
type ArmStatus struct {
	Name   string  `json:"name"`
	People int     `json:"people"` // whom the provider accepted a message to
	Did    int     `json:"did"`
	Share  float64 `json:"share"`
	Low    float64 `json:"low"` // of Wilson's interval
	High   float64 `json:"high"`
	// ToFirst compares with the first arm, and ToHoldout with who got nothing.
	ToFirst   *Compared `json:"to_first,omitempty"`
	ToHoldout *Compared `json:"to_holdout,omitempty"`
}

// Compared is how much a share is above another.
type Compared struct {
	Difference float64 `json:"difference"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	P          float64 `json:"p"`
	// Decided says that the interval does not hold zero, and that the metric of
	// everybody is known.
	Decided bool `json:"decided"`
}

// NewExperiment makes the status of an experiment; over says that the metric of
// everybody is known.
func NewExperiment(metric string, within time.Duration, ends time.Time, over bool, arms []ArmShare, holdout stats.Share) *ExperimentStatus {
	e := &ExperimentStatus{Metric: metric, Within: int(within / time.Second), Ends: ends.UTC(), Over: over, Arms: []ArmStatus{}, within: within}
	compare := func(a, b stats.Share) *Compared {
		d := a.Minus(b)
		return &Compared{d.Value, d.Low, d.High, d.P, over && !d.HoldsZero()}
	}
	withHoldout := metric == "ordered" && holdout.Of > 0
	for i, a := range arms {
		one := armStatus(a)
		if i > 0 {
			one.ToFirst = compare(a.Share, arms[0].Share)
		}
		if withHoldout {
			one.ToHoldout = compare(a.Share, holdout)
		}
		e.Arms = append(e.Arms, one)
	}
	if withHoldout {
		one := armStatus(ArmShare{"held out", holdout})
		e.Holdout = &one
	}
	above := func(a, b stats.Share) bool { d := compare(a, b); return d.Decided && d.Difference > 0 }
	for i, a := range arms {
		best := !withHoldout || above(a.Share, holdout)
		for k, b := range arms {
			best = best && (i == k || above(a.Share, b.Share))
		}
		if best {
			e.Winner = a.Name
		}
	}
	e.Verdict = e.verdict(len(arms) == 1)
	return e
}

func armStatus(a ArmShare) ArmStatus {
	i := a.Wilson()
	return ArmStatus{Name: a.Name, People: a.Of, Did: a.Did, Share: a.Value(), Low: i.Low, High: i.High}
}

// verdict says what may be concluded. Before within is over for everybody that is
// nothing: looking at it again and again until it shows something would find a
// difference where there is none.
func (e *ExperimentStatus) verdict(alone bool) string {
	switch {
	case e.Ends.IsZero():
		return "Not decided yet: nobody was sent a message."
	case !e.Over:
		return "Not decided yet: the last people have until " + stamp(e.Ends) + "."
	case e.Winner != "" && alone:
		return "Decided: more people ordered with the message than without it."
	case e.Winner != "":
		return fmt.Sprintf("Decided: %s is above every other arm.", message.SafeText(e.Winner))
	case slices.ContainsFunc(e.Arms, func(a ArmStatus) bool {
		return a.ToFirst != nil && a.ToFirst.Decided || a.ToHoldout != nil && a.ToHoldout.Decided
	}):
		return "Decided in part: some intervals of differences do not hold zero, and no arm is above all others."
	}
	return "Not decided yet: the interval of the difference holds zero. More people would show a smaller difference."
}

// AddExperiment adds what an experiment shows to a campaign's revision.
func (r *StatusReport) AddExperiment(campaign string, revision int, e *ExperimentStatus) {
	for i := range r.Campaigns {
		if c := &r.Campaigns[i]; c.Address == campaign && c.Revision == revision {
			c.Experiment = e
		}
	}
}

// all are the arms, and the holdout where it is compared.
func (e *ExperimentStatus) all() []ArmStatus {
	if e.Holdout == nil {
		return e.Arms
	}
	return append(slices.Clone(e.Arms), *e.Holdout)
}

// share is "12.5 % (8.2 to 18.6)".
func (a *ArmStatus) share() string {
	if a.People == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %% (%.1f to %.1f)", 100*a.Share, 100*a.Low, 100*a.High)
}

// compared says how the arm differs from the first one and from the holdout.
func (a *ArmStatus) compared(first string) (out []string) {
	for _, c := range []struct {
		with string
		d    *Compared
	}{{first, a.ToFirst}, {"who was held out", a.ToHoldout}} {
		if c.d == nil {
			continue
		}
		said := "not decided yet"
		switch {
		case c.d.Decided && c.d.Difference > 0:
			said = "above"
		case c.d.Decided:
			said = "below"
		}
		out = append(out, fmt.Sprintf("%+.1f points against %s (%+.1f to %+.1f), %s: %s", 100*c.d.Difference, message.SafeText(c.with), 100*c.d.Low, 100*c.d.High, pValue(c.d.P), said))
	}
	return out
}

func pValue(p float64) string {
	if p < 0.001 {
		return "p < 0.001"
	}
	return fmt.Sprintf("p = %.3f", p)
}

// head is what the experiment is about.
func (e *ExperimentStatus) head() string {
	return "experiment: " + e.Metric + " within " + hours(e.within)
}

// text writes a table of the arms.
func (e *ExperimentStatus) text(b *strings.Builder) {
	if e == nil {
		return
	}
	width := 0
	for _, a := range e.all() {
		width = max(width, columns(message.SafeText(a.Name)))
	}
	fmt.Fprintf(b, "\n  %s\n", e.head())
	for _, a := range e.all() {
		fmt.Fprintf(b, "  %s  %8s of %s people  %s\n", pad(message.SafeText(a.Name), width), Count(a.Did), padLeft(Count(a.People), 8), a.share())
		for _, line := range a.compared(e.Arms[0].Name) {
			fmt.Fprintf(b, "  %s  %s\n", pad("", width), line)
		}
	}
	fmt.Fprintf(b, "  %s\n", e.Verdict)
}

// cell is the experiment in one cell of a table.
func (e *ExperimentStatus) cell() string {
	if e == nil {
		return ""
	}
	var out []string
	for _, a := range e.all() {
		out = append(out, fmt.Sprintf("%s %d of %d", a.Name, a.Did, a.People))
	}
	return strings.Join(out, "; ")
}

// statusExperiment is an experiment on the page of a status.
type statusExperiment struct {
	Head, Verdict string
	Arms          []statusArm
}

// statusArm is an arm with its interval as a bar, and its share as a mark in it.
type statusArm struct {
	Name, People, Did, Share string
	Compared                 []string
	X, W, At                 float64
}

func (e *ExperimentStatus) page() *statusExperiment {
	if e == nil {
		return nil
	}
	out := &statusExperiment{Head: e.head(), Verdict: e.Verdict}
	const width = 700
	for _, a := range e.all() {
		out.Arms = append(out.Arms, statusArm{Name: a.Name, People: Count(a.People), Did: Count(a.Did), Share: a.share(), Compared: a.compared(e.Arms[0].Name),
			X: round(a.Low * width), W: round((a.High - a.Low) * width), At: round(max(a.Share*width-2, 0))})
	}
	return out
}
