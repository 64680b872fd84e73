package message

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// format is the form of a text beyond its type.
type format struct {
	valid  func(string) bool
	detail string
}

// formats are the forms of texts, by the name of their limit.
var formats = map[string]format{
	"template.name": {
		func(s string) bool { return madeOf(s, "abcdefghijklmnopqrstuvwxyz0123456789_") },
		"A template's name has only lower-case letters, digits and underscores. Write it as WhatsApp Manager shows it.",
	},
	"template.language": {
		isLanguage,
		"A template's language is a code such as \"en\" or \"es_MX\", as WhatsApp Manager shows it.",
	},
	"template.currency.code": {
		func(s string) bool { return len(s) == 3 && madeOf(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") },
		"A currency is its code of three capital letters in ISO 4217, such as \"EUR\".",
	},
	"template.currency.amount_1000": {
		func(s string) bool { return madeOf(strings.TrimPrefix(s, "-"), digits) },
		"The amount is a whole number: the price times 1000.",
	},
	"lto.expires": {
		func(s string) bool { return madeOf(s, digits) && len(s) == 13 },
		"The end of a limited-time offer is a Unix time in milliseconds, a whole number of 13 digits.",
	},
	"location.latitude": {
		decimalWithin(90),
		"A latitude is a decimal number of degrees from -90 to 90, such as \"52.5163\".",
	},
	"location.longitude": {
		decimalWithin(180),
		"A longitude is a decimal number of degrees from -180 to 180, such as \"13.3777\".",
	},
	"contact.birthday": {
		func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil },
		"A birthday is written YYYY-MM-DD.",
	},
	"contact.email": {
		func(s string) bool { at := strings.IndexByte(s, '@'); return at > 0 && at < len(s)-1 && noSpace(s) },
		"An e-mail address has an @ with something on both sides and no spaces.",
	},
	"contact.wa_id": {
		func(s string) bool { return madeOf(s, digits) },
		"A WhatsApp id is the number in digits with the country code, without \"+\".",
	},
	"reaction.emoji": {
		isEmoji,
		"A reaction is one emoji, such as \"\U0001F44D\"; an empty one removes it.",
	},
	"address.country": {
		func(s string) bool { return s == "IN" },
		"Address requests exist for India only, so the country is \"IN\".",
	},
}

const digits = "0123456789"

// madeOf reports whether s has only characters of set, and at least one.
func madeOf(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

func noSpace(s string) bool { return strings.IndexFunc(s, unicode.IsSpace) < 0 }

// isLanguage accepts "en", "fil", "es_MX", "zh_Hant_TW".
func isLanguage(s string) bool {
	base, rest, more := strings.Cut(s, "_")
	if len(base) < 2 || len(base) > 3 || !madeOf(base, "abcdefghijklmnopqrstuvwxyz") {
		return false
	}
	for more {
		var part string
		part, rest, more = strings.Cut(rest, "_")
		if len(part) < 2 || len(part) > 4 || !madeOf(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") {
			return false
		}
	}
	return true
}

// decimalWithin accepts a plain decimal number from -most to most.
func decimalWithin(most float64) func(string) bool {
	return func(s string) bool {
		if !madeOf(s, "+-.0123456789") {
			return false
		}
		n, err := strconv.ParseFloat(s, 64)
		return err == nil && n >= -most && n <= most
	}
}

// isEmoji accepts what can be one emoji. The longest, a family of four with skin
// tones, has eleven code points; flags of regions have seven.
func isEmoji(s string) bool {
	n, symbol := 0, false
	for _, r := range s {
		n++
		if unicode.IsLetter(r) || unicode.IsSpace(r) {
			return false
		}
		symbol = symbol || r > unicode.MaxASCII
	}
	return symbol && n <= 16
}

// isObject accepts a JSON object that has at least one member.
func isObject(s string) bool {
	body := strings.Trim(s, " \t\r\n")
	return len(body) > 2 && body[0] == '{' && strings.Trim(body[1:len(body)-1], " \t\r\n") != "" && json.Valid([]byte(body))
}

// httpURL reports whether s has the shape of an http or https URL, and whether
// it is https.
func httpURL(s string) (secure, ok bool) {
	host, ok := cutScheme(s, "https://")
	secure = ok
	if !ok {
		if host, ok = cutScheme(s, "http://"); !ok {
			return false, false
		}
	}
	if end := strings.IndexAny(host, "/?#"); end >= 0 {
		host = host[:end]
	}
	return secure, isHost(host) && noSpace(s)
}

func cutScheme(s, scheme string) (rest string, ok bool) {
	if len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return "", false
	}
	return s[len(scheme):], true
}

// isHost accepts a host name or address with an optional port. Names outside
// of ASCII are taken as they are.
func isHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c >= 0x80
		if !letter && strings.IndexByte(".-_:[]", c) < 0 {
			return false
		}
	}
	return s != "" && s[0] != '.' && s[0] != ':'
}
