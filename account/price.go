package account

import (
	"errors"
	"strings"
	"unicode"
)

// Price is an amount of money in one form: Amount has as many decimals as the
// currency has, so that two prices are equal exactly if they are the same money.
type Price struct {
	Amount   string // "19.90", "1980"
	Currency string // "EUR"; ISO 4217
}

// String is "19.90 EUR", as Meta's batches take it; "" for no price.
func (p Price) String() string {
	if p.Amount == "" {
		return ""
	}
	return p.Amount + " " + p.Currency
}

// decimals of currencies that have not two. Source: ISO 4217, list one, 2026-01-01.
var decimals = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0,
	"VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

func decimalsOf(currency string) int {
	if n, other := decimals[currency]; other {
		return n
	}
	return 2
}

var errPrice = errors.New(`a price is an amount with a point and a currency in capitals, such as "19.90 EUR"`)

// ParsePrice reads a declared amount of money: "19.90 EUR", and nothing else that
// could be understood in two ways. The error says what is wrong with it.
func ParsePrice(s string) (Price, error) {
	amount, currency, ok := strings.Cut(s, " ")
	if !ok || len(currency) != 3 || strings.Trim(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return Price{}, errPrice
	}
	whole, fraction, point := strings.Cut(amount, ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return Price{}, errPrice
	}
	return priceOf(whole, fraction, currency)
}

// priceOf makes a price of digits. More decimals than the currency has are an error,
// unless they are zero.
func priceOf(whole, fraction, currency string) (Price, error) {
	n := decimalsOf(currency)
	if len(fraction) > n {
		if strings.Trim(fraction[n:], "0") != "" {
			return Price{}, errors.New("it has more decimals than " + currency + " has")
		}
		fraction = fraction[:n]
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if n == 0 {
		return Price{whole, currency}, nil
	}
	return Price{whole + "." + fraction + strings.Repeat("0", n-len(fraction)), currency}, nil
}

// readPrice reads a price as a catalog tells it: a text for people, such as
// "€1,234.50", "1.234,50 €" or "Rp 250.000", beside the currency. ok is false for a
// text that can't be read, or only in two ways.
//
// Decimals stand behind the last separator if those are one or two digits, or as many
// as the currency has; otherwise three digits behind it are thousands.
func readPrice(text, currency string) (p Price, ok bool) {
	digits, separators, after := "", "", 0 // after counts the digits behind the last separator
	pending, ended := rune(0), false
	for _, c := range text {
		v, isDigit := digitOf(c)
		switch {
		case isDigit && ended, c == '-', c == '−', c == '(':
			return p, false
		case isDigit:
			if pending != 0 {
				separators, after, pending = separators+string(pending), 0, 0
			}
			digits += string(v)
			after++
		case digits == "":
		case isSeparator(c) && pending == 0:
			pending = c
		default:
			ended = true // letters, a sign, or a second separator
		}
	}
	if digits == "" || len(currency) != 3 || len(digits) > 15 {
		return p, false
	}
	runes := []rune(separators)
	fraction := 0
	if len(runes) > 0 {
		last := runes[len(runes)-1]
		repeated := strings.ContainsRune(string(runes[:len(runes)-1]), last)
		switch {
		case repeated && after != 3, unicode.IsSpace(last) && after != 3:
			return p, false
		case repeated, unicode.IsSpace(last), last == '\'', last == '’':
		case after <= 2 || after == decimalsOf(currency):
			fraction = after
		case after != 3:
			return p, false
		}
	}
	cut := len(digits) - fraction
	p, err := priceOf(digits[:cut], digits[cut:], strings.ToUpper(currency))
	return p, err == nil
}

// digitOf is the ASCII digit of a decimal digit of any script.
func digitOf(c rune) (byte, bool) {
	if c >= '0' && c <= '9' {
		return byte(c), true
	}
	if !unicode.Is(unicode.Nd, c) {
		return 0, false
	}
	for _, r := range unicode.Nd.R16 { // each script's digits are ten in a row, beginning with zero
		if lo := rune(r.Lo); c >= lo && c <= rune(r.Hi) {
			return byte('0' + (c-lo)%10), true
		}
	}
	return 0, false
}

func isSeparator(c rune) bool {
	return c == '.' || c == ',' || c == '\'' || c == '’' || c == '٫' || c == '٬' || unicode.IsSpace(c)
}
