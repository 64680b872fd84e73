package view

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/plan"
)

// planFormat is the version of the JSON documents: the minor number rises with
// additions, the major number with any change that could break a reader.
const planFormat = "1.0"

type streamResource struct {
	Address string `json:"addr"`
	Module  string `json:"module,omitempty"`
	Type    string `json:"resource_type"`
	Name    string `json:"resource_name"`
}

// Stream writes the plan as "plan -json" does, one object per line.
func (r *PlanReport) Stream(w io.Writer, s Style, now func() time.Time, version string) error {
	out := bufio.NewWriter(w)
	st := &stream{w: out, now: now}
	st.write("info", "version", "handbill "+version, field{"handbill", version}, field{"ui", planFormat})
	st.diagnostics(r.Diagnostics)
	for c := range r.Plan.Changes() {
		if c.Change != "no-op" {
			st.write("info", "planned_change", c.Address+": plan to "+c.Change, field{"change", struct {
				Resource streamResource `json:"resource"`
				Action   string         `json:"action"`
			}{streamResource{c.Address, c.Module, c.Type, c.Name}, c.Change}})
		}
	}
	for i := range r.Plan.Drift {
		d := &r.Plan.Drift[i]
		st.write("info", "resource_drift", d.Address+": changed outside handbill", field{"drift", d})
	}
	for i := range r.Plan.Managed {
		m := &r.Plan.Managed[i]
		switch {
		case m.Kind == "catalog":
			st.write("info", "observed_catalog", m.Address+": read", field{"catalog", m})
			continue
		case m.Kind != "template":
			st.write("info", "observed_singleton", m.Address+": read", field{"singleton", m})
			continue
		}
		st.write("info", "observed_template", m.Address+": "+m.Status, field{"template", m})
	}
	for i := range r.Plan.Campaigns {
		c := &r.Plan.Campaigns[i]
		said := fmt.Sprintf("%s: %s to send", c.Address, Plural(c.Counts.Sends(), "message"))
		if c.Halted() {
			said = c.Address + ": halted, nothing to send"
		}
		st.write("info", "planned_campaign", said, field{"campaign", c})
	}
	if r.Deliveries {
		r.streamDeliveries(st, s)
	}
	st.write("info", "change_summary", "Plan: "+r.Summary(), field{"messages", r.Sends()}, field{"changes", r.Changes()}, field{"digest", r.Plan.Digest}, field{"config_digest", r.Plan.Config}, field{"failed", r.Failed})
	if st.err != nil {
		return st.err
	}
	return out.Flush()
}

func (r *PlanReport) streamDeliveries(st *stream, s Style) {
	for e, err := range r.Plan.Entries() {
		if err != nil {
			st.err = err
			return
		}
		d, err := r.delivery(&e, s)
		if err != nil {
			st.err = err
			return
		}
		st.write("info", "planned_delivery", d.Address+": "+d.Action, field{"delivery", d})
	}
}

// plannedDelivery is one entry as JSON.
type plannedDelivery struct {
	Address   string          `json:"address"`
	Recipient string          `json:"recipient"`
	Action    string          `json:"action"`
	Reason    delivery.Reason `json:"reason,omitempty"`
	Arm       string          `json:"arm,omitempty"`
	Variant   string          `json:"variant,omitempty"`
	Due       time.Time       `json:"due,omitzero"` // with reason not_due
	Place     string          `json:"place,omitempty"`
	Path      string          `json:"path,omitempty"`
	Request   json.RawMessage `json:"request,omitempty"`
}

// delivery converts e for JSON. The request contains what the person will get, so
// it is included only if recipients are shown.
func (r *PlanReport) delivery(e *plan.Entry, s Style) (*plannedDelivery, error) {
	c := &r.Plan.Campaigns[e.Campaign]
	key := s.Recipient(e.Recipient.Key())
	d := &plannedDelivery{Address: fmt.Sprintf("%s[%q]", c.Address, key), Recipient: key, Action: e.Action.String(), Reason: e.Reason, Due: e.Due}
	d.Arm, d.Variant = c.ChoiceOf(e.Draft)
	if e.Recipient.Place.Line > 0 {
		d.Place = e.Recipient.Place.String()
	}
	if s.ShowRecipients && r.Requests != nil && e.Action.Sends() {
		path, body, err := r.Requests(e)
		if err != nil {
			return nil, err
		}
		d.Path, d.Request = path, body
	}
	return d, nil
}

// JSON writes the plan as one document, deliveries streamed.
func (r *PlanReport) JSON(w io.Writer, s Style) error {
	p := r.Plan
	head, err := encode(struct {
		FormatVersion string                `json:"format_version"`
		Version       string                `json:"handbill_version"`
		Build         string                `json:"handbill_build"`
		At            time.Time             `json:"at"`
		Lineage       string                `json:"lineage"`
		Serial        int64                 `json:"serial"`
		Digest        string                `json:"digest"`
		Config        string                `json:"config_digest"`
		Errored       bool                  `json:"errored"`
		Changes       bool                  `json:"changes"`
		Messages      int                   `json:"messages"`
		Resources     []plan.ResourceChange `json:"resource_changes"`
		Campaigns     []plan.Campaign       `json:"campaigns"`
		Managed       []plan.Managed        `json:"managed"`
		Drift         []plan.Drift          `json:"resource_drift"`
		Checks        []plan.Check          `json:"checks"`
		Outputs       []plan.Output         `json:"outputs"`
		Inputs        []plan.Input          `json:"inputs"`
		Diagnostics   []Diagnostic          `json:"diagnostics"`
	}{planFormat, p.Version, p.Build, p.At, p.Lineage, p.Serial, p.Digest, p.Config, r.Failed, r.Changes(), r.Sends(),
		list(slices.Collect(p.Changes())), list(p.Campaigns), list(p.Managed), list(p.Drift), list(p.Checks), list(p.Outputs), list(p.Inputs), list(r.Diagnostics)})
	if err != nil {
		return err
	}
	if !r.Deliveries {
		_, err = w.Write(head)
		return err
	}
	out := bufio.NewWriter(w)
	out.Write(head[:len(head)-2]) // without the closing brace
	out.WriteString(`,"deliveries":[`)
	first := true
	for e, err := range p.Entries() {
		if err != nil {
			return err
		}
		d, err := r.delivery(&e, s)
		if err != nil {
			return err
		}
		row, err := encode(d)
		if err != nil {
			return err
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.Write(row[:len(row)-1])
	}
	out.WriteString("]}\n")
	return out.Flush()
}

// list is never null in JSON.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
