package plan

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
)

// freeService is how many service messages a month are free for each sending number.
// Source: Meta, pricing of non-template messages, 2026-08-25; since 2026-10-01.
const freeService = 1000

// maxPriceFile bounds a price file, in bytes.
const maxPriceFile = 16 << 20

const (
	categoryUtility        = "utility"
	categoryAuthentication = "authentication"
	columnIntl             = "authentication-international"
)

// rateColumns are the columns of Meta's rates, apart from Market and Currency. Their
// order has changed before, so they are found by their names. Source: Meta, rate
// cards, as read on 2026-11-30 in copies.
var rateColumns = []string{"marketing", categoryUtility, categoryAuthentication, columnIntl, categoryService}

// readPriceFiles reads a price file, or Meta's rates with, if tiers is not nil, the
// volume tiers that belong to them.
func readPriceFiles(file, tiers io.Reader) (*prices, error) {
	data, err := readPriceFile(file)
	if err != nil {
		return nil, err
	}
	lines, header, err := rateLines(data)
	switch {
	case err != nil:
		return nil, err
	case header < 0 && tiers != nil:
		return nil, errors.New("volume tiers go with Meta's rates, a file with the columns Market, Currency, Marketing and so on")
	case header < 0:
		return readPrices(bytes.NewReader(data))
	}
	p, err := readRates(lines, header)
	if err != nil || tiers == nil {
		return p, err
	}
	if data, err = readPriceFile(tiers); err == nil {
		err = p.readTiers(data)
	}
	if err != nil {
		return nil, fmt.Errorf("the volume tiers: %w", err)
	}
	return p, nil
}

// readPriceFile reads a whole file, of maxPriceFile bytes at most.
func readPriceFile(file io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, maxPriceFile+1))
	if err == nil && len(data) > maxPriceFile {
		err = fmt.Errorf("it has more than %d MB", maxPriceFile>>20)
	}
	return data, err
}

// line is one line of a file of Meta's.
type line struct {
	at     int
	fields []string
}

// rateLines splits a file of Meta's, which begins with remarks. header is the index
// of the line that names the columns, -1 if it is no such file.
func rateLines(data []byte) (lines []line, header int, err error) {
	in := csv.NewReader(bytes.NewReader(data))
	in.FieldsPerRecord, in.LazyQuotes, in.TrimLeadingSpace = -1, true, true
	header = -1
	for {
		record, err := in.Read()
		if err == io.EOF {
			return lines, header, nil
		}
		if err != nil {
			return nil, -1, err
		}
		at, _ := in.FieldPos(0)
		for i := range record {
			record[i] = strings.TrimSpace(strings.TrimPrefix(record[i], "\ufeff"))
		}
		if lines = append(lines, line{at, record}); len(lines) > maxPrices {
			return nil, -1, fmt.Errorf("it has more than %d lines", maxPrices)
		}
		if header < 0 && column(record, "market") >= 0 {
			header = len(lines) - 1
		}
	}
}

// column returns the index of the first column with one of these names, -1 for none.
func column(header []string, names ...string) int {
	return slices.IndexFunc(header, func(field string) bool {
		return slices.Contains(names, strings.ToLower(strings.NewReplacer(" ", "-", "_", "-").Replace(field)))
	})
}

// readRates reads Meta's rates: a line for a market, a column for a category. "n/a" is
// no rate. Remarks come before the header, and have been skipped.
//
//	Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service
//	Germany,EUR,0.1131,0.0456,0.0456,n/a,0.0456
//	India,EUR,0.0099,0.0012,0.0012,0.0252,0.0012
//	Other,EUR,0.0500,0.0064,0.0064,n/a,0.0064
func readRates(lines []line, header int) (*prices, error) {
	market, currency := column(lines[header].fields, "market"), column(lines[header].fields, "currency")
	if currency < 0 {
		return nil, errors.New("there is no column Currency beside Market")
	}
	at := map[string]int{}
	for _, name := range rateColumns {
		if i := column(lines[header].fields, name); i >= 0 {
			at[name] = i
		}
	}
	if _, ok := at["marketing"]; !ok {
		return nil, errors.New("there is no column Marketing beside Market")
	}
	p := &prices{meta: true, index: map[string]int{}}
	byMarket := map[string]map[string]*big.Rat{}
	for _, l := range lines[header+1:] {
		field := func(i int) string {
			if i < len(l.fields) {
				return l.fields[i]
			}
			return ""
		}
		if field(market) == "" {
			continue
		}
		rates, err := p.rate(byMarket, field(market), field(currency))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", l.at, err)
		}
		for name, i := range at {
			if rates[name], err = rateOf(field(i)); err != nil {
				return nil, fmt.Errorf("line %d: %s of %s: %w", l.at, name, field(market), err)
			}
		}
	}
	if p.currency == "" {
		return nil, errors.New("it has no line with rates")
	}
	p.spread(byMarket)
	return p, nil
}

// rate begins the rates of a market. All rates are of one currency.
func (p *prices) rate(byMarket map[string]map[string]*big.Rat, market, currency string) (map[string]*big.Rat, error) {
	key := marketKey(market)
	currency = currencyOf(currency)
	switch {
	case !marketNames[key]:
		return nil, fmt.Errorf("handbill does not know the market %q, so it cannot tell whose rates these are; a newer version may", market)
	case byMarket[key] != nil:
		return nil, fmt.Errorf("the market %q has a second line", market)
	case len(currency) != 3 || strings.Trim(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return nil, fmt.Errorf("%q is no currency such as EUR", currency)
	case p.currency != "" && p.currency != currency:
		return nil, fmt.Errorf("its currency is %s, the others' is %s; costs in two currencies can't be added", currency, p.currency)
	}
	p.currency = currency
	byMarket[key] = map[string]*big.Rat{}
	return byMarket[key], nil
}

// currencyOf is a currency as files of Meta's have it.
func currencyOf(s string) string {
	if s = strings.ToUpper(s); s == "$US" { // Meta writes dollars of the United States so
		return "USD"
	}
	return s
}

// rateOf reads a rate; nil for none.
func rateOf(s string) (*big.Rat, error) {
	switch strings.ToLower(s) {
	case "", "n/a", "-":
		return nil, nil
	}
	return parseAmount(strings.TrimPrefix(s, "$"))
}

// spread gives each country the rates of its market.
func (p *prices) spread(byMarket map[string]map[string]*big.Rat) {
	rows := map[string]int{}
	add := func(country, name string) {
		rates := byMarket[marketKey(name)]
		for _, category := range []string{"marketing", categoryUtility, categoryAuthentication, categoryService} {
			key := category + "\x00" + name
			if _, ok := rows[key]; !ok {
				rows[key] = len(p.rows)
				row := price{market: name, category: category, amount: rates[category]}
				if category == categoryAuthentication {
					row.intl = rates[columnIntl]
				}
				p.rows = append(p.rows, row)
			}
			p.index[category+"\x00"+country] = rows[key]
		}
	}
	for code, m := range marketOf {
		// A row of the country's own wins over that of its region.
		if byMarket[marketKey(m.name)] != nil || m.region == "" {
			add(code, m.name)
		} else {
			add(code, m.region)
		}
	}
	add("*", otherMarkets)
}

// findMarket is find for Meta's rates: -1 where the country is not known.
func (p *prices) findMarket(to message.Address, category string) int {
	code, _, _ := strings.Cut(country(to), " ")
	if code == "" {
		return -1
	}
	for _, where := range []string{code, "*"} {
		if i, ok := p.index[category+"\x00"+where]; ok {
			return i
		}
	}
	return -1
}

// readTiers reads volume tiers: a line for a tier of a market and category, with the
// first and the last message of the month that it holds for. Tiers of one market and
// category follow on each other.
//
//	market,category,from,to,rate
//	Germany,utility,0,100000,0.0456
//	Germany,utility,100001,,0.0433
func (p *prices) readTiers(data []byte) error {
	lines, header, err := rateLines(data)
	if err != nil {
		return err
	}
	if header < 0 {
		return errors.New("there is no column market; it needs market, category, from, to and rate")
	}
	var at [5]int
	for i, names := range [...][]string{{"market"}, {"category"}, {"tier-start", "from", "start"}, {"tier-end", "to", "end"}, {"rate", "unit-rate", "price"}} {
		if at[i] = column(lines[header].fields, names...); at[i] < 0 {
			return fmt.Errorf("there is no column %s; it needs market, category, from, to and rate", names[0])
		}
	}
	rows := map[string]*price{}
	for i := range p.rows {
		rows[p.rows[i].category+"\x00"+marketKey(p.rows[i].market)] = &p.rows[i]
	}
	currency := column(lines[header].fields, "currency")
	ends := map[*price]int{} // the last message of the tiers so far
	for _, l := range lines[header+1:] {
		if slices.Max(at[:]) >= len(l.fields) {
			continue // a remark
		}
		field := func(i int) string { return l.fields[at[i]] }
		if !marketNames[marketKey(field(0))] {
			return fmt.Errorf("line %d: handbill does not know the market %q", l.at, field(0))
		}
		if !slices.Contains(rateColumns, strings.ToLower(field(1))) {
			return fmt.Errorf("line %d: %q is no category: it is one of %s", l.at, field(1), strings.Join(rateColumns, ", "))
		}
		if currency >= 0 && currency < len(l.fields) && currencyOf(l.fields[currency]) != p.currency {
			return fmt.Errorf("line %d: its currency is %s, that of the rates is %s", l.at, l.fields[currency], p.currency)
		}
		row := rows[strings.ToLower(field(1))+"\x00"+marketKey(field(0))]
		if row == nil || row.amount == nil {
			continue // a market or a category that the rates do not have by itself
		}
		if ends[row], err = row.tier(field(2), field(3), field(4), ends[row]); err != nil {
			return fmt.Errorf("line %d: %w", l.at, err)
		}
	}
	if len(ends) == 0 {
		return errors.New("they have no line for a market and category of the rates")
	}
	return nil
}

// tier adds a tier that follows on the message end, and returns its last message; 0
// for one without an end.
func (r *price) tier(from, to, rate string, end int) (int, error) {
	first, err := messageNumber(from)
	amount, bad := rateOf(rate)
	switch {
	case err != nil:
		return 0, err
	case bad != nil || amount == nil:
		return 0, cmp.Or(bad, errAmount)
	// Tiers follow on each other without a gap, or a cost could be anything there.
	case len(r.tiers) > 0 && end == 0:
		return 0, errors.New("it follows on a tier without an end")
	// Some files count the first message as 0, others as 1.
	case max(first, 1) != end+1:
		return 0, fmt.Errorf("it begins with message %s, and the tier before ends with message %d", from, end)
	// The first tier is the list rate, and later ones are cheaper, or the upper end of a
	// cost would be too low. Source: Meta, pricing, read 2026-08-25.
	case end == 0 && amount.Cmp(r.amount) != 0:
		return 0, fmt.Errorf("the first tier costs %s, and the rates say %s: these files are not of the same currency or quarter", rate, strings.TrimSuffix(strings.TrimRight(r.amount.FloatString(6), "0"), "."))
	case end > 0 && amount.Cmp(r.tiers[len(r.tiers)-1].amount) > 0:
		return 0, fmt.Errorf("it costs %s, more than the tier before", rate)
	}
	r.tiers = append(r.tiers, tier{end, amount})
	switch strings.ToLower(to) {
	case "", "-", "n/a", "inf", "infinity", "unlimited":
		return 0, nil
	}
	last, err := messageNumber(to)
	if err == nil && last <= end {
		err = fmt.Errorf("it ends with message %s, before it begins", to)
	}
	return last, err
}

// messageNumber reads a count such as 100,000.
func messageNumber(s string) (int, error) {
	n, err := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no number of messages", s)
	}
	return n, nil
}
