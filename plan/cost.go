package plan

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// The categories of a price file.
const (
	categoryService  = "service"
	categoryTemplate = "marketing"
)

// prices holds the rows of a price file.
type prices struct {
	currency string
	rows     []price
	index    map[string]int // "category\x00prefix" → rows
	longest  int            // digits of the longest prefix
}

// price is one line of a price file.
type price struct {
	prefix, category string
	amount           *big.Rat
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
			return at, fmt.Errorf("there is no column %q; it needs prefix, category, price and currency", want)
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
	p.rows = append(p.rows, price{prefix, strings.ToLower(field(1)), amount})
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

// add counts one message to phone.
func (c *costCount) add(p *prices, phone, category string) {
	i := p.find(phone, category)
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
	sum := new(big.Rat)
	out := &Cost{Currency: p.currency, Unpriced: c.unpriced, ByPrefix: map[string]int{}}
	for i, n := range c.rows {
		if n == 0 {
			continue
		}
		sum.Add(sum, new(big.Rat).Mul(p.rows[i].amount, big.NewRat(int64(n), 1)))
		out.ByPrefix[p.rows[i].prefix] += n
	}
	out.Amount = sum.FloatString(2)
	return out
}

// span is what one message of a category costs, in all countries of the file; "" if
// the file does not say.
func (p *prices) span(category string) string {
	var least, most *big.Rat
	for i := range p.rows {
		if p.rows[i].category != category {
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
	a, c := b.prices.span(one), b.prices.span(other)
	if a == "" || c == "" {
		return ""
	}
	return fmt.Sprintf(" By the price file a message costs %s as %s, and %s as %s, by country.", a, one, c, other)
}
