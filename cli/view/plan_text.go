package view

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// PlanReport is the final report of "handbill plan" and "handbill show PLANFILE".
type PlanReport struct {
	Plan        *plan.Plan
	Diagnostics []Diagnostic
	// Failed says that the plan can't be applied, because the diagnostics contain
	// errors.
	Failed bool
	// Deliveries lists every send instead of only the counts.
	Deliveries bool
	// Requests returns the request of an entry for the JSON list of deliveries; nil
	// leaves requests out.
	Requests func(*plan.Entry) (path string, body []byte, err error)
	// SavedAs is the plan file that was written; "" for none.
	SavedAs string
	// ApplyCommand is the command that applies the saved plan.
	ApplyCommand string
	// Hints says what to type next. It is not set in pipelines.
	Hints bool
}

// Changes reports whether applying the plan would do anything.
func (r *PlanReport) Changes() bool {
	return !r.Plan.Empty()
}

// Sends is how many messages applying the plan would send.
func (r *PlanReport) Sends() int {
	return r.Plan.Sends()
}

// Text writes the plan for people.
func (r *PlanReport) Text(w io.Writer, s Style) error {
	var head, end strings.Builder
	if r.text(&head, s) {
		r.summary(&end, s)
	}
	if _, err := io.WriteString(w, inertText(head.String())); err != nil {
		return err
	}
	if r.Deliveries {
		if err := r.deliveriesText(w, s, end.Len() > 0); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, inertText(end.String()))
	return err
}

// text writes what changes, and reports whether a summary must follow.
func (r *PlanReport) text(b *strings.Builder, s Style) bool {
	switch {
	case r.Failed && !r.Changes():
		b.WriteString("Planning failed.\n")
		return false
	case !r.Changes():
		r.nothing(b, s)
		return false
	case r.Failed:
		b.WriteString("Planning failed. Without the errors below, handbill would perform the following\nactions:\n\n")
	default:
		b.WriteString("handbill will perform the following actions:\n\n")
	}
	for _, c := range r.Plan.Resources {
		if c.Type != "campaign" && c.Change != "no-op" {
			resourceText(b, s, &c)
		}
	}
	catalogsText(b, s, r.Plan)
	managedText(b, s, r.Plan)
	driftText(b, s, r.Plan)
	for i := range r.Plan.Campaigns {
		campaignText(b, s, r.Plan, &r.Plan.Campaigns[i])
	}
	r.gone(b, s)
	return true
}

// nothing writes that the plan changes nothing, and why.
func (r *PlanReport) nothing(b *strings.Builder, s Style) {
	b.WriteString(s.bold(s.green("No changes.")) + s.bold(" Nothing is left to send.") + "\n")
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		fmt.Fprintf(b, "\n  %s: %s", message.SafeText(c.Address), Plural(c.Recipients, "recipient"))
		for _, l := range settledLines(c) {
			fmt.Fprintf(b, ", %s %s", Count(l.count), l.name)
			if l.note != "" {
				fmt.Fprintf(b, " (%s)", l.note)
			}
		}
		b.WriteString("\n")
	}
	if len(r.Plan.Drift) > 0 {
		b.WriteString("\n")
		driftText(b, s, r.Plan)
	}
	r.checks(b, s)
}

// resourceText writes one resource that is not a campaign.
func resourceText(b *strings.Builder, s Style, c *plan.ResourceChange) {
	verb := map[string]string{"create": "created", "update": "updated", "delete": "removed", "move": "moved", "import": "imported", "forget": "forgotten", "archive": "archived"}[c.Change]
	switch {
	case c.Type == "template" && c.Change == "update" && !c.Local:
		verb = "updated in place, and reviewed again"
	case c.Type == "template" && c.Change == "delete":
		verb = "deleted in the account"
	}
	fmt.Fprintf(b, "  %s\n", s.bold("# "+message.SafeText(c.Address)+" will be "+verb))
	for _, note := range c.Notes {
		fmt.Fprintf(b, "  %s\n", s.bold("# ("+message.SafeText(note)+")"))
	}
	if c.From != "" && c.From != c.Address {
		fmt.Fprintf(b, "  %s\n", s.bold("# (moved from "+message.SafeText(c.From)+")"))
	}
	if c.Removed {
		fmt.Fprintf(b, "  %s\n", s.bold("# (as its removed block says)"))
	}
	t := treeText{style: s, b: b}
	t.contacts = contactsOf(c)
	if c.Change == plan.Import || c.Change == plan.Forget || c.Change == plan.Archive {
		t.line(2, s.mark(c.Change), resourceHead(c.Address)+" {}")
		b.WriteString("\n")
		return
	}
	t.resource(resourceHead(c.Address), c.Change, plan.Diff(c.Before, c.After))
	b.WriteString("\n")
}

// contactsOf returns how many contacts an audience's block lists.
func contactsOf(c *plan.ResourceChange) int {
	switch {
	case c.After != nil:
		return c.After.Contacts
	case c.Before != nil:
		return c.Before.Contacts
	}
	return 0
}

// addressKey matches a key in an address, which may stand before a translation.
var addressKey = regexp.MustCompile(`\["(?:[^"\\]|\\.)*"\]`)

// resourceHead is `list_message "browse"` for list_message.browse, and also for
// list_message.browse["de"] and in a module: the source has only one block.
func resourceHead(address string) string {
	_, address = message.CutModule(address)
	if base, key, ok := state.SplitAddress(address); ok && message.AddressType(address) == "catalog" && strings.HasSuffix(base, ".products") {
		return "product " + quote(key)
	}
	parts := strings.Split(addressKey.ReplaceAllString(address, ""), ".")
	for i := 1; i < len(parts); i++ {
		parts[i] = quote(parts[i])
	}
	return message.SafeText(strings.Join(parts, " "))
}

// gone writes the campaigns that are no longer in the configuration.
func (r *PlanReport) gone(b *strings.Builder, s Style) {
	planned := map[string]bool{}
	for i := range r.Plan.Campaigns {
		planned[r.Plan.Campaigns[i].Address] = true
	}
	for _, c := range r.Plan.Resources {
		if c.Type == "campaign" && c.Change == "delete" && !planned[c.Address] {
			why := "# (its history stays in the state; what it had not sent will not be sent)"
			if c.Removed {
				why = "# (as its removed block says; its history stays in the state, and what it had not sent will not be sent)"
			}
			fmt.Fprintf(b, "  %s\n  %s\n", s.bold("# "+message.SafeText(c.Address)+" will be removed"), s.bold(why))
			t := treeText{style: s, b: b}
			t.line(2, s.mark("delete"), resourceHead(c.Address)+" {}")
			b.WriteString("\n")
		}
	}
}

// Summary is the verdict in one line.
func (r *PlanReport) Summary() string {
	count := map[string]int{}
	for _, c := range r.Plan.Resources {
		count[c.Change]++
	}
	for i := range r.Plan.Catalogs {
		for k := range r.Plan.Catalogs[i].Products {
			count[r.Plan.Catalogs[i].Products[k].Change]++
		}
	}
	out := fmt.Sprintf("%d to add, %d to change, %d to remove", count["create"], count["update"]+count["move"], count["delete"])
	if n := count[plan.Import]; n > 0 {
		out = fmt.Sprintf("%d to import, ", n) + out
	}
	if n := count[plan.Archive]; n > 0 {
		out += fmt.Sprintf(", %d to archive", n)
	}
	if n := count[plan.Forget]; n > 0 {
		out += fmt.Sprintf(", %d to forget", n)
	}
	if n := len(r.Plan.Drift); n > 0 {
		out += fmt.Sprintf("; %d changed outside", n)
	}
	out += ". " + Plural(r.Sends(), "message") + " to send"
	if n := r.afterApproval(); n > 0 && n == r.Sends() {
		out += " after approval"
	} else if n > 0 {
		out += fmt.Sprintf(", %s of them after approval", Count(n))
	}
	out += notDue(r.notDue(), r.Sends())
	if n := r.heldOut(); n > 0 {
		out += fmt.Sprintf(", %s to hold out", Count(n))
	}
	return out + "."
}

// heldOut is how many recipients applying the plan would record as held out.
func (r *PlanReport) heldOut() int {
	n := 0
	for i := range r.Plan.Campaigns {
		n += r.Plan.Campaigns[i].NewlyHeldOut()
	}
	return n
}

// TemplateWrites returns how many translations applying the plan would create or
// edit.
func (r *PlanReport) TemplateWrites() int {
	n := 0
	for _, c := range r.Plan.Resources {
		if c.Type == "template" && (c.Change == plan.Create || c.Change == plan.Update && !c.Local) {
			n++
		}
	}
	return n
}

// SingletonWrites returns how many objects of numbers and accounts applying the plan
// would change.
func (r *PlanReport) SingletonWrites() int {
	n := 0
	for i := range r.Plan.Singletons {
		if r.Plan.Singletons[i].Change == plan.Update {
			n++
		}
	}
	return n
}

// TemplateDeletions returns the names of the templates that applying the plan would
// delete or archive in their accounts, sorted.
func (r *PlanReport) TemplateDeletions() []string {
	var out []string
	for i := range r.Plan.Templates {
		if c := &r.Plan.Templates[i]; c.Change == plan.Delete || c.Change == plan.Archive {
			out = append(out, c.Spec.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// afterApproval returns how many messages wait until a template is approved.
func (r *PlanReport) afterApproval() int {
	n := 0
	for i := range r.Plan.Campaigns {
		if c := &r.Plan.Campaigns[i]; len(c.AfterApproval) > 0 && !c.Halted() {
			n += c.Counts.Sends()
		}
	}
	return n
}

// notDue is how many of the messages this plan does not send, since it found them not due.
func (r *PlanReport) notDue() int {
	n := 0
	for i := range r.Plan.Campaigns {
		if c := &r.Plan.Campaigns[i]; !c.Halted() {
			n += c.Counts.Defer[delivery.ReasonNotDue]
		}
	}
	return n
}

func (r *PlanReport) summary(b *strings.Builder, s Style) {
	fmt.Fprintf(b, "%s %s\n", s.bold("Plan:"), r.Summary())
	r.checks(b, s)
	if len(r.Plan.Outputs) > 0 {
		b.WriteString("\nOutputs:\n")
		for _, o := range r.Plan.Outputs {
			fmt.Fprintf(b, "  %s %s = %s\n", s.mark(o.Change), message.SafeText(o.Name), outputValue(&o))
		}
	}
	fmt.Fprintf(b, "\nDigest: %s\nConfiguration: %s\n", message.SafeText(r.Plan.Digest), message.SafeText(r.Plan.Config))
	switch {
	case r.Failed || !r.Hints:
	case r.SavedAs != "":
		fmt.Fprintf(b, "\nSaved the plan to: %s\n\nTo send exactly this, run:\n    %s\n", message.SafeText(r.SavedAs), message.SafeText(r.ApplyCommand))
	default:
		b.WriteString("\nNothing was sent. To send this, run \"handbill apply\"; to send exactly this even if\nfiles change, save the plan with -out=FILE and apply the file.\n")
	}
	if r.Hints && !r.Failed && r.notDue() > 0 {
		b.WriteString("\nWho is not due yet is for a later plan: apply again then, or let\n\"handbill apply -watch=15m\" do so.\n")
	}
}

// outputValue returns what an output will be.
func outputValue(o *plan.Output) string {
	switch {
	case o.Change == plan.Delete:
		return "(removed)"
	case o.Sensitive:
		return "(sensitive value)"
	}
	return jsonValue(o.Value)
}

func (r *PlanReport) checks(b *strings.Builder, s Style) {
	if len(r.Plan.Checks) == 0 {
		return
	}
	passed := 0
	for _, c := range r.Plan.Checks {
		if c.Status == "pass" {
			passed++
		}
	}
	fmt.Fprintf(b, "Checks: %d of %d passed.\n", passed, len(r.Plan.Checks))
	for _, c := range r.Plan.Checks {
		if c.Status != "pass" {
			fmt.Fprintf(b, "  %s %s: %s\n", s.red("!"), message.SafeText(c.Name), message.SafeText(c.Message))
		}
	}
}

// deliveriesText lists every recipient of every campaign; followed says that a
// summary comes after the list.
func (r *PlanReport) deliveriesText(w io.Writer, s Style, followed bool) error {
	before, after := "\n", ""
	if followed {
		before, after = "", "\n"
	}
	if _, err := io.WriteString(w, before+"Deliveries:\n"); err != nil {
		return err
	}
	for e, err := range r.Plan.Entries() {
		if err != nil {
			return err
		}
		c := &r.Plan.Campaigns[e.Campaign]
		line := fmt.Sprintf("  %-8s %s[%q]", e.Action, c.Address, s.Recipient(e.Recipient.Key()))
		if arm, _ := c.ChoiceOf(e.Draft); arm != "" {
			line += "  arm " + message.SafeText(arm)
		}
		if e.Reason != "" {
			line += "  # " + message.SafeText(Reason(e.Reason))
		}
		if !e.Due.IsZero() {
			line += " until " + e.Due.UTC().Format("2006-01-02 15:04 MST")
		}
		if e.Recipient.Place.Line > 0 {
			line += "  " + s.dim(message.SafeText(e.Recipient.Place.String()))
		}
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, after)
	return err
}
