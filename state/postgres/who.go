package postgres

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// circle is immutable: a change replaces it.
type circle struct {
	row int64
	delivery.Circle
	people []delivery.Person
	made   bool // it has no row yet
}

func newCircle(row int64, c delivery.Circle) *circle {
	if len(c.IDs()) == 0 {
		return nil
	}
	return &circle{row: row, Circle: c, people: c.People()}
}

func idOf(key string) delivery.ID { return delivery.ID(person(key)) }

func idsOf(keys ...string) (out []delivery.ID) {
	for _, key := range keys {
		if key != "" {
			out = append(out, idOf(key))
		}
	}
	return out
}

// loadIDs reads all that is known about these ids.
func (t *tx) loadIDs(ids ...delivery.ID) {
	t.askIDs(ids)
	t.load()
}

// askIDs is loadIDs with the next flush.
func (t *tx) askIDs(ids []delivery.ID) {
	var missing []string
	for _, id := range ids {
		if _, ok := t.circles[id]; !ok {
			missing = append(missing, string(id))
		}
	}
	if len(missing) > 0 {
		t.askCircles("c.id IN (SELECT circle FROM ids WHERE id = ANY($1))", missing, func() []string { return missing })
	}
}

// askCircles reads circles with the next flush. Of those ids that it was about, which
// are known by then, the others are known to have no circle.
func (t *tx) askCircles(where string, arg any, about func() []string) {
	t.eachCircle(where, args(arg), func(c *circle, ids, spelled []string) error {
		t.knowSpelling(ids, spelled)
		for _, id := range c.IDs() {
			if _, ok := t.circles[id]; !ok {
				t.circles[id] = c
			}
		}
		return nil
	}, func() {
		for _, id := range about() {
			if _, ok := t.circles[delivery.ID(id)]; !ok {
				t.circles[delivery.ID(id)] = nil
			}
		}
	})
}

func (t *tx) knowSpelling(ids, spelled []string) {
	for i, id := range ids {
		if _, ok := t.spelled[delivery.ID(id)]; !ok && spelled[i] != "" {
			t.spelled[delivery.ID(id)] = spelled[i]
		}
	}
}

// readCircles reads circles and how their ids were spelled, in order.
func (t *tx) readCircles(where string) (out []*circle) {
	t.eachCircle(where, nil, func(c *circle, ids, spelled []string) error {
		out = append(out, c)
		t.knowSpelling(ids, spelled)
		return nil
	}, nil)
	t.flush()
	return out
}

// eachCircle reads circles, one at a time, with the next flush.
func (t *tx) eachCircle(where string, a []any, each func(c *circle, ids, spelled []string) error, done func()) {
	var row int64
	var told []byte
	var ids, spelled []string
	t.ask("SELECT c.id, c.told, array_agg(i.id ORDER BY i.id), array_agg(i.spelled ORDER BY i.id) FROM circles c JOIN ids i ON i.circle = c.id WHERE "+where+" GROUP BY c.id ORDER BY c.id",
		a, []any{&row, &told, &ids, &spelled}, func() error {
			var d delivery.Circle
			if err := json.Unmarshal(told, &d); err != nil {
				return fmt.Errorf("%w: what was told about people: %w", state.ErrDamaged, err)
			}
			c := newCircle(row, d)
			if c == nil {
				return nil
			}
			return each(c, ids, spelled)
		}, done)
}

func (t *tx) circleOf(id delivery.ID) *circle {
	t.loadIDs(id)
	return t.circles[id]
}

// who returns the person who has an id.
func (t *tx) who(recipient string) delivery.Person {
	id := idOf(recipient)
	if c := t.circleOf(id); c != nil {
		return delivery.Find(c.people, id)
	}
	return delivery.Find(nil, id)
}

// everyID returns all ids of a person, current and former, in canonical spelling.
func (t *tx) everyID(recipient string) map[string]bool {
	out := map[string]bool{person(recipient): true}
	p := t.who(recipient)
	for _, tie := range slices.Concat(p.Ties, p.Former) {
		out[string(tie.ID)] = true
	}
	return out
}

// shown returns the recipient by which a person is shown. A person with only one
// known id is shown as it was spelled first.
func (t *tx) shown(p *delivery.Person, recipient string) string {
	id := p.Ties[0].ID
	if c := t.circleOf(id); c != nil {
		if _, lone := c.Lone(); !lone {
			return string(delivery.Display(p.Ties))
		}
	}
	return cmp.Or(recipient, t.spelled[id], string(id))
}

// gather returns one circle with all that is known of these ids, and the circles
// that it joins.
func (t *tx) gather(ids ...delivery.ID) (one delivery.Circle, joined []*circle) {
	t.loadIDs(ids...)
	for _, id := range ids {
		if c := t.circles[id]; c != nil && !slices.Contains(joined, c) {
			joined = append(joined, c)
			one.Join(&c.Circle)
		}
	}
	return one, joined
}

// keep replaces the joined circles by one.
func (t *tx) keep(d delivery.Circle, joined []*circle) {
	var row int64
	for i, c := range joined {
		if i == 0 {
			row = c.row
		} else {
			t.changed[c.row] = nil
		}
		for _, id := range c.IDs() {
			t.circles[id] = nil
		}
	}
	made := row == 0
	if made && !t.one("SELECT nextval(pg_get_serial_sequence('circles', 'id'))", nil, &row) {
		return
	}
	now := newCircle(row, d)
	t.changed[row] = now
	if now == nil {
		return
	}
	now.made = made
	for _, id := range now.IDs() {
		t.circles[id] = now
	}
}

// putCircles writes the circles that changed.
func (t *tx) putCircles() {
	if len(t.changed) == 0 || t.err != nil {
		return
	}
	changed := t.changed
	t.changed = map[int64]*circle{}
	rows := slices.Sorted(maps.Keys(changed))
	var put circleRows
	for _, row := range rows {
		if c := changed[row]; c != nil {
			put.add(c, t.spelled)
		}
	}
	t.later("INSERT INTO circles (id, lone, told) SELECT * FROM unnest($1::bigint[], $2::boolean[], $3::bytea[]) ON CONFLICT (id) DO UPDATE SET lone = excluded.lone, told = excluded.told", put.row, put.lone, put.told)
	t.later("INSERT INTO ids (id, circle, spelled) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[]) ON CONFLICT (id) DO UPDATE SET circle = excluded.circle, spelled = excluded.spelled", put.id, put.circle, put.spelled)
	// Remove the ids that no longer belong to their circle.
	for _, row := range rows {
		kept := []string{}
		if c := changed[row]; c != nil {
			if c.made {
				continue
			}
			for _, id := range c.IDs() {
				kept = append(kept, string(id))
			}
		}
		t.later("DELETE FROM ids WHERE circle = $1 AND id <> ALL($2)", row, kept)
		if len(kept) == 0 {
			t.later("DELETE FROM circles WHERE id = $1", row)
		}
	}
}

// circleRows are the columns of circles and of their ids.
type circleRows struct {
	row         []int64
	lone        []bool
	told        [][]byte
	id, spelled []string
	circle      []int64
}

func (r *circleRows) add(c *circle, spelled map[delivery.ID]string) {
	told, err := json.Marshal(&c.Circle)
	if err != nil {
		panic(err) // cannot happen with our own types
	}
	_, lone := c.Lone()
	r.row, r.lone, r.told = append(r.row, c.row), append(r.lone, lone), append(r.told, told)
	for _, id := range c.IDs() {
		r.id, r.circle, r.spelled = append(r.id, string(id)), append(r.circle, c.row), append(r.spelled, spelled[id])
	}
}

// tell records facts about the person behind an id.
func (t *tx) tell(recipient string, change func(*delivery.Facts)) {
	id := idOf(recipient)
	c, joined := t.gather(id)
	if t.spelled[id] == "" {
		t.spelled[id] = clean(recipient)
	}
	c.Tell(id, change)
	t.keep(c, joined)
}

// decide records a decision about a person, under every id that is theirs.
func (s *Store) decide(ctx context.Context, recipient string, change func(t *tx, known *delivery.Known, f *delivery.Facts)) error {
	return s.write(ctx, func(t *tx) error {
		if t.wasErased(idOf(recipient)) {
			return nil
		}
		p := t.who(recipient)
		for _, tie := range p.Ties {
			known, spelled := p.Known, string(tie.ID)
			if len(p.Ties) == 1 {
				spelled = recipient
			}
			t.tell(spelled, func(f *delivery.Facts) { change(t, &known, f) })
		}
		return nil
	})
}

// see records what an event says about who is who. It reports whether the event
// names somebody, and nobody who was erased.
func (t *tx) see(provider string, received int64, ev *message.Event) bool {
	now, old := delivery.Names(ev)
	return t.together(provider, delivery.EventTime(ev, received), idsOf(now...), idsOf(old...))
}

// together records that at a moment, according to events of a sending number, the
// ids now were one person's and had replaced the ids old. It reports the same as see.
func (t *tx) together(number string, at int64, now, old []delivery.ID) bool {
	all := slices.Concat(old, now)
	if slices.ContainsFunc(all, t.wasErased) {
		for _, id := range all { // who was erased stays erased, under every id
			if !t.wasErased(id) {
				t.erase(string(id))
			}
		}
		return false
	}
	if len(slices.Compact(slices.Clone(all))) > 1 {
		c, joined := t.gather(all...)
		if c.See(delivery.Sighting{At: at, Number: number, IDs: now, Old: old}) {
			t.keep(c, joined)
		}
	}
	return len(all) > 0
}

// writer returns who wrote a message, even if the number is somebody else's by now;
// same is false then.
func (t *tx) writer(in *inbound) (shown string, same bool) {
	id, now := idOf(in.recipient), t.who(in.recipient)
	if c := t.circleOf(id); c != nil {
		p := delivery.Writer(c.people, id, delivery.EventTime(&in.event, in.received))
		return t.shown(p, in.recipient), p.Has(id)
	}
	return t.shown(&now, in.recipient), true
}

// hashOf returns the hash that is kept of an erased id.
func (t *tx) hashOf(id delivery.ID) []byte {
	key, err := hex.DecodeString(t.meta.Lineage)
	if err != nil {
		t.fail(fmt.Errorf("%w: the lineage: %w", state.ErrDamaged, err))
	}
	return erasedHash(key, id)
}

func erasedHash(key []byte, id delivery.ID) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("erased "))
	mac.Write([]byte(id))
	return mac.Sum(nil)[:16]
}

// loadErased reads which of these ids were erased.
func (t *tx) loadErased(ids ...delivery.ID) {
	t.askErased(ids)
	t.load()
}

// askErased is loadErased with the next flush.
func (t *tx) askErased(ids []delivery.ID) {
	if !t.meta.erased {
		return
	}
	hashes := map[string]delivery.ID{}
	var missing [][]byte
	for _, id := range ids {
		if _, ok := t.erased[id]; ok {
			continue
		}
		t.erased[id] = false
		for _, spelling := range spellings(id) {
			h := t.hashOf(spelling)
			hashes[string(h)] = id
			missing = append(missing, h)
		}
	}
	if len(missing) == 0 {
		return
	}
	var h []byte
	t.ask("SELECT hash FROM erased WHERE hash = ANY($1)", args(missing), []any{&h}, func() error {
		t.erased[hashes[string(h)]] = true
		return nil
	}, nil)
}

// spellings are those of an id under which it may have been erased: a state in a file
// may be older than handbill's knowledge of the second one.
func spellings(id delivery.ID) []delivery.ID {
	out := []delivery.ID{id}
	if other := message.OtherSpelling(string(id)); other != "" {
		out = append(out, delivery.ID(other))
	}
	return out
}

func (t *tx) wasErased(id delivery.ID) bool {
	t.loadErased(id)
	return t.erased[id]
}

// everybody returns all people of the chosen circles, sorted by how they are shown.
func (t *tx) everybody(where string) (out []shownPerson) {
	circles := t.readCircles(where)
	for _, c := range circles {
		for _, id := range c.IDs() {
			t.circles[id] = c
		}
	}
	for _, c := range circles {
		for i := range c.people {
			out = append(out, shownPerson{t.shown(&c.people[i], ""), c.people[i]})
		}
	}
	slices.SortFunc(out, func(a, b shownPerson) int { return cmp.Compare(a.recipient, b.recipient) })
	return out
}

type shownPerson struct {
	recipient string
	delivery.Person
}
