package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	rules "github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// pairOf is a real store and its model, that are to give the same answers.
type pairOf struct {
	t     *rapid.T
	ctx   context.Context
	store *sqlite.Store
	book  *book
	now   time.Time
	run   int64
	open  []int64 // handles of attempts without an outcome of ours
	named int     // ids that the provider gave
}

const simCampaign = "campaign.spring"

func phone(i int) string { return fmt.Sprintf("+49151%07d", i) }

func keyOf(i int) state.Key {
	return state.Key{Campaign: simCampaign, Recipient: phone(i), Revision: 1}
}

func openStore(ctx context.Context, path string, now func() time.Time, create bool) (*sqlite.Store, error) {
	o := sqlite.Options{Path: path, Clock: now, Rand: rand.NewChaCha8([32]byte{1}), Version: "test", Backups: -1}
	if create {
		return sqlite.Create(ctx, o)
	}
	return sqlite.Open(ctx, o)
}

// TestBookIsTheStore drives both with the same random operations.
func TestBookIsTheStore(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		p := &pairOf{t: rt, ctx: t.Context(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
		path := filepath.Join(t.TempDir(), fmt.Sprint(n, ".state"))
		store, err := openStore(p.ctx, path, func() time.Time { return p.now }, true)
		if err != nil {
			rt.Fatal(err)
		}
		defer store.Close()
		meta, err := store.Meta(p.ctx)
		if err != nil {
			rt.Fatal(err)
		}
		p.store, p.book = store, newBook(meta.Lineage)
		for range rapid.IntRange(1, 60).Draw(rt, "operations") {
			p.step()
		}
		p.compare()
	})
}

func (p *pairOf) step() {
	p.now = p.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(p.t, "wait")) * 7 * time.Hour / 3)
	switch rapid.SampledFrom([]string{"begin", "intend", "intend", "intend", "settle", "settle", "settle", "status", "status", "status",
		"preference", "inbound", "recover", "resolve", "finish"}).Draw(p.t, "operation") {
	case "begin":
		id, err := p.store.Begin(p.ctx, state.Run{}, nil)
		p.same("begin", id, p.book.begin(), err, nil)
		if p.run == 0 || rapid.IntRange(0, 3).Draw(p.t, "zombie") > 0 { // else the old one goes on, fenced
			p.run = id
		}
	case "intend":
		p.intend()
	case "settle":
		p.settle()
	case "status":
		p.status()
	case "preference":
		p.event(message.Event{Kind: message.EventPreference, At: p.now, From: message.Address{Phone: p.who()}, OptOut: rapid.Bool().Draw(p.t, "out")})
	case "inbound":
		from := p.who()
		p.event(message.Event{Kind: message.EventInbound, ID: p.id(from), At: p.now, From: message.Address{Phone: from}, Text: "hello"})
	case "recover":
		n, err := p.store.Recover(p.ctx)
		p.same("recover", n, p.book.recover(), err, nil)
	case "resolve":
		key := keyOf(rapid.IntRange(0, 3).Draw(p.t, "who"))
		as := rapid.SampledFrom([]state.Send{state.Accepted, state.Pending}).Draw(p.t, "as")
		err := p.store.Resolve(p.ctx, key, as, "me", "why")
		want := p.book.resolve(key, as)
		p.same("resolve", err == nil, want == nil, nil, nil)
	case "finish":
		if p.run > 0 {
			err := p.store.Finish(p.ctx, state.Run{ID: p.run, Started: p.now, Ended: p.now})
			want := p.book.finish(p.run)
			p.same("finish", err == nil, want == nil, nil, nil)
		}
	}
}

func (p *pairOf) who() string { return phone(rapid.IntRange(0, 3).Draw(p.t, "who")) }

// id is a provider's message id, often one that was used before, now and then
// for a message to somebody else.
func (p *pairOf) id(recipient string) string {
	n := rapid.IntRange(0, p.named+1).Draw(p.t, "id")
	p.named = max(p.named, n)
	if rapid.Bool().Draw(p.t, "shared") {
		recipient = "anybody"
	}
	return fmt.Sprintf("wamid.%s.%04d", recipient, n)
}

func (p *pairOf) intend() {
	if p.run == 0 {
		return
	}
	var in []state.Intent
	for range rapid.IntRange(1, 3).Draw(p.t, "batch") {
		i := rapid.IntRange(0, 3).Draw(p.t, "who")
		number := rapid.IntRange(1, 3).Draw(p.t, "number")
		if rapid.IntRange(0, 3).Draw(p.t, "right") > 0 {
			number = 1
			if _, a := p.book.latest(keyOf(i)); a != nil {
				number = a.number + 1
			}
		}
		in = append(in, state.Intent{Key: keyOf(i), To: message.Address{Phone: phone(i)}, Attempt: number,
			Ref: message.NewRef(p.book.lineage, simCampaign, phone(i), 1, number), Message: "text_message.hi",
			Retry: rapid.Bool().Draw(p.t, "retry"), Marketing: true, Window: rapid.Bool().Draw(p.t, "window"), AssumeOpen: true,
			CapCount: rapid.IntRange(0, 2).Draw(p.t, "cap"), CapPer: 12 * time.Hour,
			Number: "provider.sandbox.main", Spacing: time.Duration(rapid.IntRange(0, 1).Draw(p.t, "spacing")) * rules.Spacing,
			Pace: pace.Ask{Gap: time.Duration(rapid.IntRange(0, 2).Draw(p.t, "gap")) * 100 * time.Millisecond, After: p.now}})
	}
	got, err := p.store.Intend(p.ctx, p.run, in)
	want, wantErr := p.book.intend(p.run, in, p.now.UnixMilli())
	p.same("intend", got, want, err, wantErr)
	for _, v := range got {
		if v.Attempt != 0 {
			p.open = append(p.open, v.Attempt)
		}
	}
}

func (p *pairOf) settle() {
	if len(p.open) == 0 {
		return
	}
	at := rapid.IntRange(0, len(p.open)-1).Draw(p.t, "which")
	o := state.Outcome{Attempt: p.open[at], At: p.now}
	switch rapid.IntRange(0, 5).Draw(p.t, "answer") {
	case 0, 1:
		o.Send, o.Proof, o.ID = state.Accepted, state.ProofResponse, p.id(p.book.attempts[o.Attempt-1].key.Recipient)
	case 2:
		o.Send, o.Code, o.OptOut, o.WindowShut = state.Rejected, "131026", rapid.IntRange(0, 4).Draw(p.t, "out") == 0, rapid.IntRange(0, 4).Draw(p.t, "shut") == 0
	case 3:
		o.Send, o.Code, o.Cooldown = state.Rejected, "131049", p.now.Add(24*time.Hour)
	case 4:
		o.Send, o.Code = state.Pending, "130429"
	case 5:
		o.Send, o.Cause = state.InDoubt, "reset"
	}
	// An answer that contradicts what is known is refused as a whole; the
	// model has no transactions, so it is asked first.
	err := p.store.Settle(p.ctx, p.run, []state.Outcome{o})
	var forbidden *rules.TransitionError
	if errors.As(err, &forbidden) {
		if a := p.book.attempts[o.Attempt-1]; a.outcome == nil || rules.Transition(a.outcome.send, o.Send, o.Proof) == nil {
			p.t.Fatalf("the store forbids %v, the model does not", err)
		}
		return
	}
	p.same("settle", 0, 0, err, p.book.settle(p.run, []state.Outcome{o}))
	if err == nil && rapid.IntRange(0, 3).Draw(p.t, "again") > 0 {
		p.open = slices.Delete(p.open, at, at+1)
	}
}

func (p *pairOf) status() {
	ev := message.Event{Kind: message.EventStatus, At: p.now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(p.t, "ago")) * time.Minute),
		Rank: message.Rank(rapid.IntRange(1, 3).Draw(p.t, "rank"))}
	if rapid.IntRange(0, 4).Draw(p.t, "failed") == 0 {
		ev.Failed, ev.Rank, ev.Code = true, 0, rapid.SampledFrom([]string{"131026", "131049", "131050", "131047"}).Draw(p.t, "code")
	}
	who := p.who()
	if rapid.IntRange(0, 3).Draw(p.t, "echo") > 0 {
		ev.Ref = message.NewRef(p.book.lineage, simCampaign, who, 1, rapid.IntRange(1, 3).Draw(p.t, "number"))
	}
	ev.ID = p.id(who)
	p.event(ev)
}

// event goes the whole way of a webhook, sometimes twice.
func (p *pairOf) event(ev message.Event) {
	body := fmt.Sprint(ev)
	d := delivery{body: body, at: p.now.UnixMilli(), events: []message.Event{ev}}
	got, err := p.store.Append(p.ctx, []state.Inbox{{Provider: "provider.sandbox.main", Received: p.now, Raw: []byte(body), Events: d.events}})
	p.same("append", got, []bool{p.book.accept(d)}, err, nil)
	if limit := rapid.IntRange(0, 3).Draw(p.t, "fold"); limit > 0 {
		n, err := p.store.Fold(p.ctx, limit)
		p.same("fold", n, p.book.fold(limit), err, nil)
	}
}

func (p *pairOf) same(what string, got, want any, err, wantErr error) {
	p.t.Helper()
	if (err == nil) != (wantErr == nil) || errors.Is(wantErr, state.ErrFenced) != errors.Is(err, state.ErrFenced) {
		p.t.Fatalf("%s: the store says %v, the model %v", what, err, wantErr)
	}
	if diff := cmp.Diff(want, got); err == nil && diff != "" {
		p.t.Fatalf("%s differs (-model +store):\n%s", what, diff)
	}
	tally, err := p.store.Tally(p.ctx, simCampaign, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	if diff := cmp.Diff(p.book.tally(simCampaign, 1), tally); diff != "" {
		p.t.Fatalf("after %s the tally differs (-model +store):\n%s", what, diff)
	}
}

// compare folds what waits and compares everything.
func (p *pairOf) compare() {
	if _, err := p.store.Fold(p.ctx, 1000); err != nil {
		p.t.Fatal(err)
	}
	p.book.fold(1000)
	got, err := storePicture(p.ctx, p.store)
	if err != nil {
		p.t.Fatal(err)
	}
	if diff := cmp.Diff(bookPicture(p.book), got); diff != "" {
		p.t.Fatalf("the state differs (-model +store):\n%s", diff)
	}
	if r, err := p.store.Verify(p.ctx); err != nil || !r.OK() {
		p.t.Fatalf("verify: %+v, %v", r, err)
	}
}

func line(key state.Key, send state.Send, number int, id string, proof state.Proof, rank message.Rank, failed string) string {
	return fmt.Sprintf("%s %s %d %q %s %s %q", key.Recipient, send, number, id, proof, rank, failed)
}

func bookPicture(b *book) string {
	var out []string
	for key := range b.byKey {
		send, a := b.latest(key)
		o := a.outcome
		if o == nil {
			o = &outcome{}
		}
		out = append(out, line(key, send, a.number, o.id, o.proof, a.rank, a.failCode))
	}
	for key, p := range b.people {
		if p.out || p.cooldown > 0 {
			out = append(out, fmt.Sprint(key, " ", p.out, " ", p.cooldown))
		}
	}
	for _, f := range b.findings {
		out = append(out, f.kind+" "+f.detail)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func storePicture(ctx context.Context, s *sqlite.Store) (string, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	defer snap.Close()
	var out []string
	for d, err := range snap.Deliveries(ctx, "") {
		if err != nil {
			return "", err
		}
		out = append(out, line(d.Key, d.Send, d.Attempt, d.ID, d.Proof, d.Rank, d.FailCode))
	}
	for p, err := range snap.People(ctx) {
		if err != nil {
			return "", err
		}
		cooldown := int64(0)
		if !p.Cooldown.IsZero() {
			cooldown = p.Cooldown.UnixMilli()
		}
		if p.OptedOut || cooldown > 0 {
			out = append(out, fmt.Sprint(p.Recipient, " ", p.OptedOut, " ", cooldown))
		}
	}
	findings, err := s.Findings(ctx)
	if err != nil {
		return "", err
	}
	for _, f := range findings {
		out = append(out, f.Kind+" "+f.Detail)
	}
	slices.Sort(out)
	return strings.Join(out, "\n"), nil
}
