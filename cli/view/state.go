package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// DeliveryNote is what is known of a delivery beside its state, in brackets.
// A message id is shown only where recipients are: WhatsApp's ids hold the
// recipient's number, merely encoded.
func (s Style) DeliveryNote(d *state.Delivery) string {
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

// ResourceText draws one resource as it is.
func ResourceText(w io.Writer, s Style, address string, tree *lang.Tree) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s {\n", s.bold("# "+message.SafeText(address)+":"), resourceHead(address))
	t := treeText{style: s, b: &b, still: true} // nothing changes, so nothing is marked
	t.body(plan.Diff(nil, tree), 2)
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
