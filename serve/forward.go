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
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// forwardWorkers is how many forwards are made at a time.
const forwardWorkers = 8

// forwardLook is how often forwards are looked for that others left.
const forwardLook = 10 * time.Second

// forwards passes events on to the user's own services, independently of the
// answers.
type forwards struct {
	s    *Server
	wake chan struct{}
}

func newForwards(s *Server) *forwards { return &forwards{s: s, wake: make(chan struct{}, 1)} }

// loop makes the forwards that are due until ctx ends, and waits for those in
// progress. It claims only as many as it can begin at once.
func (f *forwards) loop(ctx context.Context) {
	over, running := make(chan struct{}), 0
	for ctx.Err() == nil {
		due, wait := f.claim(ctx, forwardWorkers-running)
		for _, one := range due {
			running++
			go func() {
				f.try(context.WithoutCancel(ctx), one)
				over <- struct{}{}
			}()
		}
		if len(due) > 0 && running < forwardWorkers {
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-over:
			running--
		case <-ctx.Done():
		case <-f.wake:
		case <-t.C:
		}
		t.Stop()
	}
	for range running {
		<-over
	}
}

// claim claims up to n forwards that are due, and returns how long to wait for the
// next ones.
func (f *forwards) claim(ctx context.Context, n int) ([]state.Forward, time.Duration) {
	if n == 0 {
		return nil, forwardLook
	}
	due, next, err := f.s.opt.Store.ClaimForwards(context.WithoutCancel(ctx), f.s.opt.Owner.ID, n)
	switch {
	case err != nil:
		f.s.stateFault(err)
		return nil, lookAgain
	case next.IsZero():
		return due, forwardLook
	}
	return due, min(max(next.Sub(f.s.opt.Now()), 0), forwardLook)
}

// try makes one attempt and records its result.
func (f *forwards) try(ctx context.Context, p state.Forward) {
	ev, found, err := f.s.opt.Store.Inbound(ctx, p.Event)
	if err != nil {
		f.s.stateFault(err)
		p.Due = f.s.opt.Now().Add(lookAgain)
		f.done(ctx, p, state.ForwardWaits)
		return
	}
	target, ok := f.s.currentRules(ctx).Forward(p.Rule)
	if !found || !ok { // the person was erased, or the rule hands nothing on any more
		f.done(ctx, p, state.ForwardOver)
		return
	}
	err = f.post(ctx, &ev, p.Rule, target)
	told := Event{Kind: EventForwarded, Provider: ev.Provider, Rule: p.Rule, Recipient: message.Mask(ev.Recipient), Err: err}
	became := state.ForwardOver
	switch {
	case err == nil:
	case f.giveUp(&p, err):
		told.Kind, became = EventDead, state.ForwardDead
	default:
		told.Kind, became = EventForward, state.ForwardWaits
		p.Due = f.s.opt.Now().Add(f.s.opt.ForwardBackoff[p.Attempts])
	}
	if err != nil {
		p.Attempts, p.Reason = p.Attempts+1, err.Error()
	}
	f.done(ctx, p, became)
	f.s.metrics.forwards.WithLabelValues(string(told.Kind)).Inc()
	f.s.opt.Observe(told)
}

// giveUp reports whether a forward that failed is not tried again: its schedule is
// over, or the service answered that it is gone.
func (f *forwards) giveUp(p *state.Forward, err error) bool {
	var status *statusError
	return p.Attempts >= len(f.s.opt.ForwardBackoff) || errors.As(err, &status) && status.code == http.StatusGone
}

// done records what became of a forward. If the state fails, the forward is made
// again when the limit is over; services recognise repetitions by webhook-id.
func (f *forwards) done(ctx context.Context, p state.Forward, became state.ForwardState) {
	if err := f.s.opt.Store.DoneForward(ctx, f.s.opt.Owner.ID, p, became); err != nil {
		f.s.stateFault(err)
	}
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
