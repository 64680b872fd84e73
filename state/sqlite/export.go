package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// Export writes everything that the state knows as lines of JSON, each with a
// "kind": the same state gives the same bytes. It holds people's data.
func (s *Store) Export(ctx context.Context, w io.Writer) error {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	e := exporter{snap: snap, enc: json.NewEncoder(w)}
	defer func() { _ = snap.Close() }() // it only read
	for _, step := range []func(context.Context) error{e.meta, e.resources, e.managed, e.products, e.runs, e.deliveries, e.superseded, e.links, e.people, e.ties, e.windows, e.inbound, e.findings, e.decisions} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("exporting the state: %w", err)
		}
	}
	return nil
}

// exporter writes the lines of an export from one snapshot.
type exporter struct {
	snap *Snapshot
	enc  *json.Encoder
}

// meta writes the first line:
// {"kind":"meta","format":7,"lineage":"…","serial":12,"epoch":3}.
func (e *exporter) meta(ctx context.Context) error {
	m, err := e.snap.Meta(ctx)
	if err != nil {
		return err
	}
	return e.enc.Encode(struct {
		Kind    string `json:"kind"`
		Format  int    `json:"format"`
		Lineage string `json:"lineage"`
		Serial  int64  `json:"serial"`
		Epoch   int64  `json:"epoch"`
	}{"meta", m.Format, m.Lineage, m.Serial, m.Epoch})
}

// resources writes the declared resources of the last apply.
func (e *exporter) resources(ctx context.Context) error {
	list, err := e.snap.Resources(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		tree := json.RawMessage(r.Tree)
		if !json.Valid(tree) {
			tree = nil
		}
		err := e.enc.Encode(struct {
			Kind    string          `json:"kind"`
			Address string          `json:"address"`
			Tree    json.RawMessage `json:"tree"`
			Refs    []string        `json:"refs"`
		}{"resource", r.Address, tree, r.Refs})
		if err != nil {
			return err
		}
	}
	return nil
}

// managed are what the configuration looks after in accounts.
func (e *exporter) managed(ctx context.Context) error {
	list, err := e.snap.Managed(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		err := e.enc.Encode(struct {
			Line string `json:"kind"`
			state.Managed
		}{"managed", list[i]})
		if err != nil {
			return err
		}
	}
	return nil
}

// runs are the applies: what each planned, and by which claim of consent.
func (e *exporter) runs(context.Context) error {
	return e.snap.c.eachNested("SELECT id, started, ended, version, plan, halted, campaigns FROM runs ORDER BY id", func(st *sqlite.Stmt) error {
		campaigns := json.RawMessage(st.ColumnText(6))
		if !json.Valid(campaigns) {
			return fmt.Errorf("%w: the counts of run %d", state.ErrDamaged, st.ColumnInt64(0))
		}
		return e.enc.Encode(struct {
			Kind      string          `json:"kind"`
			Run       int64           `json:"run"`
			Started   time.Time       `json:"started"`
			Ended     time.Time       `json:"ended,omitzero"`
			Version   string          `json:"version"`
			Plan      string          `json:"plan"`
			Halted    string          `json:"halted,omitempty"`
			Campaigns json.RawMessage `json:"campaigns"`
		}{"run", st.ColumnInt64(0), state.Moment(st.ColumnInt64(1)), state.Moment(st.ColumnInt64(2)), st.ColumnText(3), st.ColumnText(4),
			st.ColumnText(5), campaigns})
	})
}

// deliveries writes every delivery with its last attempt.
func (e *exporter) deliveries(ctx context.Context) error {
	for d, err := range e.snap.Deliveries(ctx, "") {
		if err != nil {
			return err
		}
		if err := e.enc.Encode(exportDelivery(&d)); err != nil {
			return err
		}
	}
	return nil
}

// deliveryLine is a line of kind "delivery". Numbers are not masked.
type deliveryLine struct {
	Kind      string    `json:"kind"`
	Campaign  string    `json:"campaign"`
	Recipient string    `json:"recipient"`
	Revision  int       `json:"revision"`
	Send      string    `json:"send"`
	Attempt   int       `json:"attempt"`
	Ref       string    `json:"ref,omitempty"`
	Message   string    `json:"message"`
	Arm       string    `json:"arm,omitempty"`
	Variant   string    `json:"variant,omitempty"`
	Digest    string    `json:"digest"`
	ID        string    `json:"id,omitempty"`
	Proof     string    `json:"proof,omitempty"`
	Code      string    `json:"code,omitempty"`
	Title     string    `json:"title,omitempty"`
	Cause     string    `json:"cause,omitempty"`
	Intended  time.Time `json:"intended"`
	Settled   time.Time `json:"settled,omitzero"`
	Status    string    `json:"status,omitempty"`
	StatusAt  time.Time `json:"status_at,omitzero"`
	Failed    bool      `json:"failed,omitempty"`
	FailCode  string    `json:"fail_code,omitempty"`
	FailTitle string    `json:"fail_title,omitempty"`
	Replied   time.Time `json:"replied,omitzero"`
	Clicked   time.Time `json:"clicked,omitzero"`

	Attributes json.RawMessage `json:"attributes,omitempty"`

	Billing *billingLine `json:"billing,omitempty"`
}

// billingLine is what a line tells about the price.
type billingLine struct {
	Billable bool   `json:"billable"`
	Category string `json:"category"`
	Model    string `json:"model,omitempty"`
	Type     string `json:"type,omitempty"`
}

// exportDelivery is a delivery as a line.
func exportDelivery(d *state.Delivery) deliveryLine {
	line := deliveryLine{Kind: "delivery", Campaign: d.Campaign, Recipient: d.Recipient, Revision: d.Revision, Send: d.Send.String(),
		Attempt: d.Attempt, Ref: d.Ref, Message: d.Message, Arm: d.Arm, Variant: d.Variant, Attributes: json.RawMessage(d.Attributes), Digest: fmt.Sprintf("%x", d.Digest), ID: d.ID, Proof: string(d.Proof),
		Code: d.Code, Title: d.Title, Cause: d.Cause, Intended: d.Intended, Settled: d.Settled, Status: d.Rank.String(), StatusAt: d.RankAt,
		Failed: d.Failed, FailCode: d.FailCode, FailTitle: d.FailTitle, Replied: d.Replied, Clicked: d.Clicked}
	if b := d.Billing; b.Category != "" {
		line.Billing = &billingLine{b.Billable, b.Category, b.Model, b.Type}
	}
	return line
}

// superseded are the attempts after which a delivery was ordered again.
func (e *exporter) superseded(context.Context) error {
	d, err := e.snap.s.dictionary(e.snap.c)
	if err != nil {
		return err
	}
	return e.snap.c.eachNested(`SELECT a.campaign, a.recipient, a.revision, a.attempt, s.at, s.why FROM superseded s
		JOIN attempts a ON a.id = s.id ORDER BY s.id`, func(st *sqlite.Stmt) error {
		return e.enc.Encode(struct {
			Kind      string    `json:"kind"`
			Campaign  string    `json:"campaign"`
			Recipient string    `json:"recipient"`
			Revision  int       `json:"revision"`
			Attempt   int       `json:"attempt"`
			At        time.Time `json:"at"`
			Why       string    `json:"why"`
		}{"superseded", d.addresses[st.ColumnInt64(0)], d.recipient(st.ColumnInt64(1)), st.ColumnInt(2), st.ColumnInt(3),
			state.Moment(st.ColumnInt64(4)), st.ColumnText(5)})
	})
}

// personLine is a line of kind "person".
type personLine struct {
	Kind        string            `json:"kind"`
	Recipient   string            `json:"recipient"`
	LastInbound time.Time         `json:"last_inbound,omitzero"`
	Shut        time.Time         `json:"shut,omitzero"`
	OptOut      string            `json:"opt_out,omitempty"`
	OptOutAt    time.Time         `json:"opt_out_at,omitzero"`
	Cooldown    time.Time         `json:"cooldown,omitzero"`
	ProfileName string            `json:"profile_name,omitempty"`
	Username    string            `json:"username,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Handover    bool              `json:"handover,omitempty"`
}

// people writes everybody of whom something is known.
func (e *exporter) people(ctx context.Context) error {
	for p, err := range e.snap.People(ctx) {
		if err != nil {
			return err
		}
		err := e.enc.Encode(personLine{"person", p.Recipient, p.LastInbound, p.Shut, p.OptOut, p.OptOutAt, p.Cooldown, p.ProfileName, p.Username, p.Attributes, p.Handover})
		if err != nil {
			return err
		}
	}
	return nil
}

// ties are the ids of people who have several.
func (e *exporter) ties(ctx context.Context) error {
	for t, err := range e.snap.Ties(ctx) {
		if err != nil {
			return err
		}
		err := e.enc.Encode(struct {
			Kind      string    `json:"kind"`
			Recipient string    `json:"recipient"`
			Person    string    `json:"person"`
			Since     time.Time `json:"since"`
			Seen      time.Time `json:"seen"`
			Left      time.Time `json:"left,omitzero"`
			Former    bool      `json:"former,omitempty"`
		}{"tie", t.Recipient, t.Person, t.Since, t.Seen, t.Left, t.Former})
		if err != nil {
			return err
		}
	}
	return nil
}

// windows are the 24-hour windows by sending number.
func (e *exporter) windows(ctx context.Context) error {
	numbers, err := e.snap.c.addressNames()
	if err != nil {
		return err
	}
	for _, number := range slices.Sorted(maps.Values(numbers)) {
		for w, err := range e.snap.Windows(ctx, number) {
			if err != nil {
				return err
			}
			err := e.enc.Encode(struct {
				Kind        string    `json:"kind"`
				Recipient   string    `json:"recipient"`
				Number      string    `json:"number"`
				LastInbound time.Time `json:"last_inbound,omitzero"`
				Shut        time.Time `json:"shut,omitzero"`
				Ends        time.Time `json:"ends"`
			}{"window", w.Recipient, w.Number, state.Moment(w.Window.Inbound), state.Moment(w.Window.Shut), state.Moment(w.Window.Ends())})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// inbound writes what people wrote, as it came.
func (e *exporter) inbound(context.Context) error {
	d, err := e.snap.s.dictionary(e.snap.c)
	if err != nil {
		return err
	}
	return e.snap.c.eachNested("SELECT id, provider, received, event FROM inbound ORDER BY id", func(st *sqlite.Stmt) error {
		var ev message.Event
		if err := json.Unmarshal(columnBlob(st, 3), &ev); err != nil {
			return fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
		}
		return e.enc.Encode(struct {
			Kind     string        `json:"kind"`
			Seq      int64         `json:"seq"`
			Provider string        `json:"provider"`
			Received time.Time     `json:"received"`
			Event    message.Event `json:"event"`
		}{"inbound", st.ColumnInt64(0), d.addresses[st.ColumnInt64(1)], state.Moment(st.ColumnInt64(2)), ev})
	})
}

// findings writes the contradictions that were seen.
func (e *exporter) findings(context.Context) error {
	return e.snap.c.eachNested("SELECT at, kind, detail FROM findings ORDER BY id", func(st *sqlite.Stmt) error {
		return e.enc.Encode(struct {
			Kind    string    `json:"kind"`
			At      time.Time `json:"at"`
			Finding string    `json:"finding"`
			Detail  string    `json:"detail"`
		}{"finding", state.Moment(st.ColumnInt64(0)), st.ColumnText(1), st.ColumnText(2)})
	})
}

// decisions writes who decided what, and why.
func (e *exporter) decisions(context.Context) error {
	return e.snap.c.eachNested("SELECT at, who, what, why FROM decisions ORDER BY id", func(st *sqlite.Stmt) error {
		return e.enc.Encode(struct {
			Kind string    `json:"kind"`
			At   time.Time `json:"at"`
			Who  string    `json:"who,omitempty"`
			What string    `json:"what"`
			Why  string    `json:"why,omitempty"`
		}{"decision", state.Moment(st.ColumnInt64(0)), st.ColumnText(1), st.ColumnText(2), st.ColumnText(3)})
	})
}

// links are the links of messages and who followed them, without the tokens.
func (e *exporter) links(context.Context) error {
	d, err := e.snap.s.dictionary(e.snap.c)
	if err != nil {
		return err
	}
	return e.snap.c.eachNested("SELECT a.campaign, a.recipient, a.revision, a.attempt, l.link, l.clicked, l.programs FROM links l JOIN attempts a ON a.id = l.attempt ORDER BY l.id", func(st *sqlite.Stmt) error {
		return e.enc.Encode(struct {
			Kind      string    `json:"kind"`
			Campaign  string    `json:"campaign"`
			Recipient string    `json:"recipient"`
			Revision  int       `json:"revision"`
			Attempt   int       `json:"attempt"`
			Link      string    `json:"link"`
			Clicked   time.Time `json:"clicked,omitzero"`
			Programs  int       `json:"programs,omitempty"`
		}{"link", d.addresses[st.ColumnInt64(0)], d.recipient(st.ColumnInt64(1)), st.ColumnInt(2), st.ColumnInt(3), d.addresses[st.ColumnInt64(4)], state.Moment(st.ColumnInt64(5)), st.ColumnInt(6)})
	})
}
