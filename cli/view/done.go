package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/handbill/handbill/message"
)

// The reports of commands that change something: they say what was changed.

// Done is the report of a command that did one thing: a sentence for people,
// and one fact for programs.
type Done struct {
	text  string
	name  string // of the fact
	value any
}

// Text writes the sentence.
func (r *Done) Text(w io.Writer, _ Style) error { return say(w, r.text) }

// JSON writes the fact under its name.
func (r *Done) JSON(w io.Writer, _ Style) error {
	fact, err := encode(r.value)
	if err != nil {
		return err
	}
	return say(w, fmt.Sprintf("{\"format_version\":%q,%q:%s}\n", planFormat, r.name, strings.TrimSuffix(string(fact), "\n")))
}

// BackedUp is the final report of "state backup".
func BackedUp(file string) *Done {
	return &Done{fmt.Sprintf("Backed the state up to %s.\n", message.SafeText(file)), "file", file}
}

// Exported is the final report of "state export".
func Exported(file string) *Done {
	return &Done{fmt.Sprintf("Exported the state to %s. It holds numbers and names as they are.\n", message.SafeText(file)), "file", file}
}

// GivenBack is the final report of "state giveback".
func GivenBack(people int) *Done {
	return &Done{fmt.Sprintf("Reply rules answer %s again.\n", Plural(people, "person")), "people", people}
}

// Pruned is the final report of "state prune".
func Pruned(rows int) *Done {
	return &Done{fmt.Sprintf("Pruned %s.\n", Plural(rows, "row")), "rows", rows}
}

// Unlocked is the final report of "state unlock".
func Unlocked() *Done { return &Done{"The state is unlocked.\n", "unlocked", true} }

// OptOutsChanged is the final report of the commands that change opt-outs.
func OptOutsChanged(recipients int) *Done {
	return &Done{fmt.Sprintf("%s changed.\n", Plural(recipients, "recipient")), "recipients", recipients}
}

// InitReport is the final report of "init".
type InitReport struct {
	Wrote   []string `json:"wrote"` // files of the starter
	State   string   `json:"state"` // its path
	Created bool     `json:"created"`
	Hints   bool     `json:"-"` // what to type next
}

// Text says what was written and made.
func (r *InitReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	if len(r.Wrote) > 0 {
		fmt.Fprintf(&b, "Wrote a campaign to start from: %s.\n", strings.Join(r.Wrote, ", "))
	}
	what := "is ready"
	if r.Created {
		what = "was made"
	}
	fmt.Fprintf(&b, "The state %s %s.\n\n%s handbill is ready.\n", r.State, what, s.bold(s.green("Done!")))
	if r.Hints {
		b.WriteString("\nSee what would be sent with \"handbill plan\", and send it with \"handbill apply\".\n")
	}
	return say(w, b.String())
}

// CopyReport is the final report of "init -from-module".
type CopyReport struct {
	From  string   `json:"from"`
	Wrote []string `json:"wrote"` // names, with slashes
}

// Text says what was copied.
func (r *CopyReport) Text(w io.Writer, _ Style) error {
	return say(w, fmt.Sprintf("Copied %s from %s: %s.\n", Plural(len(r.Wrote), "file"), message.SafeText(r.From), strings.Join(r.Wrote, ", ")))
}

// RefreshReport is the final report of "refresh".
type RefreshReport struct {
	NothingSent bool       `json:"-"`
	Asked       int        `json:"asked"`   // messages
	Missing     int        `json:"missing"` // of them those without an answer
	Unasked     []Unpolled `json:"unasked"`
	// Limits are the messaging limits that providers reported.
	Limits []RefreshedLimit `json:"limits"`
}

// RefreshedLimit says how many people a number may write to in 24 hours outside
// their windows.
type RefreshedLimit struct {
	Provider  string `json:"provider"`
	People    int    `json:"people"`              // -1 for no limit, 0 if it is not reported
	Portfolio string `json:"portfolio,omitempty"` // the portfolio whose numbers share the limit
	Problem   string `json:"problem,omitempty"`   // why it is not known
}

func (l *RefreshedLimit) text() string {
	shared := ""
	if l.Portfolio != "" {
		shared = ", together with all numbers of business portfolio " + message.SafeText(l.Portfolio)
	}
	switch {
	case l.Problem != "":
		return "its messaging limit could not be read: " + l.Problem
	case l.People < 0:
		return "no messaging limit" + shared
	case l.People == 0:
		return "its messaging limit is not told; it is shared" + shared[1:]
	}
	return "may start conversations with " + Count(l.People) + " people in 24 hours" + shared
}

// Unpolled is a number whose provider cannot be asked for statuses.
type Unpolled struct {
	Provider string `json:"provider"`
	Messages int    `json:"messages"`
}

// Text says how many messages were asked about.
func (r *RefreshReport) Text(w io.Writer, _ Style) error {
	if r.NothingSent {
		return say(w, "Nothing was sent yet, so there is nothing to ask about.\n")
	}
	var b strings.Builder
	for _, u := range r.Unasked {
		fmt.Fprintf(&b, "%s cannot be asked: %s will be told by webhook only.\n", u.Provider, Plural(u.Messages, "outcome"))
	}
	fmt.Fprintf(&b, "Asked about %s.\n", Plural(r.Asked, "message"))
	for i := range r.Limits {
		fmt.Fprintf(&b, "%s: %s.\n", r.Limits[i].Provider, r.Limits[i].text())
	}
	return say(w, b.String())
}

// ResolveReport is the final report of "resolve".
type ResolveReport struct {
	As       string             `json:"as"` // "sent" or "not-sent"
	Resolved []ResolvedCampaign `json:"resolved"`
}

// ResolvedCampaign is how many messages of a campaign were settled.
type ResolvedCampaign struct {
	Campaign string `json:"campaign"`
	Messages int    `json:"messages"`
	// Told counts those that the provider's own report settled before the person
	// did.
	Told int `json:"told,omitempty"`
}

// Text writes one line per campaign.
func (r *ResolveReport) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	for _, c := range r.Resolved {
		fmt.Fprintf(&b, "%s: %s settled as %s.\n", message.SafeText(c.Campaign), Plural(c.Messages, "message"), r.As)
		if c.Told > 0 {
			fmt.Fprintf(&b, "    %s settled meanwhile by what the provider told; see \"handbill status\".\n", Plural(c.Told, "message"))
		}
	}
	return say(w, b.String())
}

// AcknowledgeReport is the final report of "state acknowledge".
type AcknowledgeReport struct {
	Acknowledged bool `json:"acknowledged"`    // false if there was nothing to acknowledge
	Clock        bool `json:"clock,omitempty"` // that a clock was ahead
}

// Text says whether something was acknowledged.
func (r *AcknowledgeReport) Text(w io.Writer, _ Style) error {
	if r.Clock {
		if err := say(w, "Acknowledged: later times than now in the state are of a clock that was ahead. They stay as they are, for caps and windows too.\n"); err != nil || !r.Acknowledged {
			return err
		}
	}
	if !r.Acknowledged {
		return say(w, "The state was neither restored nor rolled back: there is nothing to acknowledge.\n")
	}
	return say(w, "Acknowledged. Apply sends from this state again.\n")
}

// EraseReport is the final report of "state erase".
type EraseReport struct {
	People int      `json:"people"`
	Copies []string `json:"copies"` // backups that still hold them
}

// Text says how many people were erased, and which files still hold them.
func (r *EraseReport) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Erased %s.\n", Plural(r.People, "person"))
	if len(r.Copies) > 0 {
		b.WriteString("Backups made before still hold them; delete:\n")
	}
	for _, c := range r.Copies {
		fmt.Fprintf(&b, "    %s\n", message.SafeText(c))
	}
	return say(w, b.String())
}

// MoveReport is the final report of "state mv".
type MoveReport struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Text names both addresses.
func (r *MoveReport) Text(w io.Writer, _ Style) error {
	return say(w, fmt.Sprintf("Moved %s to %s.\n", message.SafeText(r.From), message.SafeText(r.To)))
}

// RestoreReport is the final report of "state restore".
type RestoreReport struct {
	Backup       string `json:"backup"`
	Acknowledged bool   `json:"acknowledged"`
}

// Text says what was restored, and what still has to be done.
func (r *RestoreReport) Text(w io.Writer, _ Style) error {
	text := fmt.Sprintf("Restored the state from %s.\n", message.SafeText(r.Backup))
	if !r.Acknowledged {
		text += "What was sent after that backup is unknown to this state, so apply refuses it until you have looked:\n" +
			"import what is missing (\"handbill import\"), then say why going on is right (\"handbill state acknowledge -why=…\").\n"
	}
	return say(w, text)
}

// RemoveReport is the final report of "state rm".
type RemoveReport struct {
	Removed []RemovedResource `json:"removed"`
}

// RemovedResource is a resource that was removed from the state with its
// deliveries.
type RemovedResource struct {
	Address    string `json:"address"`
	Deliveries int    `json:"deliveries"`
}

// Text writes one line per resource.
func (r *RemoveReport) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	for _, one := range r.Removed {
		fmt.Fprintf(&b, "Removed %s and %s.\n", message.SafeText(one.Address), deliveries(one.Deliveries))
	}
	return say(w, b.String())
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return Count(n) + " deliveries"
}

// ImportReport is the final report of "import".
type ImportReport struct {
	Campaign string        `json:"campaign"`
	Revision int           `json:"revision"`
	DryRun   bool          `json:"dry_run"`
	Columns  ImportColumns `json:"columns"`
	Notes    []string      `json:"notes"` // how the file was read
	Rows     int           `json:"rows"`
	// How many rows were imported, known before, repeated in the file, of erased
	// people, or not readable.
	Imported int      `json:"imported"`
	Known    int      `json:"known"`
	Repeated int      `json:"repeated"`
	Erased   int      `json:"erased"`
	Invalid  int      `json:"invalid"`
	Reasons  []string `json:"reasons"` // of the first invalid rows
}

// ImportColumns are the columns that an import read; "" for none.
type ImportColumns struct {
	Recipient string `json:"recipient"`
	ID        string `json:"id"`
	Time      string `json:"time"`
}

// Text says what was done or, with -dry-run, what would be done.
func (r *ImportReport) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	column := func(name, otherwise string) string {
		if name == "" {
			return otherwise
		}
		return fmt.Sprintf("%q", message.SafeText(name))
	}
	fmt.Fprintf(&b, "Read %s: recipient from %s, message id from %s, time from %s.\n", Plural(r.Rows, "row"),
		column(r.Columns.Recipient, ""), column(r.Columns.ID, "nowhere"), column(r.Columns.Time, "nowhere (taken as now)"))
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "  %s\n", message.SafeText(n))
	}
	head := "Taken over"
	if r.DryRun {
		head = "Would be taken over"
	}
	fmt.Fprintf(&b, "%s: %s of %s, revision %d.\n", head, deliveries(r.Imported), r.Campaign, r.Revision)
	for _, line := range []struct {
		n    int
		what string
	}{{r.Known, "known already"}, {r.Repeated, "twice in the file"}, {r.Erased, "of people who were erased, left out"}, {r.Invalid, "not readable, left out"}} {
		if line.n > 0 {
			fmt.Fprintf(&b, "  %s %s\n", Plural(line.n, "row"), line.what)
		}
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(&b, "    %s\n", reason)
	}
	if r.DryRun {
		b.WriteString("Nothing was changed.\n")
	}
	return say(w, b.String())
}

// MigrateReport is the final report of "state migrate".
type MigrateReport struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Attempts int    `json:"attempts"` // at deliveries
	People   int    `json:"people"`   // of whom something is known
	Erased   int    `json:"erased"`   // ids that are never sent to again
	Runs     int    `json:"runs"`
	Events   int    `json:"events"` // what people wrote, and webhooks that wait
}

// Text says what was moved and what to do now.
func (r *MigrateReport) Text(w io.Writer, _ Style) error {
	return say(w, fmt.Sprintf("Moved the state from %s to %s: %s, %s, %s, %s, %s.\n", message.SafeText(r.From), message.SafeText(r.To), Plural(r.Attempts, "attempt"), Plural(r.People, "person"),
		Plural(r.Erased, "erased id"), Plural(r.Runs, "run"), Plural(r.Events, "event"))+
		"The old one is sealed: nothing is sent from it any more. Name the new place in the configuration, handbill { state … }, before the next command.\n")
}
