package faults

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// self is a person with two numbers and two user ids, who acts while the campaigns
// run. Everybody has four rows in the audience: the first number with the first
// user id, the second number, and each user id.
type self struct {
	first, second, user, next string

	// The truth.
	phone, now       string // the number and the user id that are theirs now
	changed, rotated bool

	// What the state was told, and must respect from then on.
	told            [][]string // ids that one event named together
	stopped, erased map[string]bool
	knowsRotation   bool
	// murky: a person was erased while the reported ids contradicted each other, so
	// the test cannot say who else was erased with the id.
	murky bool
}

func newSelf(who int) *self {
	s := &self{first: phone(2 * who), second: phone(2*who + 1), user: userID(2 * who), next: userID(2*who + 1),
		stopped: map[string]bool{}, erased: map[string]bool{}}
	s.phone, s.now = s.first, s.user
	return s
}

func userID(i int) string { return fmt.Sprintf("DE.%07d", i) }

// rowsOfOne is how many rows a person with several ids has.
const rowsOfOne = 4

// lines is how many deliveries are planned: one for each row of each campaign.
func (s *script) lines() int {
	if s.Several {
		return s.campaigns() * s.People * rowsOfOne
	}
	return s.People
}

func (s *script) campaigns() int {
	if s.Several {
		return len(simCampaigns)
	}
	return 1
}

// at splits a line into a campaign, a person and one of their addresses.
func (s *script) at(line int) (campaign, who int, to message.Address) {
	if !s.Several {
		return 0, line, message.Address{Phone: phone(line)}
	}
	rows := s.People * rowsOfOne
	campaign, line = line/rows, line%rows
	who = line / rowsOfOne
	switch line % rowsOfOne {
	case 0:
		to = message.Address{Phone: phone(2 * who), UserID: userID(2 * who)}
	case 1:
		to = message.Address{Phone: phone(2*who + 1)}
	default:
		to = message.Address{UserID: userID(2*who + line%rowsOfOne - 2)}
	}
	return campaign, who, to
}

// line returns the line of a campaign and a recipient.
func (s *script) line(campaign int, recipient string) (line int, ok bool) {
	number, isPhone := strings.CutPrefix(recipient, "+49151")
	id, isUser := strings.CutPrefix(recipient, "DE.")
	if !isPhone && !isUser {
		return 0, false
	}
	n, err := strconv.Atoi(number)
	if isUser {
		n, err = strconv.Atoi(id)
	}
	if err != nil {
		return 0, false
	}
	if !s.Several {
		return n, true
	}
	line = campaign*s.People*rowsOfOne + n/2*rowsOfOne + n%2
	if isUser {
		line += 2
	}
	return line, true
}

// whose returns the person behind an id; nil for none.
func (w *world) whose(id string) *self {
	line, ok := w.script.line(0, id)
	if !ok || !w.script.Several {
		return nil
	}
	_, who, _ := w.script.at(line)
	return w.selves[who]
}

// wishes understands the only stop word of the simulation.
func wishes(ev *message.Event, at time.Time) state.Wish {
	if ev.Text == "STOP" {
		return state.Wish{Kind: state.WishStop, Reason: "stop_word", Evidence: "wrote STOP"}
	}
	return state.Wish{}
}

// lifeActs are the actions of a person with several ids, under any of them.
var lifeActs = []string{"writes", "writes", "changes", "moves", "rotates", "stops", "prefers", "erased"}

func (s *script) livesOf(roll func(int, ...int) int) {
	if !s.Several {
		return
	}
	for who := range s.People {
		for k := range roll(8, 102, who) {
			s.Faults = append(s.Faults, fault{At: "life", N: who*100 + k, Do: pick(lifeActs, roll(1000, 103, who, k))})
		}
	}
}

// live performs a person's actions while the campaigns run. The state learns of
// them when the webhook comes.
func (w *world) live(ctx context.Context, who int) {
	for k := range 8 {
		time.Sleep(time.Second + time.Duration(w.luck(2400_000, 104, who, k))*time.Millisecond)
		w.mu.Lock()
		if do := w.fault(0, "life", who*100+k); do != "" {
			w.act(ctx, w.selves[who], do, 10*who+k)
		}
		w.mu.Unlock()
	}
}

func (w *world) act(ctx context.Context, s *self, do string, n int) {
	ev := message.Event{Kind: message.EventInbound, ID: fmt.Sprint("wamid.life", n), From: w.from(s, n), Type: "text", Text: "hello", At: time.Now()}
	switch do {
	case "writes":
	case "stops":
		ev.Text = "STOP"
	case "prefers":
		ev = message.Event{Kind: message.EventPreference, OptOut: true, Category: "marketing_messages", From: ev.From, At: ev.At}
	case "changes":
		if s.changed {
			return
		}
		ev = message.Event{Kind: message.EventIdentity, From: message.Address{Phone: s.first}, NewAddress: message.Address{Phone: s.second}, At: ev.At}
		s.phone, s.changed = s.second, true
	case "moves": // the number changes, which is known only when they write
		if s.changed {
			return
		}
		ev.From = message.Address{Phone: s.second, UserID: s.now}
		s.phone, s.changed = s.second, true
	case "rotates":
		if s.rotated {
			return
		}
		ev = message.Event{Kind: message.EventIdentity, From: message.Address{UserID: s.user}, NewAddress: message.Address{UserID: s.next}, At: ev.At}
		if w.luck(2, 105, n) > 0 {
			ev.From.Phone, ev.NewAddress.Phone = s.phone, s.phone
		}
		s.now, s.rotated = s.next, true
	case "erased":
		w.erase(ctx, s, n)
		return
	}
	w.hooks++
	w.later(hook{n: w.hooks, due: w.comes(n), body: webhookBody{body: fmt.Sprint("life ", n), number: w.luck(2, 106, n), events: []message.Event{ev}}})
}

// from is the address under which a person appears: a number, a user id, or both.
func (w *world) from(s *self, n int) message.Address {
	out := message.Address{Phone: s.phone, UserID: s.now}
	switch w.luck(3, 108, n) {
	case 0:
		out.UserID = ""
	case 1:
		out.Phone = ""
	}
	return out
}

// comes is when a webhook is posted: soon, or late and after others.
func (w *world) comes(n int) time.Time {
	if w.luck(4, 109, n) == 0 {
		return time.Now().Add(time.Duration(w.luck(6*3600, 110, n)) * time.Second)
	}
	return time.Now().Add(time.Duration(w.luck(5000, 110, n)) * time.Millisecond)
}

// later queues a webhook, sometimes twice.
func (w *world) later(h hook) {
	w.queue = append(w.queue, h)
	if w.luck(5, 111, h.n) == 0 {
		h.due = h.due.Add(time.Minute)
		w.queue = append(w.queue, h)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// erase runs the erase command, which first joins pending webhooks.
func (w *world) erase(ctx context.Context, s *self, n int) {
	id := []string{s.first, s.second, s.user, s.next}[w.luck(4, 112, n)]
	if err := w.store.Erase(ctx, id); err != nil {
		w.problem("erasing: %v", err)
		return
	}
	s.murky = s.murky || s.contradicts()
	for id := range s.one(id) {
		s.erased[id] = true
	}
}

// contradicts reports whether the state was told two user ids without being told
// that one follows the other. It may then take them for two people.
func (s *self) contradicts() bool {
	return s.murky || s.rotated && !s.knowsRotation && slices.ContainsFunc(s.told, func(ids []string) bool { return slices.Contains(ids, s.next) })
}

// one returns the ids that the state must attribute to the same person.
func (s *self) one(ids ...string) map[string]bool {
	out := map[string]bool{}
	for _, id := range ids {
		out[id] = true
	}
	if s.contradicts() {
		return out
	}
	for grown := true; grown; {
		grown = false
		for _, group := range s.told {
			if !slices.ContainsFunc(group, func(id string) bool { return out[id] }) {
				continue
			}
			for _, id := range group {
				grown = grown || !out[id]
				out[id] = true
			}
		}
	}
	return out
}

// hear records what an accepted webhook said: from now on it must be respected.
func (w *world) hear(ev *message.Event) {
	var ids []string
	for _, id := range []string{ev.From.Phone, ev.From.UserID, ev.NewAddress.Phone, ev.NewAddress.UserID} {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 || ev.Kind == message.EventStatus && len(ids) < 2 {
		return
	}
	s := w.whose(ids[0])
	if s == nil {
		return
	}
	if ev.Kind == message.EventIdentity && ev.NewAddress.UserID == s.next {
		s.knowsRotation = true
	}
	s.hear(ids)
	if ev.OptOut || ev.Text == "STOP" {
		for _, id := range ids {
			s.stopped[id] = true
		}
	}
}

// hear records that ids were named together.
func (s *self) hear(ids []string) {
	if len(ids) > 1 {
		s.told = append(s.told, ids)
	}
	if slices.ContainsFunc(ids, func(id string) bool { return s.erased[id] }) {
		s.murky = s.murky || s.contradicts()
		for id := range s.one(ids...) {
			s.erased[id] = true
		}
	}
}

// settled records what the state learnt from answers.
func (p *process) settled(out []state.Outcome) {
	for i := range out {
		to := p.to[out[i].Attempt]
		if s := p.w.whose(to); s != nil && out[i].UserID != "" {
			s.hear([]string{to, out[i].UserID})
		}
	}
}

// intended checks the intents that the state allowed: none is for a person who
// stopped or was erased under any id.
func (p *process) intended(in []state.Intent, v []state.Verdict) {
	for i := range v {
		campaign := slices.Index(simCampaigns, in[i].Campaign)
		s := p.w.whose(in[i].Recipient)
		if s == nil || campaign < 0 {
			continue
		}
		if v[i].Attempt == 0 {
			p.w.spared(s, &in[i], v[i].Gate)
			continue
		}
		line, _ := p.w.script.line(campaign, in[i].Recipient)
		t := p.w.truths[line]
		ids := []string{in[i].Recipient}
		if also := in[i].Also(); also != "" {
			ids = append(ids, also)
		}
		p.w.intents++
		t.last, t.known = p.w.intents, s.one(ids...)
		p.to[v[i].Attempt] = in[i].Recipient
		for id := range t.known {
			switch {
			case s.stopped[id]:
				p.w.problem("%v is sent to, who stopped as %s", ids, id)
			case s.erased[id]:
				p.w.problem("%v is sent to, who was erased as %s", ids, id)
			}
		}
	}
}

// spared counts people who are not sent to because of another id than the
// message's.
func (w *world) spared(s *self, in *state.Intent, gate delivery.Gate) {
	others := s.one(in.Recipient)
	delete(others, in.Recipient)
	for id := range others {
		if gate == delivery.GateOptedOut && s.stopped[id] {
			w.seen.add("gate for a stop under another id")
		}
	}
	if gate == delivery.GateSent && len(others) > 0 {
		w.seen.add("gate for a message under another id")
	}
}

// takes checks a message that the provider accepted: nobody gets it twice under two
// ids that were known as one person's when the later one was intended.
func (w *world) takes(line int) {
	if !w.script.Several {
		return
	}
	campaign, who, to := w.script.at(line)
	for other, o := range w.truths {
		c, whose, at := w.script.at(other)
		t := w.truths[line]
		if other == line || c != campaign || whose != who || o.taken == 0 || t.lied || t.denied || o.lied || o.denied {
			continue
		}
		if t.last > o.last && t.known[at.Key()] || t.last < o.last && o.known[to.Key()] {
			w.problem("person %d is sent %s twice, as %s and as %s", who, simCampaigns[campaign], at.Key(), to.Key())
		}
		w.seen.add("two messages to one who was not known as one")
	}
}

// answersWith is the user id that the answer to a send to a number contains.
func (w *world) answersWith(line int) string {
	_, _, to := w.script.at(line)
	s := w.whose(to.Key())
	if s == nil || to.Phone != s.phone || s.changed || s.rotated || w.luck(3, 113, line) > 0 {
		return ""
	}
	if slices.Contains(slices.Collect(maps.Values(w.faults)), "rotates") {
		return "" // the answer is read a moment later, and the id may be another's by then
	}
	return s.now
}

// namedBy is the recipient in a status: the person's current number and user id, or
// nobody.
func (w *world) namedBy(line int) message.Address {
	_, _, to := w.script.at(line)
	s := w.whose(to.Key())
	if s == nil || w.luck(3, 114, line) > 0 || to.Phone != s.phone {
		return message.Address{}
	}
	return message.Address{Phone: to.Phone, UserID: s.now}
}

// judgePeople is judge for people with several ids. It compares by campaign and
// person, since a delivery may continue under another of their ids.
func (w *world) judgePeople(standings []standing, out, shut []bool) {
	for from := 0; from < len(standings); from += rowsOfOne {
		campaign, who, _ := w.script.at(from)
		name := fmt.Sprintf("%s of person %d", simCampaigns[campaign], who)
		taken, honest, kept := 0, true, len(w.selves[who].erased) == 0
		sends := map[state.Send]int{}
		for i := from; i < from+rowsOfOne; i++ {
			t := w.truths[i]
			taken += t.taken
			honest = honest && !t.lied && !t.denied
			kept = kept && !out[i] && !shut[i]
			if standings[i].known {
				sends[standings[i].send]++
			}
		}
		w.seen.add("people")
		erased := len(w.selves[who].erased) > 0
		switch {
		case sends[state.Sending] > 0:
			w.problem("%s is being sent for ever", name)
		case sends[state.Accepted] > 0 && taken == 0:
			w.problem("%s counts as accepted, and the provider never took it", name)
		case sends[state.Accepted] == 0 && taken > 0 && honest && w.script.Echo && !erased:
			w.problem("%s does not count as accepted, and the echo came", name)
		case sends[state.Accepted]+sends[state.Rejected]+sends[state.InDoubt] == 0 && kept:
			w.problem("%s was forgotten", name)
		}
	}
}
