package view

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// ResourceList is the final report of "state list".
type ResourceList struct {
	Resources []string `json:"resources"` // addresses
}

// Text writes one address per line.
func (r *ResourceList) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	for _, address := range r.Resources {
		b.WriteString(message.SafeText(address) + "\n")
	}
	return say(w, b.String())
}

// DeliveryList is the final report of "state list ADDRESS". Its rows are read while
// it is written, since there may be millions.
type DeliveryList struct {
	Deliveries iter.Seq2[state.Delivery, error]
	Usernames  Usernames
}

// Usernames are the WhatsApp usernames of people, by each of their ids.
type Usernames map[string]string

// of returns a recipient's username, in the style's form.
func (u Usernames) of(recipient string, s Style) string {
	return s.Username(u[message.Canonical(recipient)])
}

// after returns the username with a space before it; "" for none.
func (u Usernames) after(recipient string, s Style) string {
	if name := u.of(recipient, s); name != "" {
		return "  " + name
	}
	return ""
}

// Text writes one delivery per line.
func (r *DeliveryList) Text(w io.Writer, s Style) error {
	return each(w, r.Deliveries, func(out *bufio.Writer, d *state.Delivery) error {
		_, err := fmt.Fprintf(out, "%s[%q]%s  %s%s\n", message.SafeText(d.Campaign), s.Recipient(d.Recipient), r.Usernames.after(d.Recipient, s), d.Send, s.deliveryNote(d))
		return err
	})
}

// JSON writes one document.
func (r *DeliveryList) JSON(w io.Writer, s Style) error {
	return array(w, "deliveries", r.Deliveries, func(d *state.Delivery) any {
		out := struct {
			Campaign  string `json:"campaign"`
			Recipient string `json:"recipient"`
			Username  string `json:"username,omitempty"`
			Send      string `json:"send"`
			Status    string `json:"status,omitempty"`
			Failed    string `json:"failed,omitempty"`
			Code      string `json:"code,omitempty"`
			Cause     string `json:"cause,omitempty"`
			ID        string `json:"id,omitempty"`
		}{Campaign: d.Campaign, Recipient: s.Recipient(d.Recipient), Username: r.Usernames.of(d.Recipient, s), Send: d.Send.String(), Code: d.Code, Cause: d.Cause}
		if d.Rank > message.RankNone {
			out.Status = d.Rank.String()
		}
		if d.Failed && d.Rank < message.RankDelivered {
			out.Failed = d.FailCode
		}
		if s.ShowRecipients {
			out.ID = d.ID
		}
		return out
	})
}

// each calls write for every element of list.
func each[T any](w io.Writer, list iter.Seq2[T, error], write func(*bufio.Writer, *T) error) error {
	out := bufio.NewWriter(w)
	for e, err := range list {
		if err == nil {
			err = write(out, &e)
		}
		if err != nil {
			_ = out.Flush() // what was read before the error, which is returned
			return err
		}
	}
	return out.Flush()
}

// array writes a document with one array. Its elements are what element returns,
// one per line.
func array[T any](w io.Writer, name string, list iter.Seq2[T, error], element func(*T) any) error {
	before := fmt.Sprintf("{\"format_version\":%q,%q:[\n", planFormat, name)
	err := each(w, list, func(out *bufio.Writer, e *T) error {
		data, err := encode(element(e))
		if err != nil {
			return err
		}
		out.WriteString(before)
		before = ","
		_, err = out.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	if before == "," {
		before = ""
	}
	return say(w, before+"]}\n")
}

// deliveryNote returns what else is known about a delivery, in brackets. A message
// id is shown only if recipients are: WhatsApp's ids contain the recipient's
// number, merely encoded.
func (s Style) deliveryNote(d *state.Delivery) string {
	var notes []string
	if d.Rank > message.RankNone {
		notes = append(notes, d.Rank.String())
	}
	if d.Failed && d.Rank < message.RankDelivered {
		notes = append(notes, "failed "+message.SafeText(d.FailCode))
	}
	if d.Code != "" {
		notes = append(notes, message.SafeText(d.Code))
	}
	if d.Cause != "" {
		notes = append(notes, message.SafeText(d.Cause))
	}
	if d.ID != "" && s.ShowRecipients {
		notes = append(notes, message.SafeText(d.ID))
	}
	if len(notes) == 0 {
		return ""
	}
	return "  (" + strings.Join(notes, ", ") + ")"
}

// ResourceReport is the final report of "state show": one resource as it was
// applied.
type ResourceReport struct {
	Address string     `json:"address"`
	Values  *lang.Tree `json:"values"`
}

// Text draws the resource.
func (r *ResourceReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s {\n", s.bold("# "+message.SafeText(r.Address)+":"), resourceHead(r.Address))
	t := treeText{style: s, b: &b, still: true} // nothing changes, so nothing is marked
	t.body(plan.Diff(nil, r.Values), 2)
	b.WriteString("}\n")
	return say(w, b.String())
}

// StateReport is the final report of "show" without a plan: every resource of the
// last apply. The zero value stands for a state that does not exist yet.
type StateReport struct {
	Lineage   string           `json:"lineage"`
	Serial    int64            `json:"serial"`
	Resources []ResourceReport `json:"resources"`
}

// Text draws the resources.
func (r *StateReport) Text(w io.Writer, s Style) error {
	if r.Lineage == "" {
		return say(w, "There is no state yet.\n")
	}
	for i := range r.Resources {
		if i > 0 {
			if err := say(w, "\n"); err != nil {
				return err
			}
		}
		if err := r.Resources[i].Text(w, s); err != nil {
			return err
		}
	}
	return nil
}

// VerifyReport is the final report of "state verify".
type VerifyReport struct {
	Sound    bool           `json:"sound"`
	Rows     int64          `json:"rows"`
	Problems []StateProblem `json:"problems"`
}

// StateProblem is a row that differs from what was written.
type StateProblem struct {
	Table string `json:"table"`
	Row   int64  `json:"row"`
	What  string `json:"what"`
}

// Text says that the state is sound; if it is not, Damage says so.
func (r *VerifyReport) Text(w io.Writer, _ Style) error {
	if !r.Sound {
		return nil
	}
	return say(w, fmt.Sprintf("The state is sound: %s checked.\n", Plural(int(r.Rows), "row")))
}

// Damage says what is wrong, and what to do.
func (r *VerifyReport) Damage() string {
	const shown = 10
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s rows are not what was written:\n", Count(len(r.Problems)), Count(int(r.Rows)))
	for i, p := range r.Problems {
		if i == shown {
			fmt.Fprintf(&b, "    and %d more\n", len(r.Problems)-shown)
			break
		}
		fmt.Fprintf(&b, "    %s row %d: %s\n", p.Table, p.Row, p.What)
	}
	b.WriteString("\nDo not apply with this state. Restore a backup with \"handbill state restore FILE\"; the automatic ones lie beside the state.")
	return b.String()
}

// OptOutList is the final report of "state optouts list". Its rows are read while
// it is written.
type OptOutList struct {
	OptOuts   iter.Seq2[state.OptOutEntry, error]
	Usernames Usernames
}

// Text writes one opt-out per line, and their number.
func (r *OptOutList) Text(w io.Writer, s Style) error {
	n := 0
	err := each(w, r.OptOuts, func(out *bufio.Writer, e *state.OptOutEntry) error {
		n++
		_, err := fmt.Fprintf(out, "%s%s  %s  %s  %s\n", s.Recipient(e.Recipient), r.Usernames.after(e.Recipient, s), e.At.UTC().Format(time.RFC3339), message.SafeText(e.Reason), message.SafeText(e.Evidence))
		return err
	})
	if err != nil {
		return err
	}
	return say(w, Plural(n, "opt-out")+".\n")
}

// JSON writes one document.
func (r *OptOutList) JSON(w io.Writer, s Style) error {
	return array(w, "opt_outs", r.OptOuts, func(e *state.OptOutEntry) any {
		return struct {
			Recipient string    `json:"recipient"`
			Username  string    `json:"username,omitempty"`
			At        time.Time `json:"at"`
			Reason    string    `json:"reason"`
			Evidence  string    `json:"evidence"`
		}{s.Recipient(e.Recipient), r.Usernames.of(e.Recipient, s), e.At.UTC(), e.Reason, e.Evidence}
	})
}

// CSV writes the list in the format that "state optouts import" reads, with
// recipients unmasked.
func (r *OptOutList) CSV(w io.Writer) error {
	row, flush := audience.WriteOptOuts(w)
	for e, err := range r.OptOuts {
		if err != nil {
			return err
		}
		row(audience.OptOut{Recipient: e.Recipient, Reason: e.Reason, At: e.At.UTC().Format(time.RFC3339), Evidence: e.Evidence})
	}
	return flush()
}
