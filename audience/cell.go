package audience

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleanedCell is a cell's digits, in ASCII.
type cleanedCell struct {
	digits        string
	international bool // they begin with the calling code
}

// refuse returns the error for a reason.
func refuse(reason string) *NumberError {
	return &NumberError{Reason: reason, Detail: refusals(reason)}
}

// refusals says what a reason means and what to do.
func refusals(reason string) string {
	switch reason {
	case "empty":
		return "there is no number"
	case "formula":
		return "the cell begins with = and is a formula, not a number; export the values"
	case "spreadsheet_error":
		return "the cell holds a spreadsheet's error in place of a number; fix the spreadsheet and export it again"
	case "scientific":
		return "a spreadsheet wrote the number in scientific notation (as 4.9E+11) and its last digits are lost; " +
			"format the column as text or as a number without decimals, then export it again from the original data"
	case "several_numbers":
		return "the cell holds several numbers; keep one of them, or put them in columns of their own"
	case "extension":
		return "the number has an extension, which WhatsApp cannot reach; use the person's own number"
	case "letters":
		return "there are letters in the number"
	case "not_a_number":
		return "this is not a phone number"
	case "no_region":
		return `the number does not begin with + and a country code; set region, as region = "DE", ` +
			`or write "+${...}" in phone where the column holds country codes`
	case "unknown_region":
		return `the region is not an ISO 3166-1 code of two letters, such as "DE"`
	case "unknown_calling_code":
		return "no country has a calling code as this number begins with"
	case "too_short":
		return "the number has too few digits, or a count that its country does not use"
	case "too_long":
		return "the number has too many digits for its country"
	case "ambiguous":
		return "without a + the number can be another country's; write it with + and the country code"
	case "user_id":
		return "this is a business-scoped user id, not a number; give it as user_id"
	case "username":
		return "this is a WhatsApp user name, which says no number to send to"
	}
	panic("audience: unknown reason " + reason)
}

// cleanCell finds the digits in a cell and refuses what is not one number.
func cleanCell(raw string) (cleanedCell, error) {
	if len(raw) > maxCellBytes {
		return cleanedCell{}, refuse("not_a_number")
	}
	s := plainCharacters(raw)
	s, err := unwrap(s)
	if err != nil {
		return cleanedCell{}, err
	}
	s, international := scheme(s)
	if err := notPhone(s); err != nil {
		return cleanedCell{}, err
	}
	return group(s, international)
}

// plainCharacters converts digits, spaces and dashes of every script to ASCII,
// and drops invisible characters.
func plainCharacters(raw string) string {
	if isASCII(raw) {
		return strings.TrimSpace(raw)
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			return r
		case unicode.Is(unicode.Cf, r): // bidi marks, zero-width spaces, soft hyphens
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Pd, r), r == '−', r == '⁃':
			return '-'
		case r == '＋':
			return '+'
		case r == '（':
			return '('
		case r == '）':
			return ')'
		case r == '．', r == '·', r == '•', r == '․':
			return '.'
		case r == '／', r == '⁄':
			return '/'
		case r == '’', r == '‘', r == '`', r == '´':
			return '\''
		case unicode.Is(unicode.Nd, r):
			return digit(r)
		}
		return r
	}, raw))
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// digit is the ASCII form of a decimal digit. Unicode keeps the ten of each
// script together, beginning with zero.
func digit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}

// unwrap removes what spreadsheets put around a number to keep it text: an
// apostrophe, quotation marks, ="…". Anything else that begins with = is a formula.
func unwrap(s string) (string, error) {
	s = strings.TrimSpace(strings.TrimLeft(s, "'"))
	if rest, formula := strings.CutPrefix(s, "="); formula {
		// ="+49…" keeps text; =+49… is what a spreadsheet makes of a typed +49….
		rest = strings.TrimSpace(rest)
		if body, ok := strings.CutPrefix(rest, `"`); ok && strings.HasSuffix(body, `"`) {
			s = strings.TrimSpace(body[:len(body)-1])
		} else if len(rest) > 1 && rest[0] == '+' && onlyDigits(rest[1:]) {
			s = rest
		} else {
			return "", refuse("formula")
		}
	}
	const shortest = 2
	if len(s) >= shortest && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		s = s[1 : len(s)-1]
	}
	s = strings.TrimSpace(strings.TrimRight(s, " ,;"))
	if s == "" {
		return "", refuse("empty")
	}
	return s, nil
}

func onlyDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != ""
}

// scheme removes what makes a number a link or a chat id. Numbers in WhatsApp's
// own forms always begin with the calling code.
func scheme(s string) (rest string, international bool) {
	lower := strings.ToLower(s)
	for _, suffix := range []string{"@c.us", "@s.whatsapp.net"} {
		if strings.HasSuffix(lower, suffix) {
			return s[:len(s)-len(suffix)], true
		}
	}
	link := lower
	for _, prefix := range []string{"https://", "http://", "www."} {
		link = strings.TrimPrefix(link, prefix)
	}
	for _, host := range []string{"wa.me/", "api.whatsapp.com/send?phone=", "api.whatsapp.com/send/?phone=", "whatsapp://send?phone="} {
		if number, ok := strings.CutPrefix(link, host); ok {
			number, _, _ = strings.Cut(number, "?")
			number, _, _ = strings.Cut(number, "&")
			return strings.Replace(number, "%2b", "+", 1), true
		}
	}
	if _, ok := strings.CutPrefix(lower, "whatsapp:"); ok {
		return strings.TrimSpace(s[len("whatsapp:"):]), true
	}
	for _, prefix := range []string{"tel:", "phone:", "callto:", "sms:", "mobile:", "p:"} {
		if strings.HasPrefix(lower, prefix) {
			return strings.TrimSpace(s[len(prefix):]), false
		}
	}
	return s, false
}

// Patterns of cells that hold no phone number.
var (
	scientificShape = regexp.MustCompile(`^[+]?\d+([.,]\d+)?[eE]\+?\d+$`)
	floatShape      = regexp.MustCompile(`^(\+?\d{7,})[.,]0+$`)
	dateShape       = regexp.MustCompile(`^(19|20)\d\d-[01]\d-[0-3]\d($|[ T])|^[0-3]?\d[./][0-3]?\d[./](19|20)\d\d$`)
	extensionShape  = regexp.MustCompile(`(?i)\d[\s).,;-]*(ext|extn|extension|x|#|доб|anexo|ramal|int|poste|dw|durchwahl)[\s.:=]*\d{1,7}$`)
	userIDShape     = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`)
	usernameShape   = regexp.MustCompile(`^@[A-Za-z0-9._]{3,35}$`)
)

// UserID is the business-scoped user id in a cell, such as
// "US.13491208655302741918", and whether it holds one (Meta, 2026-06-29).
func userID(raw string) (string, bool) {
	s := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(raw), "'"))
	return s, userIDShape.MatchString(s)
}

// notPhone refuses cells that look like something other than a phone number.
func notPhone(s string) error {
	switch {
	case s == "":
		return refuse("empty")
	case s[0] == '#':
		return refuse("spreadsheet_error")
	case mayBeDate(s) && dateShape.MatchString(s), s[0] == '-' && len(s) > 1:
		return refuse("not_a_number")
	case isDialled(s): // none of the cases below
		return nil
	case scientificShape.MatchString(s):
		return refuse("scientific")
	case userIDShape.MatchString(s):
		return refuse("user_id")
	case usernameShape.MatchString(s):
		return refuse("username")
	case strings.Contains(s, ":::") && strings.Count(s, ":::")*3 < len(s):
		return refuse("several_numbers")
	case extensionShape.MatchString(s):
		return refuse("extension")
	case !strings.ContainsAny(s, "0123456789"):
		return refuse("not_a_number")
	case strings.ContainsFunc(s, unicode.IsLetter):
		return refuse("letters")
	}
	return nil
}

// mayBeDate reports whether dateShape may match. Matching it costs more than
// everything else that is done for a cell.
func mayBeDate(s string) bool {
	const longest, dash = len("31.12.1999"), len("1999")
	return len(s) > dash && s[dash] == '-' || len(s) <= longest && strings.ContainsAny(s, "./")
}

// isDialled reports whether s has only digits and the characters that separate
// the digits of one number.
func isDialled(s string) bool {
	digits := false
	for i := 0; i < len(s); i++ {
		if s[i]-'0' <= 9 {
			digits = true
		} else if strings.IndexByte(" +-.()[]/~", s[i]) < 0 {
			return false
		}
	}
	return digits
}

// group joins the groups of digits of one number.
func group(s string, international bool) (cleanedCell, error) {
	if strings.HasSuffix(s, "0") && strings.ContainsAny(s, ".,") {
		if m := floatShape.FindStringSubmatch(s); m != nil {
			s = m[1] // a column of floats, as pandas writes: exact
		}
	}
	if rest, ok := strings.CutPrefix(s, "++"); ok {
		s = "+" + rest // "+${row.code}" where the code has a plus already
	}
	international, s = trunkZero(s, international)
	if several(s) {
		return cleanedCell{}, refuse("several_numbers")
	}
	var digits strings.Builder
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r == '+' && digits.Len() == 0 && strings.Count(s, "+") == 1:
			international = true
		case !strings.ContainsRune(" \t\r\n-.()[]/~'", r):
			return cleanedCell{}, refuse("not_a_number")
		}
	}
	return finish(digits.String(), international)
}

func finish(digits string, international bool) (cleanedCell, error) {
	if rest, ok := strings.CutPrefix(digits, "00"); ok && !international {
		digits, international = rest, true
	}
	const longest = 20 // with prefixes; more is two numbers or an id
	switch {
	case digits == "":
		return cleanedCell{}, refuse("not_a_number")
	case len(digits) > longest:
		return cleanedCell{}, refuse("too_long")
	}
	return cleanedCell{digits: digits, international: international}, nil
}

// trunkZero drops the zero of "+49 (0)151", which is dialled only inside the
// country. In Italy, San Marino and the Vatican it is dialled from abroad too.
func trunkZero(s string, international bool) (bool, string) {
	before, after, ok := strings.Cut(s, "(0)")
	if !ok {
		return international, s
	}
	code := strings.Trim(before, " +()-.")
	if !international && !strings.HasPrefix(strings.TrimLeft(before, "( "), "+") && !strings.HasPrefix(code, "00") {
		return international, before + "0" + after
	}
	if dialsZeroFromAbroad([]byte(strings.TrimPrefix(code, "00"))) {
		return international, before + "0" + after
	}
	return international, before + " " + after
}

// dialsZeroFromAbroad names the calling codes behind which a zero is dialled.
func dialsZeroFromAbroad(code []byte) bool {
	switch string(code) {
	case "39", "378", "379":
		return true
	}
	return false
}

// longestAreaCode is how many digits before a slash may still be an area code.
const longestAreaCode = 6

// several reports whether s joins numbers: two pluses, or parts that are each
// long enough to be one. A slash also stands after an area code ("0171/123").
func several(s string) bool {
	const shortest = longestAreaCode + 1
	if strings.Count(s, "+") > 1 {
		return true
	}
	if strings.ContainsAny(s, ",;|&") {
		return true
	}
	for _, sep := range []string{"\n", "\r", "/"} {
		first, rest, ok := strings.Cut(s, sep)
		if !ok {
			continue
		}
		a, b := countDigits(first), countDigits(rest)
		if strings.HasPrefix(strings.TrimSpace(first), "00") {
			a -= 2
		}
		if sep == "/" && a > longestAreaCode {
			return true
		}
		if a >= shortest && b >= shortest {
			return true
		}
	}
	return false
}

func countDigits(s string) (n int) {
	for i := 0; i < len(s); i++ {
		if s[i]-'0' <= 9 {
			n++
		}
	}
	return n
}
