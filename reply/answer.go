package reply

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Answer is one rule that fires for one event. The caller makes its lookups in
// order, with Request and then Found or Missed, and asks Result what follows.
// It is used by one goroutine at a time.
//
//	for i := range a.Lookups() {
//		req, err := a.Request(i) // fetch it
//		err = a.Found(i, body)   // or a.Missed(i)
//	}
//	res, err := a.Result()
type Answer struct {
	rule   *rule
	ev     *state.InboundEvent
	vals   []message.Value
	limits func(string) message.Limits
}

// Rule returns the rule's address.
func (a *Answer) Rule() string { return a.rule.address }

// Match returns the named groups of the rule's pattern, as they matched. Groups that
// did not take part in the match are left out.
func (a *Answer) Match() map[string]string {
	out := map[string]string{}
	for i, name := range a.rule.program.Names {
		if group, ok := strings.CutPrefix(name, "match."); ok && a.vals[i].Kind == message.String {
			out[group] = a.vals[i].Text
		}
	}
	return out
}

// Replies reports whether the rule sends a message.
func (a *Answer) Replies() bool { return a.rule.program.Reply != nil }

// Marks reports whether the rule marks the person's message as read, and whether
// it also shows that an answer is being written.
func (a *Answer) Marks() (read, typing bool) {
	return a.rule.decl.MarkRead || a.rule.decl.Typing, a.rule.decl.Typing
}

// Forwards reports whether the rule hands the message on.
func (a *Answer) Forwards() bool { return a.rule.decl.Forward != nil }

// Lookup is a question to a service of the user's own.
type Lookup struct {
	Name     string
	Timeout  time.Duration
	Fallback bool // an answer is declared for when the service fails
}

// Lookups returns the rule's lookups, in the order in which they are made.
func (a *Answer) Lookups() []Lookup {
	out := make([]Lookup, len(a.rule.decl.Lookups))
	for i, lk := range a.rule.decl.Lookups {
		out[i] = Lookup{Name: lk.Name, Timeout: lk.Timeout, Fallback: lk.Fallback}
	}
	return out
}

// Request is the HTTP request of a lookup.
type Request struct {
	URL     string
	Method  string
	Body    string            // "" for none
	Headers map[string]string // may hold secrets: never to be logged
}

// Request makes the request of the i-th lookup.
func (a *Answer) Request(i int) (Request, error) {
	r, err := a.rule.program.LookupRequest(i, a.vals)
	if err != nil {
		return Request{}, fmt.Errorf("lookup %q of %s: %w", a.rule.decl.Lookups[i].Name, a.rule.address, err)
	}
	return Request{URL: r.URL, Method: r.Method, Body: r.Body, Headers: r.Headers}, nil
}

// errNoJSON is returned by Found for an answer that is not JSON.
var errNoJSON = errors.New("the answer is no JSON")

// Found takes the answer of the i-th lookup, which must be JSON.
func (a *Answer) Found(i int, body []byte) error {
	if !json.Valid(body) {
		return errNoJSON
	}
	a.setLookup(i, jsonValue(body))
	return nil
}

// Missed takes the fallback of the i-th lookup, since its service failed. It is
// an error when the rule declares none.
func (a *Answer) Missed(i int) error {
	lk := a.rule.decl.Lookups[i]
	if !lk.Fallback {
		return fmt.Errorf("lookup %q of %s has no fallback", lk.Name, a.rule.address)
	}
	v, err := a.rule.program.LookupFallback(i, a.vals)
	if err != nil {
		return fmt.Errorf("fallback of lookup %q of %s: %w", lk.Name, a.rule.address, err)
	}
	a.setLookup(i, v)
	return nil
}

// setLookup stores a lookup's result where the rule's expressions find it. If no
// expression uses the result, it is dropped.
func (a *Answer) setLookup(i int, v message.Value) {
	name := "lookup." + a.rule.decl.Lookups[i].Name
	if at := slices.Index(a.rule.program.Names, name); at >= 0 {
		a.vals[at] = v
	}
}

// Result is what a rule does.
type Result struct {
	// Message is the address of the message that is sent; "" for none.
	Message string
	Draft   *message.Draft
	Values  []string // of Draft's slots
	// Set are the attributes that the person gets; "" removes one.
	Set      map[string]string
	Handover bool
}

// Result evaluates the rule's message and attributes. A message that breaks a
// limit of WhatsApp is an error.
func (a *Answer) Result() (Result, error) {
	out := Result{Handover: a.rule.decl.Handover}
	set, err := a.rule.program.SetValues(a.vals)
	if err != nil {
		return out, fmt.Errorf("%s: %w", a.rule.address, err)
	}
	for i, name := range a.rule.decl.Set {
		if out.Set == nil {
			out.Set = map[string]string{}
		}
		out.Set[name] = set[i].Text
	}
	if a.rule.program.Reply == nil {
		return out, nil
	}
	return out, a.render(&out)
}

// render evaluates the message of the rule and checks it against the limits of
// the sending number's provider.
func (a *Answer) render(out *Result) error {
	p := a.rule.program.Reply
	if a.rule.decl.Reply.Category == "authentication" && a.ev.Event.From.Phone == "" {
		return fmt.Errorf("%s: WhatsApp delivers an authentication template to a phone number only, and this person is known by a user id", a.rule.address)
	}
	r := message.Recipient{Address: a.ev.Event.From, Attributes: a.vals}
	values, err := p.Eval(&r, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", a.rule.address, err)
	}
	for _, v := range message.Check(p.Draft.Render(values), a.limits(providerType(a.ev.Provider))) {
		if v.Severity == message.Error {
			return fmt.Errorf("%s: %s: %s", a.rule.address, v.Path, v.Detail)
		}
	}
	out.Message, out.Draft, out.Values = a.rule.decl.Reply.Address(), p.Draft, values
	return nil
}

// providerType returns the "cloud" of "provider.cloud.main".
func providerType(address string) string {
	const head = "provider."
	_, address = message.CutModule(address)
	if len(address) < len(head) {
		return ""
	}
	rest := address[len(head):]
	for i := range len(rest) {
		if rest[i] == '.' {
			return rest[:i]
		}
	}
	return rest
}
