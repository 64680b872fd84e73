package plan

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// scope holds the choices of -target, -exclude, -replace and -retry. A recipient
// is the same under every id and in every spelling of a number.
//
// -exclude wins over -target. Naming a recipient also names the campaign:
// -target='campaign.spring["+49…"]' plans that campaign, for that person alone.
// None of the four overrides a rule of delivery: -replace sends nothing to somebody
// who opted out.
type scope struct {
	in, out map[string]bool      // resources; in is nil without -target
	only    map[string][]string  // campaign → the recipients that are targeted
	never   map[string][]string  // campaign → the recipients that are excluded
	again   map[string]*replaced // campaign → who gets it again
	retry   string
	who     *ties
	moved   map[string]string // old address → the one that a moved block gives it
}

// replaced holds the recipients of a campaign whom -replace names.
type replaced struct {
	all  bool
	keys []string
}

// newScope reads the options. addresses are those in the configuration or the
// state. An address in neither is an error, since a typing mistake in -target would
// plan nothing, and in -exclude everything. An address without a key stands for all
// blocks of its for_each, and the old address of what a moved block renames for the
// new one.
func newScope(cfg *lang.Config, opt Options, addresses []string, who *ties) (*scope, hcl.Diagnostics) {
	s := &scope{only: map[string][]string{}, never: map[string][]string{}, again: map[string]*replaced{}, retry: opt.Retry, who: who, moved: renames(cfg, addresses)}
	resources := cfg.Resources()
	var diags hcl.Diagnostics
	each := func(option string, given []string, choose func(address, recipient string)) {
		for _, a := range given {
			list, recipient := meant(a, addresses)
			if len(list) == 0 {
				diags = append(diags, fail("option_address", hcl.Range{},
					"-%s=%s: there is no such resource. Addresses are those that `handbill plan` and `handbill state list` print.", option, maskAddress(a)))
			}
			for _, address := range list {
				choose(s.now(address), recipient)
			}
		}
	}
	each("target", opt.Target, func(address, recipient string) { s.target(resources, address, recipient) })
	each("exclude", opt.Exclude, func(address, recipient string) { s.exclude(resources, address, recipient) })
	each("replace", opt.Replace, s.replace)
	return s, diags
}

// meant returns the resources that a person names, and the recipient; "" for none.
// campaign.spring["+49…"] is a recipient of a campaign, campaign.spring["de"] a
// campaign where there is one with this key.
func meant(a string, addresses []string) (list []string, recipient string) {
	a = state.Quoted(a)
	if list = named(a, addresses); len(list) > 0 {
		return list, ""
	}
	base, recipient, ok := state.SplitAddress(a)
	if !ok || message.AddressType(base) != "campaign" {
		return nil, ""
	}
	return named(base, addresses), recipient
}

// named are the resources at an address: itself, and all of its for_each or module.
// Both are there while a block gets its first keys.
func named(a string, addresses []string) []string {
	var out []string
	for _, known := range addresses {
		if base, _, ok := state.SplitAddress(known); known == a || ok && base == a || message.InModule(a, known) {
			out = append(out, known)
		}
	}
	return out
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
				if resources[i].Type == "audience" && message.AddressType(ref) == "campaign" {
					continue // an audience reads what became of a campaign: that is no wish to send it
				}
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

// replace plans a campaign again, for one recipient, or for all with "".
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

// renames are the new addresses of what is declared elsewhere by now, by the old ones.
func renames(cfg *lang.Config, addresses []string) map[string]string {
	moves := cfg.Moves(addresses)
	next := map[string]string{}
	for _, m := range moves {
		next[m.From] = m.To
	}
	out := map[string]string{}
	for from, to := range next {
		for range moves { // a chain has no more links than there are blocks
			if next[to] == "" {
				break
			}
			to = next[to]
		}
		out[from] = to
	}
	return out
}

// now is the address that a resource has once the plan is applied.
func (s *scope) now(address string) string {
	if to := s.moved[address]; to != "" {
		return to
	}
	return address
}

// covers reports whether the resource at address is planned. What a moved block renames
// is one resource, under either address: were the old one planned without the new one,
// it would be removed, and its history with it.
func (s *scope) covers(address string) bool {
	address = s.now(address)
	return (s.in == nil || s.in[address]) && !s.out[address]
}

// targeted reports whether the recipient of a campaign is planned.
func (s *scope) targeted(campaign, key string) bool {
	if only := s.only[campaign]; only != nil && !slices.Contains(only, key) {
		return false
	}
	return !slices.Contains(s.never[campaign], key)
}

// partly reports whether the campaign is planned for some recipients only.
func (s *scope) partly(campaign string) bool { return s.only[campaign] != nil }

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
