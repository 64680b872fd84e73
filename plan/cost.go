package plan

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/handbill/handbill/message"
)

// categoryService is the category of what is no template.
const categoryService = "service"

// prices are those of a price file, or of Meta's rates.
type prices struct {
	currency string
	rows     []price
	index    map[string]int // "category\x00prefix", or with Meta's rates "category\x00country" → rows
	longest  int            // digits of the longest prefix
	meta     bool           // they are Meta's rates
}

// price is what messages of one category cost: of one line of a price file, or in one
// of Meta's markets.
type price struct {
	prefix, category string
	market           string   // "" in a price file
	amount           *big.Rat // nil where Meta's file has no rate
	intl             *big.Rat // as authentication-international; nil where there is no such rate
	tiers            []tier   // of a month's messages, first the one of the first message; nil if none is known
}

// tier is what a message costs after a number of messages in the same month.
type tier struct {
	after  int
	amount *big.Rat
}

// maxPrices bounds a price file: there are about 250 countries and a handful
// of categories.
const maxPrices = 100_000

// readPrices reads a price file: CSV with the columns prefix (digits, or * for
// all others), category, price (decimal) and currency.
//
//	prefix,category,price,currency
//	49,marketing,0.1131,EUR
//	4915,marketing,0.1150,EUR
//	*,marketing,0.05,EUR
//
// The longest prefix of a number decides. All prices are in one currency: a sum
// of two currencies means nothing. Lines that begin with # are comments.
func readPrices(r io.Reader) (*prices, error) {
	in := csv.NewReader(r)
	in.Comment = '#'
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err == io.EOF {
		return nil, errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("reading its header: %w", err)
	}
	at, err := priceColumns(header)
	if err != nil {
		return nil, err
	}
	p := &prices{index: map[string]int{}}
	for {
		record, err := in.Read()
		if err == io.EOF {
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		if err := p.add(record, at); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// priceColumns are the indexes of prefix, category, price and currency.
func priceColumns(header []string) (at [4]int, err error) {
	for i, want := range [...]string{"prefix", "category", "price", "currency"} {
		at[i] = -1
		for j, name := range header {
			if strings.TrimPrefix(strings.TrimSpace(name), "\ufeff") == want {
				at[i] = j
			}
		}
		if at[i] < 0 {
			return at, fmt.Errorf("there is no column %q. A price file has prefix, category, price and currency, and Meta's rates have Market, Currency, Marketing and so on; commas separate them, not semicolons, and it is UTF-8", want)
		}
	}
	return at, nil
}

// add takes a line of a price file. All lines must have one currency.
func (p *prices) add(record []string, at [4]int) error {
	field := func(i int) string { return strings.TrimSpace(record[at[i]]) }
	prefix := strings.TrimPrefix(field(0), "+")
	if prefix != "*" && (prefix == "" || strings.Trim(prefix, "0123456789") != "" || len(prefix) > 15) {
		return fmt.Errorf("%q is no prefix: digits such as 49, or *", field(0))
	}
	amount, err := parseAmount(field(2))
	if err != nil {
		return err
	}
	currency := strings.ToUpper(field(3))
	switch {
	case p.currency == "":
		p.currency = currency
	case p.currency != currency:
		return fmt.Errorf("its currency is %s, the others' is %s; costs in two currencies can't be added", currency, p.currency)
	}
	key := strings.ToLower(field(1)) + "\x00" + prefix
	if _, twice := p.index[key]; twice {
		return fmt.Errorf("prefix %s has a second price for %s", prefix, field(1))
	}
	if len(p.rows) == maxPrices {
		return fmt.Errorf("it has more than %d prices", maxPrices)
	}
	p.index[key] = len(p.rows)
	p.rows = append(p.rows, price{prefix: prefix, category: strings.ToLower(field(1)), amount: amount})
	if prefix != "*" {
		p.longest = max(p.longest, len(prefix))
	}
	return nil
}

var errAmount = errors.New("the price is no decimal number such as 0.1131")

// parseAmount reads a price exactly as it is written, so that a sum over millions
// of messages is rounded once, when it is shown.
func parseAmount(s string) (*big.Rat, error) {
	if len(s) > 20 || s == "" || strings.Trim(s, "0123456789.") != "" {
		return nil, errAmount
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, errAmount
	}
	return r, nil
}

// find returns the index of the row with the longest prefix of the number, -1 for
// none.
func (p *prices) find(phone, category string) int {
	digits := strings.TrimPrefix(phone, "+")
	var buf [48]byte
	key := append(append(buf[:0], category...), 0)
	n := len(key)
	for length := min(p.longest, len(digits)); length > 0; length-- {
		if i, ok := p.index[string(append(key[:n], digits[:length]...))]; ok {
			return i
		}
	}
	if i, ok := p.index[string(append(key[:n], '*'))]; ok {
		return i
	}
	return -1
}

// costCount counts messages by price.
type costCount struct {
	rows     []int
	unpriced int
}

// add counts one message.
func (c *costCount) add(p *prices, to message.Address, category string) {
	var i int
	if p.meta {
		i = p.findMarket(to, category)
	} else {
		i = p.find(to.Phone, category)
	}
	if i < 0 {
		c.unpriced++
		return
	}
	if c.rows == nil {
		c.rows = make([]int, len(p.rows))
	}
	c.rows[i]++
}

// cost returns the estimate, rounded once, at the end. Messages without a price
// are counted separately and add nothing to it.
func (c *costCount) cost(p *prices) *Cost {
	out := &Cost{Currency: p.currency, Unpriced: c.unpriced, ByPrefix: map[string]int{}}
	var s span
	for i, n := range c.rows {
		row := &p.rows[i]
		switch {
		case n == 0:
		case row.amount == nil:
			out.Unpriced += n
		case p.meta:
			if out.ByMarket == nil {
				out.ByMarket = map[string]int{}
			}
			out.ByMarket[row.market] += n
			s.add(row, n)
		default:
			out.ByPrefix[row.prefix] += n
			s.most.Add(&s.most, times(row.amount, n))
		}
	}
	out.Amount = s.most.FloatString(2)
	if p.meta {
		s.less()
		least := new(big.Rat).Sub(&s.most, &s.saved)
		if out.Least = least.FloatString(2); out.Least == out.Amount {
			out.Least = ""
		}
		out.Depends = s.depends()
	}
	return out
}

// times is the price of n messages.
func times(amount *big.Rat, n int) *big.Rat {
	return new(big.Rat).Mul(amount, big.NewRat(int64(n), 1))
}

// each is what one message of a category costs, in all countries of the file; "" if
// the file does not say.
func (p *prices) each(category string) string {
	var least, most *big.Rat
	for i := range p.rows {
		if p.rows[i].category != category || p.rows[i].amount == nil {
			continue
		}
		if amount := p.rows[i].amount; least == nil {
			least, most = amount, amount
		} else if amount.Cmp(least) < 0 {
			least = amount
		} else if amount.Cmp(most) > 0 {
			most = amount
		}
	}
	switch {
	case least == nil:
		return ""
	case least.Cmp(most) == 0:
		return least.FloatString(4) + " " + p.currency
	}
	return least.FloatString(4) + " to " + most.FloatString(4) + " " + p.currency
}

// compared is a sentence, after a space, about what a message costs in two categories;
// "" without a price file that has both.
func (b *builder) compared(one, other string) string {
	if b.prices == nil {
		return ""
	}
	a, c := b.prices.each(one), b.prices.each(other)
	if a == "" || c == "" {
		return ""
	}
	return fmt.Sprintf(" By the price file a message costs %s as %s, and %s as %s, by country.", a, one, c, other)
}
