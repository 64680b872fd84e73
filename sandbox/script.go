package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// Script makes chosen sends go wrong. Its rules are tried in order and the
// first that applies decides.
type Script struct {
	Rules []Rule `json:"rules"`
	// Templates are the account's templates at the start.
	Templates []Template `json:"templates,omitempty"`
	// Review lists what Meta decides about templates, and EditByHand what somebody
	// does in WhatsApp Manager. Each happens after its own delay.
	Review     []Review     `json:"review,omitempty"`
	EditByHand []EditByHand `json:"edit_by_hand,omitempty"`
	// LostAnswer lists the template changes whose answers get lost.
	LostAnswer []LostAnswer `json:"lost_answer,omitempty"`
	// Catalogs are the catalogs at the start. Without one, every number that is asked for
	// is an empty catalog.
	Catalogs []Catalog `json:"catalogs,omitempty"`
	// CatalogRules make requests about catalogs go wrong, BatchAfter is how long a batch
	// of products takes, and ProductReview is what Meta decides about products.
	CatalogRules  []CatalogRule   `json:"catalog_rules,omitempty"`
	BatchAfter    Duration        `json:"batch_after,omitempty"`
	ProductReview []ProductReview `json:"product_review,omitempty"`
	// Singletons are what numbers have one of at the start, and SingletonRules make
	// requests about it go wrong.
	Singletons     []Singleton     `json:"singletons,omitempty"`
	SingletonRules []SingletonRule `json:"singleton_rules,omitempty"`
	// Unasked says that addresses of webhooks are not asked whether they are right.
	Unasked bool `json:"webhooks_unasked,omitempty"`
}

// Rule says which sends it applies to and what happens to them: an answer, a
// misbehaviour of the connection, or a failure after acceptance.
type Rule struct {
	Match Match `json:"match"`
	// Answer is a refusal in the provider's own wire format.
	Answer *ScriptAnswer `json:"answer,omitempty"`
	// Behaviour is one of Behaviours.
	Behaviour Behaviour `json:"behaviour,omitempty"`
	// Accepts says whether the network accepts the message although it
	// misbehaves; nil is the behaviour's own default (see Behaviour).
	Accepts *bool `json:"accepts,omitempty"`
	// Fails accepts the message and later reports failed with Meta's code.
	Fails int `json:"fails,omitempty"`
	// DelayMS is how long the answer is held back, in milliseconds.
	DelayMS int `json:"delay_ms,omitempty"`
}

// Match chooses sends. Empty fields match all. Nth, Every, First and Share
// count the sends that the other fields of this rule match.
type Match struct {
	Provider Provider `json:"provider,omitempty"`
	Number   string   `json:"number,omitempty"`
	To       string   `json:"to,omitempty"`       // a phone number in any spelling, or a user id
	Kind     string   `json:"kind,omitempty"`     // "text", "list", "template", …
	Contains string   `json:"contains,omitempty"` // the message's JSON holds this
	Nth      int      `json:"nth,omitempty"`      // exactly the nth
	Every    int      `json:"every,omitempty"`    // every nth
	First    int      `json:"first,omitempty"`    // the first n
	Share    float64  `json:"share,omitempty"`    // this share, chosen by the seed
}

// ScriptAnswer is a refusal: a code of Meta or of the provider, or a raw body.
type ScriptAnswer struct {
	Code       Code            `json:"code,omitempty"`
	HTTP       int             `json:"http,omitempty"` // 0: the code's own status
	Details    string          `json:"details,omitempty"`
	RetryAfter int             `json:"retry_after,omitempty"` // seconds
	Body       json.RawMessage `json:"body,omitempty"`        // sent unchanged in place of a code
	Text       string          `json:"text,omitempty"`        // sent as plain text in place of a code
}

// Code is Meta's number or a provider's word ("131056", "WA500"); JSON may
// write it as a number or as a string.
type Code string

// UnmarshalJSON takes a number or a string.
func (c *Code) UnmarshalJSON(b []byte) error {
	*c = Code(strings.Trim(string(b), `"`))
	return nil
}

// Behaviour is a way for an answer to go wrong.
type Behaviour string

// Behaviours, and whether the network takes the message unless Accepts says
// otherwise.
const (
	ResetBeforeRead Behaviour = "reset_before_read" // connection reset before the body is read; never taken
	ResetAfterRead  Behaviour = "reset_after_read"  // reset after the body was read; not taken
	Silence         Behaviour = "silence"           // no answer ever; not taken
	HTTP500         Behaviour = "http_500"          // not taken
	HTML502         Behaviour = "html_502"          // a proxy's page; not taken
	Redirect307     Behaviour = "redirect_307"      // not taken
	HalfBody        Behaviour = "half_body"         // cut off in the middle; taken
	Garbage200      Behaviour = "garbage_200"       // 200, not JSON; taken
	NoID200         Behaviour = "no_id_200"         // 200 without a message id; taken
	Slow            Behaviour = "slow"              // the answer trickles for DelayMS (default a second); taken
	Gzip            Behaviour = "gzip"              // compressed although the client did not ask for it; taken
	Oversize        Behaviour = "oversize"          // 2 MiB of answer; taken
	Held            Behaviour = "held"              // message_status held_for_quality_assessment; taken
	Queued          Behaviour = "queued"            // 1msg: sent:false with a jobId; taken
)

// taken returns whether the message is taken by default.
func (b Behaviour) taken() (taken, known bool) {
	switch b {
	case ResetBeforeRead, ResetAfterRead, Silence, HTTP500, HTML502, Redirect307:
		return false, true
	case HalfBody, Garbage200, NoID200, Slow, Gzip, Oversize, Held, Queued:
		return true, true
	}
	return false, false
}

// ParseScript reads a script's JSON and checks it.
func ParseScript(b []byte) (*Script, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var s Script
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("sandbox script: %w", err)
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return &s, nil
}

// Check reports every rule that can't be carried out.
func (s *Script) Check() error {
	var errs []error
	for i, r := range s.Rules {
		if err := r.check(); err != nil {
			errs = append(errs, fmt.Errorf("sandbox script: rule %d: %w", i+1, err))
		}
	}
	errs = append(errs, s.checkTemplates()...)
	errs = append(errs, s.checkCatalogs()...)
	errs = append(errs, s.checkSingletons()...)
	return errors.Join(errs...)
}

func (r Rule) check() error {
	n := 0
	for _, set := range []bool{r.Answer != nil, r.Behaviour != "", r.Fails != 0} {
		if set {
			n++
		}
	}
	if n != 1 {
		return errors.New("exactly one of answer, behaviour and fails is needed")
	}
	if r.Behaviour != "" {
		if _, known := r.Behaviour.taken(); !known {
			return fmt.Errorf("unknown behaviour %q", r.Behaviour)
		}
	}
	if a := r.Answer; a != nil && a.Code == "" && a.HTTP == 0 {
		return errors.New("an answer needs a code or an http status")
	}
	if r.Behaviour == ResetBeforeRead && (r.Match.To != "" || r.Match.Kind != "" || r.Match.Contains != "" || r.accepts()) {
		return errors.New("reset_before_read knows neither recipient nor message and accepts nothing")
	}
	if r.Match.Share < 0 || r.Match.Share > 1 {
		return errors.New("share must be between 0 and 1")
	}
	return nil
}

// accepts reports whether the network takes the message.
func (r Rule) accepts() bool {
	if r.Accepts != nil {
		return *r.Accepts
	}
	taken, _ := r.Behaviour.taken()
	return taken || r.Fails != 0
}

// player counts a script's rules while it runs.
type player struct {
	mu     sync.Mutex
	rules  []Rule
	counts []int
	key    uint64
}

func newPlayer(s *Script, key uint64) *player {
	p := &player{key: key}
	if s != nil {
		p.rules, p.counts = s.Rules, make([]int, len(s.Rules))
	}
	return p
}

// pick returns the rule for a send. Before its body is read o is nil, and only
// rules with ResetBeforeRead are tried.
func (p *player) pick(n *number, o *outbound) *Rule {
	if len(p.rules) == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.rules {
		r := &p.rules[i]
		if (r.Behaviour == ResetBeforeRead) != (o == nil) || !r.Match.fits(n, o) {
			continue
		}
		p.counts[i]++
		if r.Match.counts(p.counts[i], roll(p.key, uint64(1000+i), uint64(p.counts[i]))) {
			return r
		}
	}
	return nil
}

func (m Match) fits(n *number, o *outbound) bool {
	if (m.Provider != "" && m.Provider != n.provider) || (m.Number != "" && m.Number != n.id) {
		return false
	}
	if o == nil {
		return true
	}
	return (m.To == "" || userKey(m.To) == o.to) &&
		(m.Kind == "" || m.Kind == o.kind || m.Kind == o.typ) &&
		(m.Contains == "" || bytes.Contains(o.content, []byte(m.Contains)))
}

func (m Match) counts(k int, luck float64) bool {
	return (m.Nth == 0 || k == m.Nth) && (m.Every == 0 || k%m.Every == 0) &&
		(m.First == 0 || k <= m.First) && (m.Share == 0 || luck < m.Share)
}
