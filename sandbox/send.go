package sandbox

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRequest bounds a request's body, in bytes.
const maxRequest = 4 << 20

// answer is an HTTP answer.
type answer struct {
	status     int
	typ        string // "" is JSON
	retryAfter int    // seconds
	body       []byte
}

// wire encodes verdicts in a provider's format.
type wire interface {
	// accepted is the answer to a message that was taken; status is "" or
	// Meta's message_status.
	accepted(o *outbound, m receipt) answer
	refused(r *refusal) answer
	// late reports whether Meta's verdict comes by webhook only.
	late() bool
}

// receipt identifies an accepted message.
type receipt struct {
	n      uint32
	id     string
	status string // Meta's message_status of templates
	queued bool   // 1msg: only a job so far
	noID   bool   // leave the id out
}

// verdict is what the network decided about one POST.
type verdict struct {
	answer   answer
	refusal  *refusal
	scripted bool
	double   bool
	rule     *Rule
}

// send handles every send, whatever its wire format.
func (s *Sandbox) send(w http.ResponseWriter, r *http.Request, num *number, wr wire, decode func([]byte) (*outbound, *refusal)) {
	now := s.opt.Clock()
	n := s.ledger.open(num, now)
	within := num.arrive(now, s.opt.Throughput)
	if rule := s.script.pick(num, nil); rule != nil {
		s.finish(w, r, n, verdict{rule: rule, scripted: true})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		s.finish(w, r, n, refuse(wr, &refusal{code: 100, http: http.StatusRequestEntityTooLarge, details: "the body is too large or was cut off"}))
		return
	}
	o, bad := decode(body)
	if bad != nil {
		s.finish(w, r, n, refuse(wr, bad))
		return
	}
	faulty := o.check()
	s.ledger.describe(n, o)
	if !within {
		s.finish(w, r, n, refuse(wr, &refusal{code: 130429, details: "Message failed to send because there were too many messages sent from this phone number in a short period of time"}))
		return
	}
	rule := s.script.pick(num, o)
	s.finish(w, r, n, s.judge(num, wr, o, n, now, faulty, rule))
}

func refuse(wr wire, r *refusal) verdict { return verdict{answer: wr.refused(r), refusal: r} }

// judge accepts or refuses a message.
func (s *Sandbox) judge(num *number, wr wire, o *outbound, n uint32, now time.Time, faulty *refusal, rule *Rule) verdict {
	fails := 0
	if rule != nil {
		fails = rule.failure(wr)
		if fails == 0 && !rule.accepts() {
			return scripted(wr, rule)
		}
	}
	if faulty == nil {
		faulty = s.policy(num, o, now)
	}
	if faulty == nil && o.typ == "template" {
		faulty = s.templates.judge(o.content)
	}
	if faulty != nil {
		if !wr.late() {
			return refuse(wr, faulty)
		}
		fails = faulty.code
	}
	v := verdict{rule: rule, scripted: rule != nil, double: s.ledger.take(n, fails)}
	m := s.receipt(o, n, now, rule)
	s.chats.sent(num, o, m, now)
	s.scheduleStatuses(num, o, m, now, fails)
	if rule != nil && rule.Answer != nil && rule.failure(wr) == 0 {
		v.answer = scripted(wr, rule).answer
	} else {
		v.answer = wr.accepted(o, m)
	}
	return v
}

// failure returns the code with which an accepted message fails later; 0 for
// none. On a wire format that reports Meta's verdict by webhook only, a Meta code
// in the rule's answer counts too.
func (r *Rule) failure(wr wire) int {
	if r.Answer == nil || r.Answer.HTTP != 0 || !wr.late() {
		return r.Fails
	}
	code, err := strconv.Atoi(string(r.Answer.Code))
	if err != nil {
		return 0
	}
	return code
}

func (s *Sandbox) receipt(o *outbound, n uint32, now time.Time, rule *Rule) receipt {
	m := receipt{n: n, id: messageID(s.key, digitsOf(o.to), n, now)}
	if o.typ == "template" {
		m.status = "accepted"
	}
	if rule != nil {
		m.queued, m.noID = rule.Behaviour == Queued, rule.Behaviour == NoID200
		if rule.Behaviour == Held {
			m.status = "held_for_quality_assessment"
		}
	}
	return m
}

// scripted encodes a rule's answer.
func scripted(wr wire, rule *Rule) verdict {
	a := rule.Answer
	if a == nil {
		return verdict{scripted: true, rule: rule}
	}
	r := &refusal{http: a.HTTP, details: a.Details}
	if code, err := strconv.Atoi(string(a.Code)); err == nil {
		r.code = code
	} else {
		r.word = string(a.Code)
	}
	v := verdict{answer: wr.refused(r), refusal: r, scripted: true, rule: rule}
	if a.HTTP != 0 {
		v.answer.status = a.HTTP
	}
	if a.Body != nil {
		v.answer.body, v.answer.typ = a.Body, ""
	}
	if a.Text != "" {
		v.answer.body, v.answer.typ = []byte(a.Text), "text/plain; charset=utf-8"
	}
	v.answer.retryAfter = a.RetryAfter
	return v
}

// policy returns why WhatsApp refuses a well-formed message; nil if it does not.
func (s *Sandbox) policy(num *number, o *outbound, now time.Time) *refusal {
	switch {
	case o.to == num.display:
		return &refusal{code: 131021, details: "The sender and the recipient are the same"}
	case s.opt.FailureRate > 0 && float64(hashString(s.key^7, o.to)>>11)/(1<<53) < s.opt.FailureRate:
		return &refusal{code: 131026, details: "Message Undeliverable"}
	case o.typ != "template" && !s.opt.AssumeOpen && !num.windowOpen(o.to, now):
		return &refusal{code: 131047, details: "Message failed to send because more than 24 hours have passed since the customer last replied to this number."}
	case s.opt.PairLimit && !num.pair(o.to, now):
		return &refusal{code: 131056, details: "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time."}
	}
	return nil
}

// finish writes the ledger entry, waits for the latency, and answers.
func (s *Sandbox) finish(w http.ResponseWriter, r *http.Request, n uint32, v verdict) {
	err := s.ledger.close(n, s.misanswer(v), s.key)
	if err != nil {
		s.note(err)
	}
	if !s.pause(r.Context(), n, v.rule) {
		return
	}
	if v.rule != nil && v.rule.Behaviour != "" {
		s.misbehave(w, r, v)
		return
	}
	v.answer.write(w)
}

// pause waits for the latency; false when the client has gone away.
func (s *Sandbox) pause(ctx context.Context, n uint32, rule *Rule) bool {
	d := time.Duration(float64(s.opt.Latency) * (0.5 + roll(s.key, 6, uint64(n))))
	if rule != nil && rule.Behaviour != Slow {
		d += time.Duration(rule.DelayMS) * time.Millisecond
	}
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	case <-s.closed:
		return false
	}
}

func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	typ := a.typ
	if typ == "" {
		typ = "application/json"
	}
	h["Content-Type"] = []string{typ}
	h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	if a.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	w.WriteHeader(a.status)
	// If the client has gone away, the ledger still has the answer.
	_, _ = w.Write(a.body)
}

// badToken reports whether a credential is refused.
func (s *Sandbox) badToken(token string) bool {
	return token == "" || s.bad[strings.ToLower(token)]
}
