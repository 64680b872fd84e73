package eval

import (
	"math/big"
	"slices"
	"strings"
)

// currencies are the active codes of ISO 4217 (list one, as of 2025-01-01) by their
// number of decimals, without metals, funds and test codes.
var currencies = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
	2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP " +
		"CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR " +
		"JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN " +
		"NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP " +
		"SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
}

func currencyDecimals(code string) (int, bool) {
	if len(code) != 3 {
		return 0, false
	}
	for decimals, codes := range currencies {
		if slices.Contains(strings.Fields(codes), code) {
			return decimals, true
		}
	}
	return 0, false
}

// fixed returns f with the given number of decimals, halves rounded away from zero.
// It uses the decimal form of f, so that 1.005 is rounded as it is written.
func fixed(f *big.Float, decimals int) string {
	r, ok := new(big.Rat).SetString(f.Text('f', -1))
	if !ok {
		return "0"
	}
	s := r.FloatString(decimals)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return s
}

// moneyStyle is how a locale writes money, according to CLDR 46.
type moneyStyle struct {
	point, group string
	prefix       bool   // the symbol stands before the number
	space        string // between symbol and number
}

const noBreakSpace, narrowSpace = "\u00a0", "\u202f"

func moneyStyles() map[string]moneyStyle {
	continental := moneyStyle{point: ",", group: ".", space: noBreakSpace}
	spaced := moneyStyle{point: ",", group: noBreakSpace, space: noBreakSpace}
	return map[string]moneyStyle{
		"en": {point: ".", group: ",", prefix: true},
		"de": continental, "es": continental, "it": continental, "id": {point: ",", group: ".", prefix: true, space: noBreakSpace},
		"fr": {point: ",", group: narrowSpace, space: noBreakSpace},
		"nl": {point: ",", group: ".", prefix: true, space: noBreakSpace},
		"pl": spaced, "ru": spaced, "uk": spaced, "cs": spaced, "sv": spaced,
		"pt":    spaced,
		"pt-br": {point: ",", group: ".", prefix: true, space: noBreakSpace},
		"tr":    {point: ",", group: ".", prefix: true},
	}
}

func localeNames() string {
	var names []string
	for name := range moneyStyles() {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// localeStyle accepts "de", "de-AT" and "de_AT". It uses the region if it is known,
// else the language.
func localeStyle(locale string) (moneyStyle, bool) {
	styles := moneyStyles()
	locale = strings.ReplaceAll(strings.ToLower(locale), "_", "-")
	if style, ok := styles[locale]; ok {
		return style, true
	}
	language, _, _ := strings.Cut(locale, "-")
	style, ok := styles[language]
	return style, ok
}

func currencySymbol(code string) string {
	switch code {
	case "EUR":
		return "€"
	case "USD":
		return "$"
	case "GBP":
		return "£"
	case "JPY":
		return "¥"
	case "INR":
		return "₹"
	case "BRL":
		return "R$"
	case "TRY":
		return "₺"
	case "IDR":
		return "Rp"
	}
	return code
}

func (s moneyStyle) write(digits, currency string) string {
	digits, negative := strings.CutPrefix(digits, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	number := group(whole, s.group)
	if fraction != "" {
		number += s.point + fraction
	}
	sign := ""
	if negative {
		sign = "-"
	}
	symbol := currencySymbol(currency)
	if !s.prefix {
		return sign + number + s.space + symbol
	}
	space := s.space
	if symbol == currency {
		space = noBreakSpace // a code is always separated from the number
	}
	return sign + symbol + space + number
}

// group puts sep between thousands.
func group(whole, sep string) string {
	var b strings.Builder
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(sep)
		}
		b.WriteByte(whole[i])
	}
	return b.String()
}
