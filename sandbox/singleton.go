package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Singleton is what a number has of a kind of which it has one, such as its business
// profile.
type Singleton struct {
	Kind   string `json:"kind"`             // "business_profile"
	Number string `json:"number,omitempty"` // or AccountID; in a script, "" for each number
	// Values are its attributes, under the names of the wire; null takes one out.
	Values map[string]json.RawMessage `json:"values"`
}

// SingletonRule makes requests about singletons go wrong.
type SingletonRule struct {
	Kind  string `json:"kind,omitempty"`  // "" for each
	Call  string `json:"call"`            // "read" or "write"
	Nth   int    `json:"nth,omitempty"`   // exactly the nth such request
	First int    `json:"first,omitempty"` // the first n; without both, each
	// Does is one of: "lost", it is carried out, and the connection cut before the
	// answer; "unseen", the same without being carried out; "ignored", it succeeds
	// and changes nothing; "fails", HTTP 500; "busy", 80008: too many calls.
	Does string `json:"does"`
}

const (
	singletonRead  = "read"
	singletonWrite = "write"

	singletonLost    = "lost"
	singletonUnseen  = "unseen"
	singletonIgnored = "ignored"
	singletonFails   = "fails"
	singletonBusy    = "busy"
)

func (s *Script) checkSingletons() []error {
	var errs []error
	calls, does := []string{singletonRead, singletonWrite}, []string{singletonLost, singletonUnseen, singletonIgnored, singletonFails, singletonBusy}
	for i, r := range s.SingletonRules {
		if !slices.Contains(calls, r.Call) || !slices.Contains(does, r.Does) {
			errs = append(errs, fmt.Errorf("sandbox script: singleton rule %d: call is one of %s, and does one of %s", i+1, strings.Join(calls, ", "), strings.Join(does, ", ")))
		}
	}
	for i, one := range s.Singletons {
		if singletonChecks[one.Kind] == nil {
			errs = append(errs, fmt.Errorf("sandbox script: singleton %d: kind is one of %s", i+1, strings.Join(slices.Sorted(maps.Keys(singletonChecks)), ", ")))
		}
	}
	return errs
}

// singletons are those of all numbers. It is safe for concurrent use.
type singletons struct {
	start   []Singleton
	rules   []SingletonRule
	unasked bool // addresses of webhooks are not asked

	mu     sync.Mutex
	asked  map[string]int // requests by call, and by call and kind
	held   map[string]map[string]map[string]json.RawMessage
	writes []string
}

func newSingletons(script *Script) *singletons {
	out := &singletons{asked: map[string]int{}, held: map[string]map[string]map[string]json.RawMessage{}}
	if script != nil {
		out.start, out.rules, out.unasked = script.Singletons, script.SingletonRules, script.Unasked
	}
	return out
}

// of returns what a number has of a kind; s.mu is held.
func (s *singletons) of(kind, number string) map[string]json.RawMessage {
	if s.held[number] == nil {
		s.held[number] = map[string]map[string]json.RawMessage{}
		for _, one := range s.start {
			if one.Number == "" || one.Number == number {
				s.held[number][one.Kind] = maps.Clone(one.Values)
			}
		}
	}
	if s.held[number][kind] == nil {
		s.held[number][kind] = map[string]json.RawMessage{}
	}
	return s.held[number][kind]
}

// change sets attributes; null takes one out. s.mu is held.
func (s *singletons) change(kind, number string, values map[string]json.RawMessage) {
	held := s.of(kind, number)
	for name, v := range values {
		if held[name] = v; string(v) == "null" {
			delete(held, name)
		}
	}
}

// rule says what goes wrong with a request; "" for nothing. s.mu is held.
func (s *singletons) rule(call, kind string) string {
	s.asked[call]++
	s.asked[call+" "+kind]++
	for _, r := range s.rules {
		n := s.asked[strings.TrimSpace(call+" "+r.Kind)]
		if r.Call == call && (r.Kind == "" || r.Kind == kind) && (r.Nth == 0 || r.Nth == n) && (r.First == 0 || n <= r.First) {
			return r.Does
		}
	}
	return ""
}

// PutSingleton changes attributes of what a number has, as somebody does in WhatsApp
// Manager.
func (s *Sandbox) PutSingleton(one Singleton) error {
	if singletonChecks[one.Kind] == nil || one.Number == "" {
		return errors.New("there is no such kind, or the number is missing")
	}
	s.singletons.mu.Lock()
	defer s.singletons.mu.Unlock()
	s.singletons.change(one.Kind, one.Number, one.Values)
	return nil
}

// Singletons returns what numbers have, sorted by number and kind. Numbers that nobody
// asked about or changed are left out.
func (s *Sandbox) Singletons() []Singleton {
	s.singletons.mu.Lock()
	defer s.singletons.mu.Unlock()
	out := []Singleton{}
	for _, number := range slices.Sorted(maps.Keys(s.singletons.held)) {
		for _, kind := range slices.Sorted(maps.Keys(s.singletons.held[number])) {
			if v := s.singletons.held[number][kind]; len(v) > 0 {
				out = append(out, Singleton{Kind: kind, Number: number, Values: maps.Clone(v)})
			}
		}
	}
	return out
}

// SingletonWrites returns all requests to change singletons that were carried out, as
// "KIND ATTRIBUTES", or refused.
func (s *Sandbox) SingletonWrites() []string {
	s.singletons.mu.Lock()
	defer s.singletons.mu.Unlock()
	return slices.Clone(s.singletons.writes)
}
