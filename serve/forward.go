package serve

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// The names under which the state keeps forwards that are due and forwards that
// were given up. The names hold the event and the rule, and nothing that a person
// wrote.
const (
	forwardPrefix = "forward/"
	deadPrefix    = "forward_dead/"
)

// forwardWorkers is how many forwards are made at a time.
const forwardWorkers = 8

// pending is an event that a service has not taken yet.
type pending struct {
	Seq      int64     `json:"seq"`
	Rule     string    `json:"rule"`
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next"`
	Reason   string    `json:"reason,omitempty"` // why the last attempt failed
}

func (p *pending) name() string { return strconv.FormatInt(p.Seq, 10) + "/" + p.Rule }

// forwards passes events on to the user's own services, independently of the
// answers.
type forwards struct {
	s    *Server
	wake chan struct{}

	mu      sync.Mutex
	waiting map[string]*pending
	busy    map[string]bool
}

func newForwards(s *Server) *forwards {
	return &forwards{s: s, wake: make(chan struct{}, 1), waiting: map[string]*pending{}, busy: map[string]bool{}}
}

// load reads the forwards that an earlier server left.
func (f *forwards) load(ctx context.Context) error {
	blobs, err := f.s.opt.Store.Blobs(ctx, forwardPrefix)
	if err != nil {
		return err
	}
	dead, err := f.s.opt.Store.Blobs(ctx, deadPrefix)
	if err != nil {
		return err
	}
	f.s.metrics.dead.Set(float64(len(dead)))
	if f.s.opt.RetryDead {
		for name, data := range dead {
			if err := f.revive(ctx, name, data, blobs); err != nil {
				return err
			}
		}
		f.s.metrics.dead.Set(0)
	}
	for name, data := range blobs {
		p := &pending{}
		if err := json.Unmarshal(data, p); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f.waiting[p.name()] = p
	}
	return nil
}

// revive makes a forward that was given up due again.
func (f *forwards) revive(ctx context.Context, name string, data []byte, blobs map[string][]byte) error {
	p := &pending{}
	if err := json.Unmarshal(data, p); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	p.Attempts, p.Next, p.Reason = 0, time.Time{}, ""
	fresh := forwardPrefix + p.name()
	blobs[fresh] = encodePending(p)
	return f.s.opt.Store.PutAll(ctx, map[string][]byte{name: nil, fresh: blobs[fresh]})
}

func encodePending(p *pending) []byte {
	data, err := json.Marshal(p)
	if err != nil { // cannot happen: strings, numbers and a time
		panic("serve: encoding a forward: " + err.Error())
	}
	return data
}

// add makes a forward durable. Adding it again changes nothing.
func (f *forwards) add(ctx context.Context, seq int64, rule string) error {
	p := &pending{Seq: seq, Rule: rule}
	f.mu.Lock()
	known := f.waiting[p.name()] != nil
	f.mu.Unlock()
	if known {
		return nil
	}
	if err := f.s.opt.Store.PutAll(ctx, map[string][]byte{forwardPrefix + p.name(): encodePending(p)}); err != nil {
		return err
	}
	f.mu.Lock()
	f.waiting[p.name()] = p
	f.mu.Unlock()
	wake(f.wake)
	return nil
}

// loop makes the forwards that are due until ctx ends, and waits for those in
// progress.
func (f *forwards) loop(ctx context.Context) {
	free := make(chan struct{}, forwardWorkers)
	var wg sync.WaitGroup
	defer wg.Wait()
	for ctx.Err() == nil {
		p, next := f.due()
		if p == nil {
			t := time.NewTimer(next)
			select {
			case <-ctx.Done():
			case <-f.wake:
			case <-t.C:
			}
			t.Stop()
			continue
		}
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return
		}
		wg.Go(func() {
			defer func() { <-free }()
			f.try(context.WithoutCancel(ctx), p)
			f.mu.Lock()
			delete(f.busy, p.name())
			f.mu.Unlock()
			wake(f.wake)
		})
	}
}

// due returns a forward whose time has come, or how long to wait for the next.
func (f *forwards) due() (*pending, time.Duration) {
	now := f.s.opt.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	next := time.Minute
	for name, p := range f.waiting {
		if f.busy[name] {
			continue
		}
		if d := p.Next.Sub(now); d > 0 {
			next = min(next, d)
			continue
		}
		f.busy[name] = true
		return p, 0
	}
	return nil, next
}

// try makes one attempt and records its result.
func (f *forwards) try(ctx context.Context, p *pending) {
	ev, found, err := f.s.opt.Store.Inbound(ctx, p.Seq)
	if err != nil {
		f.s.stateFault(err)
		f.put(p, func(p *pending) { p.Next = f.s.opt.Now().Add(lookAgain) })
		return
	}
	target, ok := f.s.currentRules(ctx).Forward(p.Rule)
	if !found || !ok { // the person was erased, or the rule hands nothing on any more
		f.close(ctx, p, map[string][]byte{forwardPrefix + p.name(): nil})
		return
	}
	err = f.post(ctx, &ev, p.Rule, target)
	told := Event{Kind: EventForwarded, Provider: ev.Provider, Rule: p.Rule, Recipient: message.Mask(ev.Recipient), Err: err}
	switch {
	case err == nil:
		f.close(ctx, p, map[string][]byte{forwardPrefix + p.name(): nil})
	case f.giveUp(p, err):
		told.Kind = EventDead
		p.Attempts, p.Reason = p.Attempts+1, err.Error()
		f.close(ctx, p, map[string][]byte{forwardPrefix + p.name(): nil, deadPrefix + p.name(): encodePending(p)})
		f.s.metrics.dead.Inc()
	default:
		told.Kind = EventForward
		f.retry(ctx, p, err)
	}
	f.s.metrics.forwards.WithLabelValues(string(told.Kind)).Inc()
	f.s.opt.Observe(told)
}

// giveUp reports whether a forward that failed is not tried again: its schedule is
// over, or the service answered that it is gone.
func (f *forwards) giveUp(p *pending, err error) bool {
	var status *statusError
	return p.Attempts >= len(f.s.opt.ForwardBackoff) || errors.As(err, &status) && status.code == http.StatusGone
}

// retry sets the time of the next attempt.
func (f *forwards) retry(ctx context.Context, p *pending, cause error) {
	f.put(p, func(p *pending) {
		p.Next, p.Reason = f.s.opt.Now().Add(f.s.opt.ForwardBackoff[p.Attempts]), cause.Error()
		p.Attempts++
	})
	if err := f.s.opt.Store.PutAll(ctx, map[string][]byte{forwardPrefix + p.name(): encodePending(p)}); err != nil {
		f.s.stateFault(err)
	}
}

func (f *forwards) put(p *pending, change func(*pending)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(p)
}

// close ends a forward. If the state fails, the next server repeats the forward;
// services recognise repetitions by webhook-id.
func (f *forwards) close(ctx context.Context, p *pending, blobs map[string][]byte) {
	if err := f.s.opt.Store.PutAll(ctx, blobs); err != nil {
		f.s.stateFault(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiting, p.name())
}

// Forwarded is the body of a forward.
type Forwarded struct {
	Type      string        `json:"type"` // "message.received"
	Timestamp time.Time     `json:"timestamp"`
	Data      ForwardedData `json:"data"`
}

// ForwardedData is what a person wrote, tapped or ordered.
type ForwardedData struct {
	Rule     string `json:"rule"`
	Provider string `json:"provider"`
	ID       string `json:"id"`
	From     struct {
		Phone  string `json:"phone,omitempty"`
		UserID string `json:"user_id,omitempty"`
		Name   string `json:"name,omitempty"`
	} `json:"from"`
	Kind      string          `json:"kind"` // Meta's type: "text", "interactive", "order", …
	Text      string          `json:"text,omitempty"`
	ReplyKind string          `json:"reply_kind,omitempty"`
	ReplyID   string          `json:"reply_id,omitempty"`
	ContextID string          `json:"context_id,omitempty"`
	Campaign  string          `json:"campaign,omitempty"` // address of what it answers
	Message   string          `json:"message,omitempty"`
	Order     *reply.Order    `json:"order,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	Ad        string          `json:"ad,omitempty"`
}

// forwarded returns the form of an event that a service gets.
func forwarded(ev *state.InboundEvent, rule string) *Forwarded {
	e := &ev.Event
	f := &Forwarded{Type: "message.received", Timestamp: reply.EventTime(ev).UTC(), Data: ForwardedData{
		Rule: rule, Provider: ev.Provider, ID: e.ID, Kind: e.Type, Text: e.Text, ReplyKind: e.ReplyKind, ReplyID: e.ReplyID,
		ContextID: e.ContextID, Campaign: ev.Campaign, Message: ev.Message, Order: reply.OrderOf(e.Order), Ad: e.Ad}}
	f.Data.From.Phone, f.Data.From.UserID, f.Data.From.Name = e.From.Phone, e.From.UserID, e.ProfileName
	if json.Valid([]byte(e.Data)) {
		f.Data.Data = json.RawMessage(e.Data)
	}
	return f
}

// post makes the request, signed as standardwebhooks.com describes.
func (f *forwards) post(ctx context.Context, ev *state.InboundEvent, rule string, to reply.Forward) error {
	body, err := ForwardBody(ev, rule)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("its address is no URL")
	}
	id := f.id(ev.Seq, rule)
	at := strconv.FormatInt(f.s.opt.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", at)
	if to.Secret != "" {
		r.Header.Set("Webhook-Signature", Sign(to.Secret, id, at, body))
	}
	_, err = f.s.do(r, maxAnswer)
	return err
}

// id returns the webhook-id of a forward, the same for every attempt.
func (f *forwards) id(seq int64, rule string) string {
	sum := sha256.Sum256([]byte(f.s.lineage + "\x00" + strconv.FormatInt(seq, 10) + "\x00" + rule))
	return "msg_" + hex.EncodeToString(sum[:12])
}

// Sign returns the webhook-signature of a forward: "v1," and the HMAC-SHA256 of id,
// timestamp and body, in base64. A secret that begins with "whsec_" is base64.
// Source: standardwebhooks.com, spec, 2026-11-20.
func Sign(secret, id, timestamp string, body []byte) string {
	key := []byte(secret)
	if rest, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(rest); err == nil {
			key = raw
		}
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
