package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// outcomes are the rows of an audience that is made of what became of a campaign's
// messages. They are read from the state one by one. Somebody has a row whose message
// was accepted, or surely refused: not who is held out or was erased, not who was not sent
// to yet, and not who is in doubt, since nobody knows what they have.
type outcomes struct {
	b       *builder
	ctx     context.Context
	of      *lang.Campaign
	columns []string
	used    map[string]bool // columns; nil for all
	orders  *orders         // nil where nobody asks for them
	heldOut map[string]bool // persons of several ids who are held out under one of them

	row      []message.Value
	rows     int // how many there were
	keptNone int // of them, without attributes
}

// outcomes returns the rows of an audience that is made of a campaign; nil for any
// other one.
func (b *builder) outcomes(ctx context.Context, a *lang.Audience) *outcomes {
	if a.Source.Of == nil {
		return nil
	}
	columns := lang.OutcomeColumns()
	return &outcomes{b: b, ctx: ctx, of: a.Source.Of, columns: columns, row: make([]message.Value, len(columns))}
}

// source returns the rows for package audience.
func (o *outcomes) source() audience.Source {
	return audience.Source{Kind: audience.Given, Path: o.of.Address(), Columns: o.columns, Given: o.all, Notes: o.notes}
}

// only says by their positions which columns are used.
func (o *outcomes) only(columns []int) {
	o.used = map[string]bool{}
	for _, i := range columns {
		o.used[o.columns[i]] = true
	}
}

// uses reports whether somebody looks at a column: what nobody looks at is not read
// from the state, as the orders, nor decoded, as the attributes.
func (o *outcomes) uses(column string) bool { return o.used == nil || o.used[column] }

// notes say what a reader should know who sees an audience that is smaller than it
// could be.
func (o *outcomes) notes() (out []string) {
	switch {
	case o.rows == 0 && o.of.Revision > 1:
		out = append(out, fmt.Sprintf("revision %d of %s has been sent to nobody yet", o.of.Revision, o.of.Address()))
	case o.rows == 0:
		out = append(out, o.of.Address()+" has been sent to nobody yet")
	}
	if o.keptNone > 0 {
		out = append(out, fmt.Sprintf("%s of %s went out before attributes were kept, so row.attributes has none for them", messages(o.keptNone), o.of.Address()))
	}
	return out
}

// messages counts messages in words.
func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}

// all yields the rows in the order of the messages' last attempts.
func (o *outcomes) all(yield func([]message.Value, error) bool) {
	b := o.b
	if b.in.State == nil {
		return
	}
	if o.uses("ordered") {
		var err error
		if o.orders, err = loadOrders(o.ctx, b.in.State, b.known.ties); err != nil {
			yield(nil, err)
			return
		}
	}
	if err := o.loadHeldOut(); err != nil {
		yield(nil, err)
		return
	}
	for d, err := range o.deliveries() {
		if err != nil {
			yield(nil, fmt.Errorf("reading what became of %s: %w", o.of.Address(), err))
			return
		}
		if d.Revision != o.of.Revision || state.IsErased(d.Recipient) || d.Send != state.Accepted && d.Send != state.Rejected || o.heldOut[o.person(&d)] {
			continue
		}
		o.rows++
		if err := o.fill(&d); !yield(o.row, err) || err != nil {
			return
		}
	}
}

// deliveries are those of the campaign, of all revisions.
func (o *outcomes) deliveries() iter.Seq2[state.Delivery, error] {
	return o.b.in.State.Deliveries(o.ctx, o.b.addressInState(o.of.Address()))
}

// person is the key of the person who has a delivery's id.
func (o *outcomes) person(d *state.Delivery) string {
	return o.b.known.ties.person(message.Canonical(d.Recipient))
}

// loadHeldOut reads who is held out under one id and may have the message under another,
// since nobody knew yet that both are theirs: they get nothing more.
func (o *outcomes) loadHeldOut() error {
	if o.b.known.ties == nil {
		return nil
	}
	o.heldOut = map[string]bool{}
	for d, err := range o.deliveries() {
		if err != nil {
			return fmt.Errorf("reading who is held out of %s: %w", o.of.Address(), err)
		}
		if d.Send == state.HeldOut && d.Revision == o.of.Revision && o.b.known.ties.has(message.Canonical(d.Recipient)) {
			o.heldOut[o.person(&d)] = true
		}
	}
	return nil
}

// fill makes the row of a delivery.
func (o *outcomes) fill(d *state.Delivery) error {
	refused := d.Send == state.Rejected
	code := d.FailCode
	if refused {
		code = d.Code
	}
	attributes, err := o.attributes(d)
	if err != nil {
		return err
	}
	var delivered, read time.Time
	switch {
	case d.Rank >= message.RankRead:
		read = d.RankAt
	case d.Rank == message.RankDelivered:
		delivered = d.RankAt
	}
	ordered := o.orders.since(d.Recipient, d.Intended)
	// In the order of lang.OutcomeColumns.
	o.row = append(o.row[:0], textOrNull(d.To.Phone), textOrNull(d.To.UserID), moment(d.Intended), moment(delivered), moment(read), moment(d.Replied), moment(d.Clicked),
		truth(d.Rank >= message.RankDelivered), truth(d.Rank >= message.RankRead), truth(!d.Replied.IsZero()), truth(!d.Clicked.IsZero()), truth(ordered),
		truth(refused || d.Failed), textOrNull(code), textOrNull(d.Arm), textOrNull(d.Variant), attributes)
	return nil
}

// attributes are those that were kept with a message, as an object with all names that
// are kept today.
func (o *outcomes) attributes(d *state.Delivery) (message.Value, error) {
	if !o.uses(lang.ColumnAttributes) {
		return message.Value{}, nil
	}
	all := map[string]json.RawMessage{}
	if d.Attributes == "" {
		o.keptNone++
	} else if err := json.Unmarshal([]byte(d.Attributes), &all); err != nil {
		return message.Value{}, fmt.Errorf("%w: the attributes of a message of %s", state.ErrDamaged, o.of.Address())
	}
	for _, name := range o.of.Kept {
		if all[name] == nil {
			all[name] = json.RawMessage("null")
		}
	}
	data, err := json.Marshal(all)
	return message.Value{Kind: message.JSON, Text: string(data)}, err
}

// textOrNull is a text; null where there is none, so that row.code == null asks for it.
func textOrNull(s string) message.Value {
	if s == "" {
		return message.Value{}
	}
	return message.Str(s)
}

// moment is a time as the functions of the language read it, with all its digits, since
// dueAfter reads it again; null where it is not known.
func moment(t time.Time) message.Value {
	if t.IsZero() {
		return message.Value{}
	}
	return message.Str(t.UTC().Format(time.RFC3339Nano))
}

// truth is true or false.
func truth(b bool) message.Value {
	text := "false"
	if b {
		text = "true"
	}
	return message.Value{Kind: message.Bool, Text: text}
}

// orders are when people ordered last, in milliseconds, by the person. The last one
// answers whether somebody ordered since a message, so that no more is kept of each.
type orders struct {
	who  *ties
	ids  recipientIDs
	last openmap.Map[int64]
}

// loadOrders reads who ordered when.
func loadOrders(ctx context.Context, snap Snapshot, who *ties) (*orders, error) {
	o := &orders{who: who}
	for p, err := range snap.Orders(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading the orders from the state: %w", err)
		}
		last, _ := o.last.Put(o.ids.add(who.person(message.Canonical(p.Recipient))))
		*last = max(*last, p.At.UnixMilli())
	}
	return o, nil
}

// since reports whether somebody ordered at a moment or after it, in whole seconds, as
// providers tell times.
func (o *orders) since(recipient string, at time.Time) bool {
	if o == nil {
		return false
	}
	id, ok := o.ids.find(o.who.person(message.Canonical(recipient)))
	if !ok {
		return false
	}
	last := o.last.At(id)
	return last != nil && *last >= at.Truncate(time.Second).UnixMilli()
}

// The columns that say since when somebody has a message; the last moment counts. When a
// message was delivered is not kept once it is read: then it was delivered before that.
var sinceColumns = func() (at [3]int) {
	for i, name := range []string{lang.ColumnDeliveredAt, lang.ColumnReadAt, lang.ColumnSentAt} {
		at[i] = slices.Index(lang.OutcomeColumns(), name)
	}
	return at
}()

// dueAfter returns the Unix time from which on somebody may get another message after
// the one that the row is about. No message arrives before it was sent: a provider that
// tells so has another clock, and the moment of sending counts.
func dueAfter(row []message.Value, after time.Duration) int64 {
	var since time.Time
	for _, i := range sinceColumns {
		if row[i].Kind == message.Null {
			continue // not known
		}
		at, err := time.Parse(time.RFC3339Nano, row[i].Text)
		if err == nil && at.After(since) { // fill wrote it: it has no error
			since = at
		}
	}
	return since.Add(after + time.Second - 1).Unix() // no part of a second too early
}

// maxKept bounds the attributes that are kept with one message, in bytes of JSON: they
// are kept for as long as the message.
const maxKept = 4096

// keep puts the attributes into the entry that are kept with the message.
func (j *judge) keep(w *worker, b *batch, v *verdict) bool {
	if len(j.kept) == 0 {
		return true
	}
	from := len(b.zones)
	for _, i := range j.kept {
		b.zones = append(b.zones, w.person.Attributes[i])
	}
	v.entry.Kept = b.zones[from:len(b.zones):len(b.zones)]
	if size := len(j.campaign.KeptOf(&v.entry)); size > maxKept {
		v.skip(delivery.ReasonMessageLimit)
		j.problem(v, j.decl.Audience.DeclRange, problem{cause: cause{code: "attributes_too_long"},
			detail: fmt.Sprintf("The attributes %v of a recipient take %d bytes, and at most %d are kept with a message for the audiences that are made of this campaign. Read shorter ones there", j.campaign.Kept, size, maxKept)})
		return false
	}
	return true
}

// KeptOf is what apply keeps of a recipient's attributes with the message: a JSON
// object, "" for nothing.
func (c *Campaign) KeptOf(e *Entry) string {
	if len(c.Kept) == 0 || len(e.Kept) != len(c.Kept) {
		return ""
	}
	out := make(map[string]json.RawMessage, len(e.Kept))
	for i, v := range e.Kept {
		// A value that is null stays so, so that a follow-up tells it from a name that was
		// not kept at all.
		text := json.RawMessage("null")
		switch v.Kind {
		case message.String:
			text, _ = json.Marshal(v.Text) // a string always has a form
		case message.Number, message.Bool, message.JSON:
			text = json.RawMessage(v.Text)
		}
		out[c.Kept[i]] = text
	}
	data, err := json.Marshal(out)
	if err != nil {
		return "" // a number that JSON does not have
	}
	return string(data)
}
