package plan

import (
	"math/big"
	"slices"
)

// span is what messages cost at most and at least, where Meta's rates depend on what
// is not known.
type span struct {
	most, saved                       big.Rat
	service                           []serviceCount
	free, intl, volume, unknownVolume bool
}

type serviceCount struct {
	amount *big.Rat
	n      int
}

// add adds n messages.
func (s *span) add(r *price, n int) {
	most := r.atMost(n)
	s.most.Add(&s.most, most)
	switch r.category {
	case categoryService:
		if r.amount.Sign() > 0 {
			s.service, s.free = append(s.service, serviceCount{r.amount, n}), true
		}
	case categoryUtility, categoryAuthentication:
		// Marketing has no tiers. Source: Meta, pricing, read 2026-08-25.
		s.intl = s.intl || r.intl != nil
		if len(r.tiers) > 1 {
			s.volume = true
		}
		s.unknownVolume = s.unknownVolume || r.tiers == nil
		s.saved.Add(&s.saved, new(big.Rat).Sub(most, times(r.atLeast(), n)))
	}
}

// atMost is what n messages cost if they are the first ones of their month.
func (r *price) atMost(n int) *big.Rat {
	sum := new(big.Rat)
	if len(r.tiers) == 0 {
		sum = times(r.amount, n)
	}
	for i, t := range r.tiers {
		if n <= t.after {
			break
		}
		end := n
		if i+1 < len(r.tiers) {
			end = min(n, r.tiers[i+1].after)
		}
		sum.Add(sum, times(t.amount, end-t.after))
	}
	// The dearer rate counts, also where it is that of authentication-international.
	if r.intl != nil {
		if dear := times(r.intl, n); dear.Cmp(sum) > 0 {
			return dear
		}
	}
	return sum
}

// atLeast is what one message costs in the cheapest tier.
func (r *price) atLeast() *big.Rat {
	// There is no end to what a portfolio may have sent before.
	least := r.amount
	for _, t := range r.tiers {
		if t.amount.Cmp(least) < 0 {
			least = t.amount
		}
	}
	return least
}

// less takes off what service messages save if none of the number's free ones was
// sent yet.
func (s *span) less() {
	slices.SortFunc(s.service, func(a, b serviceCount) int { return b.amount.Cmp(a.amount) })
	// Which messages are free is not known either: those that save most.
	left := freeService
	for _, c := range s.service {
		n := min(left, c.n)
		s.saved.Add(&s.saved, times(c.amount, n))
		left -= n
	}
}

// depends names what the cost depends on and a plan cannot know.
func (s *span) depends() (out []string) {
	for _, d := range []struct {
		it   bool
		what string
	}{
		{s.free, "how many of the number's 1,000 free service messages of the month are left"},
		{s.volume, "how many such messages the portfolio sent this month"},
		{s.unknownVolume, "volume tiers, of which none are given: the list rate stands"},
		{s.intl, "whether authentication-international rates apply to the account"},
	} {
		if d.it {
			out = append(out, d.what)
		}
	}
	return out
}
