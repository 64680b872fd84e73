package plan

import (
	"math/big"
	"time"

	"github.com/handbill/handbill/lang"
)

// rated reports messages that Meta's file has no rate for, or whose rate it may have no
// more when they leave. It is false where a rate is missing.
func (b *builder) rated(decl *lang.Campaign, c *Campaign, counts *costCount) bool {
	b.ratesChange(decl, c)
	whole := true
	for i, n := range counts.rows {
		if row := &b.prices.rows[i]; n > 0 && row.amount == nil {
			b.diags = append(b.diags, fail("price_missing", decl.DeclRange, "The file of rates has none for %s messages to %s, and %s would get one. Take a newer file of Meta's, or a price file of your own.",
				row.category, row.market, recipients(n)))
			whole = false
		}
	}
	return whole
}

// ratesChange warns of a campaign that begins to send after Meta's rates may have
// changed: at the first midnight of a quarter, of whichever time zone is the account's.
// Source: Meta, updates to pricing, read 2026-08-25.
func (b *builder) ratesChange(decl *lang.Campaign, c *Campaign) {
	at := b.in.At.UTC()
	change := time.Date(at.Year(), (at.Month()-1)/3*3+4, 1, 0, 0, 0, 0, time.UTC)
	begins := at
	for _, t := range []time.Time{c.Next, notBefore(decl.Schedule)} {
		if t.After(begins) {
			begins = t
		}
	}
	if first := change.Add(-14 * time.Hour); !begins.Before(first) {
		b.diags = append(b.diags, warn("price_date", decl.DeclRange, "%s may begin to send after Meta's rates change on %s. The file of rates holds until then.", c.Address, change.Format(time.DateOnly)))
	}
}

// notBefore is when a schedule begins; zero if it has no beginning.
func notBefore(s *lang.Schedule) time.Time {
	if s == nil {
		return time.Time{}
	}
	return s.NotBefore
}

// guardPrice refuses a campaign that may cost more than its price_guard allows.
func (b *builder) guardPrice(decl *lang.Campaign, c *Campaign) {
	guard := decl.PriceGuard
	if guard == nil {
		return
	}
	refuse := func(format string, a ...any) {
		b.diags = append(b.diags, fail("price_guard", guard.DeclRange, format, a...))
	}
	if guard.Max.Amount != "" {
		c.CostLimit = guard.Max.String()
	}
	// The upper end of a range counts: nobody knows that it will be less.
	switch limit, ok := new(big.Rat).SetString(guard.Max.Amount); {
	case !ok:
		refuse("max has no value, so nothing says what the campaign may cost.")
	case c.Cost == nil && b.in.Templates.Unread: // such plans are not sent
	case c.Cost == nil:
		refuse("What the campaign costs is not known: name a price file, as in -prices=rates.csv.")
	case c.Cost.Currency != guard.Max.Currency:
		refuse("The prices are in %s, and max is in %s.", c.Cost.Currency, guard.Max.Currency)
	case c.Cost.Unpriced > 0:
		refuse("%s would get a message for which there is no price.", recipients(c.Cost.Unpriced))
	case amount(c.Cost).Cmp(limit) > 0:
		refuse("The campaign costs %s %s at most, more than the %s that max allows.", c.Cost.Amount, c.Cost.Currency, guard.Max)
	}
}
