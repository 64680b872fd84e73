package plan

import (
	"strings"
	"testing"
)

// FuzzPrices checks that a price file is refused, or every number can be looked
// up in it and no price is negative.
func FuzzPrices(f *testing.F) {
	f.Add("prefix,category,price,currency\n49,marketing,0.1131,EUR\n*,service,0,EUR\n")
	f.Add("\ufeffcurrency,price,category,prefix\nUSD,1e9,utility,+1\n# a comment\nUSD,.5,utility,1416\n")
	f.Add("prefix,category,price,currency\n49,marketing,\"0\n1\",EUR\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := readPrices(strings.NewReader(text))
		if err != nil {
			return
		}
		for i := range p.rows {
			if p.rows[i].amount.Sign() < 0 {
				t.Errorf("row %d is paid to us: %v", i, p.rows[i])
			}
		}
		for _, phone := range []string{"+4915112345678", "+1416", "+", ""} {
			if i := p.find(phone, "marketing"); i >= len(p.rows) {
				t.Errorf("%q has the row %d of %d", phone, i, len(p.rows))
			}
		}
	})
}
