package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// OpenRun is a run that any process can carry on, for the reports of "run" and
// "status".
type OpenRun struct {
	Run      int64         `json:"run"`
	Started  time.Time     `json:"started"`
	Open     bool          `json:"open"`
	Detached bool          `json:"detached"`
	Stopped  bool          `json:"stopped"`
	Numbers  []RunNumber   `json:"numbers"`
	Counts   []RunCampaign `json:"campaigns"`
}

// RunNumber is a sending number of a run, and who drives it.
type RunNumber struct {
	Number string `json:"number"`
	Done   bool   `json:"done"`
	// Owner is "worker" or "apply"; "" while nobody drives the number.
	Owner string    `json:"owner,omitempty"`
	Host  string    `json:"host,omitempty"`
	PID   int       `json:"pid,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// RunCampaign are the counts of a campaign of a run: planned is the sum of the
// others.
type RunCampaign struct {
	Campaign  string              `json:"campaign"`
	Revision  int                 `json:"revision"`
	Planned   int                 `json:"planned"`
	Accepted  int                 `json:"accepted"`
	Rejected  int                 `json:"rejected"`
	Cancelled int                 `json:"cancelled"`
	Held      int                 `json:"held"`
	HeldOut   int                 `json:"held_out,omitempty"` // by the campaign's experiment
	Pending   int                 `json:"pending"`
	InDoubt   int                 `json:"in_doubt"`
	InFlight  int                 `json:"in_flight"` // sent, and the answer has not come yet
	Halted    delivery.HaltReason `json:"halted,omitempty"`
}

// NewOpenRun makes the report of a run, without its campaigns.
func NewOpenRun(r *state.OpenRun, open bool) OpenRun {
	out := OpenRun{Run: r.ID, Started: r.Started.UTC(), Open: open, Detached: r.Detached, Stopped: r.Stopped, Numbers: []RunNumber{}, Counts: []RunCampaign{}}
	for i := range r.Lanes {
		l := &r.Lanes[i]
		n := RunNumber{Number: l.Number, Done: l.Done}
		if l.Owned() {
			n.Owner, n.Host, n.PID, n.Since = l.Owner.Kind, l.Owner.Host, l.Owner.PID, l.Since.UTC()
		}
		out.Numbers = append(out.Numbers, n)
	}
	return out
}

// Add adds a campaign of which some messages are in flight.
func (r *OpenRun) Add(c *state.CampaignRun, flying int) {
	r.Counts = append(r.Counts, RunCampaign{c.Campaign, c.Revision, c.Planned, c.Accepted, c.Rejected, c.Cancelled, c.Held, c.HeldOut, c.Pending, c.InDoubt, flying, c.Halted})
}

func (r *OpenRun) text(b *strings.Builder, s Style) {
	r.head(b, s)
	for i := range r.Counts {
		c := &r.Counts[i]
		run := state.CampaignRun{Planned: c.Planned, Accepted: c.Accepted, Rejected: c.Rejected, InDoubt: c.InDoubt, Held: c.Held, HeldOut: c.HeldOut, Cancelled: c.Cancelled, Pending: c.Pending}
		line := fmt.Sprintf("%s: %s planned = %s", c.Campaign, Count(c.Planned), arithmetic(&run))
		if c.InFlight > 0 {
			line += fmt.Sprintf(" + %s in flight", Count(c.InFlight))
		}
		if c.Halted != "" {
			line += ", " + s.red("halted: "+Reason(c.Halted))
		}
		fmt.Fprintf(b, "  %s\n", line)
	}
}

// head says who drives the run's numbers since when.
func (r *OpenRun) head(b *strings.Builder, s Style) {
	fmt.Fprintf(b, "%s, since %s\n", s.bold(r.name()), stamp(r.Started))
	for i := range r.Numbers {
		fmt.Fprintf(b, "  %s\n", r.number(&r.Numbers[i]))
	}
}

// name names the run, and says how it stands.
func (r *OpenRun) name() string {
	head := fmt.Sprintf("Run %d", r.Run)
	switch {
	case !r.Open:
		head += ", over"
	case r.Stopped:
		head += ", stopped"
	case r.Detached:
		head += ", left to workers"
	}
	return head
}

func (r *OpenRun) number(n *RunNumber) string {
	switch {
	case n.Done:
		return n.Number + ": done"
	case n.Owner != "":
		return fmt.Sprintf("%s: driven by %s on %s (pid %d) since %s", n.Number, n.Owner, n.Host, n.PID, stamp(n.Since))
	case r.Stopped:
		return n.Number + ": nobody drives it, since the run is stopped"
	}
	return n.Number + ": waits for a worker"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 MST") }

// RunList is the report of "run list".
type RunList struct {
	Runs []OpenRun `json:"runs"`
}

// Text lists the open runs.
func (r *RunList) Text(w io.Writer, s Style) error {
	if len(r.Runs) == 0 {
		return say(w, "No run is open.\n")
	}
	var b strings.Builder
	for i := range r.Runs {
		if i > 0 {
			b.WriteString("\n")
		}
		r.Runs[i].text(&b, s)
	}
	return say(w, b.String())
}

// RunReport is the report of the commands about one run.
type RunReport struct {
	OpenRun
	Note string `json:"-"` // what the command did, and what comes next
}

// Text shows the run, and then the note.
func (r *RunReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	r.text(&b, s)
	if r.Note != "" {
		b.WriteString("\n" + r.Note + "\n")
	}
	return say(w, b.String())
}

// Line is how far the run is, in one line.
func (r *OpenRun) Line() string {
	planned, left, doubts := 0, 0, 0
	for i := range r.Counts {
		c := &r.Counts[i]
		planned, left, doubts = planned+c.Planned, left+c.Pending, doubts+c.InDoubt
	}
	line := fmt.Sprintf("Run %d: %s of %s", r.Run, Count(planned-left), Count(planned))
	if doubts > 0 {
		line += fmt.Sprintf(", %s in doubt", Count(doubts))
	}
	return line
}

// DetachedRun is the final report of "apply -detach".
type DetachedRun struct {
	Run      int64
	Messages int
	Numbers  []string
}

// Text says what was begun, and how to see more of it.
func (r *DetachedRun) Text(w io.Writer, _ Style) error {
	return say(w, fmt.Sprintf("Run %d has begun: workers send %s through %s.\n\n    handbill run follow %d\n", r.Run, Plural(r.Messages, "message"), strings.Join(r.Numbers, ", "), r.Run))
}

// Detached writes that the run was left to workers.
func (a *ApplyStream) Detached(r *DetachedRun) {
	a.stream.write("info", "apply_detached", fmt.Sprintf("run %d has begun: workers send %s", r.Run, Plural(r.Messages, "message")),
		field{"run", r.Run}, field{"messages", r.Messages}, field{"numbers", r.Numbers})
}
