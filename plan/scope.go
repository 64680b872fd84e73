package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// scope holds the choices of -target, -exclude, -replace and -retry. A recipient
// is the same under every id and in every spelling of a number.
//
// -exclude wins over -target. A choice of a recipient is one of the campaign too:
// -target='campaign.spring["+49…"]' plans that campaign, for that person alone.
// None of the four lifts a rule of delivery: who opted out gets nothing by -replace.
type scope struct {
	in, out map[string]bool      // resources; in is nil without -target
	only    map[string][]string  // campaign → the recipients that are targeted
	never   map[string][]string  // campaign → the recipients that are excluded
	again   map[string]*replaced // campaign → who gets it again
	retry   string
	who     *ties
}

// replaced holds the recipients of a campaign whom -replace names.
type replaced struct {
	all  bool
	keys []string
}

// newScope reads the options. known says whether the configuration or the state
// has an address; one that neither has is an error, since a typing mistake in
// -target would plan nothing, and in -exclude everything.
func newScope(cfg *lang.Config, opt Options, known func(address string) bool, who *ties) (*scope, hcl.Diagnostics) {
	s := &scope{only: map[string][]string{}, never: map[string][]string{}, again: map[string]*replaced{}, retry: opt.Retry, who: who}
	resources := cfg.Resources()
	var diags hcl.Diagnostics
	check := func(option, a string) (address, recipient string, ok bool) {
		address, recipient, ok = splitAddress(a)
		ok = ok && known(address) && (recipient == "" || strings.HasPrefix(address, "campaign."))
		if !ok {
			diags = append(diags, fail("option_address", hcl.Range{},
				"-%s=%s: there is no such resource. Addresses are those that `handbill plan` and `handbill state list` print.", option, maskAddress(a)))
		}
		return address, recipient, ok
	}
	for _, a := range opt.Target {
		if address, recipient, ok := check("target", a); ok {
			s.target(resources, address, recipient)
		}
	}
	for _, a := range opt.Exclude {
		if address, recipient, ok := check("exclude", a); ok {
			s.exclude(resources, address, recipient)
		}
	}
	for _, a := range opt.Replace {
		if address, recipient, ok := check("replace", a); ok {
			s.replace(address, recipient)
		}
	}
	return s, diags
}

// splitAddress splits campaign.spring["+49…"] into address and recipient.
func splitAddress(a string) (address, recipient string, ok bool) {
	open := strings.IndexByte(a, '[')
	if open < 0 {
		return a, "", a != ""
	}
	inner, closed := strings.CutSuffix(a[open+1:], "]")
	recipient, err := strconv.Unquote(inner)
	return a[:open], recipient, closed && err == nil && recipient != ""
}

// target includes a resource and everything that it refers to.
func (s *scope) target(resources []lang.Resource, address, recipient string) {
	if s.in == nil {
		s.in = map[string]bool{}
	}
	if recipient != "" {
		s.only[address] = append(s.only[address], s.who.person(message.Canonical(recipient)))
	}
	if s.in[address] {
		return
	}
	s.in[address] = true
	for i := range resources {
		if resources[i].Address == address {
			for _, ref := range resources[i].Refs {
				s.target(resources, ref, "")
			}
		}
	}
}

// exclude leaves out a resource and everything that refers to it.
func (s *scope) exclude(resources []lang.Resource, address, recipient string) {
	if recipient != "" {
		s.never[address] = append(s.never[address], s.who.person(message.Canonical(recipient)))
		return
	}
	if s.out[address] {
		return
	}
	if s.out == nil {
		s.out = map[string]bool{}
	}
	s.out[address] = true
	for i := range resources {
		if slices.Contains(resources[i].Refs, address) {
			s.exclude(resources, resources[i].Address, "")
		}
	}
}

// replace sends a campaign again, to one recipient or to all for "".
func (s *scope) replace(address, recipient string) {
	r := s.again[address]
	if r == nil {
		r = &replaced{}
		s.again[address] = r
	}
	if recipient == "" {
		r.all = true
	} else {
		r.keys = append(r.keys, s.who.person(message.Canonical(recipient)))
	}
}

// covers reports whether the resource at address is planned.
func (s *scope) covers(address string) bool {
	return (s.in == nil || s.in[address]) && !s.out[address]
}

// targeted reports whether the recipient of a campaign is planned.
func (s *scope) targeted(campaign, key string) bool {
	if only := s.only[campaign]; only != nil && !slices.Contains(only, key) {
		return false
	}
	return !slices.Contains(s.never[campaign], key)
}

// replaces reports whether the recipient gets the campaign again.
func (s *scope) replaces(campaign, key string) bool {
	r := s.again[campaign]
	return r != nil && (r.all || slices.Contains(r.keys, key))
}

// retries reports whether a recipient who was refused with code is planned
// again.
func (s *scope) retries(code string) bool {
	return s.retry == "failed" || s.retry != "" && s.retry == code
}
