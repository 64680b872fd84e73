package audience

import (
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Numbers turns what people write as a phone number into E.164. It is safe for
// concurrent use.
type Numbers struct {
	codes [1000]callingCode // by calling code
	// trunk are the calling codes, with their plus, of the regions in which a
	// number is dialled as a zero and the national number, and nothing else
	// begins so.
	trunk map[string]string
}

// callingCode is what the fast path knows of a calling code.
type callingCode struct {
	// lengths has bit n set where a national number of n digits is possible.
	lengths uint32
	// slow has bit d set where a national number that begins with the digit d
	// may be rewritten by the library, for a prefix in it is dropped.
	slow uint16
}

// NumberError says why a cell is no phone number that may be sent to.
type NumberError struct {
	// Reason is a stable code: empty, formula, spreadsheet_error, scientific,
	// several_numbers, extension, letters, not_a_number, no_region,
	// unknown_region, unknown_calling_code, too_short, too_long, ambiguous,
	// user_id or username.
	Reason string
	Detail string // a sentence that explains, without the number
}

// Error is the detail.
func (e *NumberError) Error() string { return e.Detail }

// E.164 limits a number to 15 digits with the calling code (ITU-T E.164,
// 2010-11, 6.2.1).
const (
	maxDigits      = 15
	minNational    = 5   // fewer digits behind a trunk prefix are a typing error
	minBare        = 7   // fewer digits without trunk prefix are an id, not a phone number
	maxCellBytes   = 250 // of a cell that may be a number
	maxCallingCode = 999
)

// NewNumbers makes the tables of the fast path by asking the library about
// every calling code and length: some milliseconds.
func NewNumbers() *Numbers {
	n := &Numbers{trunk: map[string]string{}}
	for code := range phonenumbers.GetSupportedCallingCodes() {
		if code <= maxCallingCode {
			n.codes[code].lengths = possibleLengths(code)
		}
	}
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		panic("audience: the phone number library's own data cannot be read: " + err.Error())
	}
	for _, meta := range collection.GetMetadata() {
		code := int(meta.GetCountryCode())
		if code > maxCallingCode || phonenumbers.GetRegionCodeForCountryCode(code) != meta.GetId() {
			continue // the calling code's main region decides how a number is parsed
		}
		n.codes[code].slow = firstDigits(meta.GetNationalPrefixForParsing())
		if meta.GetNationalPrefixTransformRule() != "" {
			n.codes[code].slow = allDigits
		}
		if plainTrunk(meta) {
			n.trunk[meta.GetId()] = "+" + strconv.Itoa(code)
		}
	}
	n.codes[52].slow |= 1 << 1 // Mexico's old mobile prefix; see withoutMexicos1
	return n
}

// plainTrunk reports whether a leading zero, and not two, is always and only the
// region's trunk prefix.
func plainTrunk(meta *phonenumbers.PhoneMetadata) bool {
	return meta.GetNationalPrefixForParsing() == "0" && meta.GetNationalPrefixTransformRule() == "" &&
		meta.GetInternationalPrefix() == "00" && firstDigits(meta.GetGeneralDesc().GetNationalNumberPattern())&1 == 0
}

func possibleLengths(code int) (lengths uint32) {
	const long = 17 // what the library takes for a national number
	num := new(phonenumbers.PhoneNumber)
	cc := int32(code)
	num.CountryCode = &cc
	for length := 2; length <= long; length++ {
		national, err := strconv.ParseUint(strings.Repeat("2", length), 10, 64)
		if err != nil {
			continue
		}
		num.NationalNumber = &national
		if phonenumbers.IsPossibleNumberWithReason(num) == phonenumbers.IS_POSSIBLE && length+len(strconv.Itoa(code)) <= maxDigits {
			lengths |= 1 << length
		}
	}
	return lengths
}

const allDigits = 1<<10 - 1

// firstDigits is the set of digits that a match of the pattern may begin with.
func firstDigits(pattern string) (set uint16) {
	if pattern == "" {
		return 0
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return allDigits
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return allDigits
	}
	seen := make([]bool, len(prog.Inst))
	todo := []uint32{uint32(prog.Start)}
	for len(todo) > 0 {
		pc := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch inst := &prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstEmptyWidth, syntax.InstNop:
			todo = append(todo, inst.Out)
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			for d := range 10 {
				if inst.MatchRune(rune('0' + d)) {
					set |= 1 << d
				}
			}
		}
	}
	return set
}

// Parse returns the E.164 form of raw, such as "+4915112345678". A number
// without country code is one of the region, an ISO 3166-1 code such as "DE";
// region may be "". The number is possible, which is less than in use.
// Errors are of type *NumberError.
func (n *Numbers) Parse(raw, region string) (string, error) {
	if n.fast(raw) {
		return raw, nil
	}
	if e164, ok := n.fastNational(raw, region); ok {
		return e164, nil
	}
	return n.slow(raw, region)
}

// fastNational reads digits after a trunk zero, where nothing has to be weighed
// and the library would only replace the zero by the calling code.
func (n *Numbers) fastNational(raw, region string) (string, bool) {
	if len(raw) <= minNational || len(raw) > maxDigits || raw[0] != '0' || raw[1] == '0' {
		return "", false
	}
	for i := 1; i < len(raw); i++ {
		if raw[i]-'0' > 9 {
			return "", false
		}
	}
	code, ok := n.trunk[region]
	if !ok {
		return "", false
	}
	e164 := code + raw[1:]
	return e164, n.fast(e164)
}

// fast reports whether raw is E.164 as it stands, and the library would leave
// it so.
func (n *Numbers) fast(raw string) bool {
	const shortest = 6
	if len(raw) < shortest || len(raw) > maxDigits+1 || raw[0] != '+' || raw[1] == '0' {
		return false
	}
	for i := 1; i < len(raw); i++ {
		if raw[i]-'0' > 9 {
			return false
		}
	}
	code := 0
	for i := 1; i <= 3; i++ {
		code = code*10 + int(raw[i]-'0')
		if c := &n.codes[code]; c.lengths != 0 {
			return c.lengths>>(len(raw)-1-i)&1 == 1 && c.slow>>(raw[i+1]-'0')&1 == 0
		}
	}
	return false
}

// slow takes every writing that is not E.164 already.
func (n *Numbers) slow(raw, region string) (string, error) {
	cell, err := cleanCell(raw)
	if err != nil {
		return "", err
	}
	if cell.international {
		return n.international(cell.digits)
	}
	return n.national(cell.digits, region)
}

// international is the number whose digits begin with the calling code.
func (n *Numbers) international(digits string) (string, error) {
	digits = strings.TrimPrefix(digits, "00") // "+0049"
	if strings.HasPrefix(digits, "0") {
		return "", refuse("unknown_calling_code")
	}
	num, err := phonenumbers.Parse("+"+withoutMexicos1(digits), "")
	if err != nil {
		if n.knowsCode(digits) {
			return "", refuse("too_short")
		}
		return "", refuse("unknown_calling_code")
	}
	return possible(num)
}

// withoutMexicos1 drops the 1 that Mexico put before mobile numbers until
// 2019-08-03, and WhatsApp's ids still have.
func withoutMexicos1(digits string) string {
	if strings.HasPrefix(digits, "521") && len(digits) == len("521NNNNNNNNNN") {
		return "52" + digits[3:]
	}
	return digits
}

func (n *Numbers) knowsCode(digits string) bool {
	for i := 1; i <= 3 && i <= len(digits); i++ {
		if code, err := strconv.Atoi(digits[:i]); err == nil && n.codes[code].lengths != 0 {
			return true
		}
	}
	return false
}

// possible is the number's E.164 form where its length is possible.
func possible(num *phonenumbers.PhoneNumber) (string, error) {
	e164 := phonenumbers.Format(num, phonenumbers.E164)
	switch phonenumbers.IsPossibleNumberWithReason(num) {
	case phonenumbers.IS_POSSIBLE:
	case phonenumbers.INVALID_COUNTRY_CODE:
		return "", refuse("unknown_calling_code")
	case phonenumbers.TOO_LONG:
		return "", refuse("too_long")
	default: // too short, local only, or a length between the possible ones
		return "", refuse("too_short")
	}
	if len(e164) > maxDigits+1 {
		return "", refuse("too_long")
	}
	return e164, nil
}

// national is the number that someone in the region would dial. Exports drop
// the zero before a number as well as the plus before a calling code, so a
// number without either is weighed: see weigh.
func (n *Numbers) national(digits, region string) (string, error) {
	region = strings.ToUpper(strings.TrimSpace(region))
	if region == "UK" {
		region = "GB"
	}
	switch {
	case region == "":
		return "", refuse("no_region")
	case !phonenumbers.GetSupportedRegions()[region]:
		return "", refuse("unknown_region")
	}
	num, err := phonenumbers.Parse(digits, region)
	if err != nil {
		return "", refuse("too_short")
	}
	e164, err := possible(num)
	least := minNational
	bare := digits[0] != '0'
	if bare {
		least = minBare
	}
	if err == nil && len(phonenumbers.GetNationalSignificantNumber(num)) < least {
		err = refuse("too_short")
	}
	if bare {
		return weigh(e164, num, digits, err)
	}
	return e164, err
}

// weigh decides between two readings of digits without plus and without trunk
// prefix: own is the region's number, the other begins with a calling code.
// Where the region's reading is no number in use and the other one is of
// another country, nothing is guessed: it may be a stranger.
func weigh(own string, num *phonenumbers.PhoneNumber, digits string, ownErr error) (string, error) {
	other, err := phonenumbers.Parse("+"+withoutMexicos1(digits), "")
	if err != nil {
		return own, ownErr
	}
	e164, err := possible(other)
	if err != nil || e164 == own || !phonenumbers.IsValidNumber(other) {
		return own, ownErr
	}
	switch {
	case ownErr != nil:
		return e164, nil
	case other.GetCountryCode() == num.GetCountryCode() && rank(other) > rank(num):
		return e164, nil
	case rank(num) == 0:
		return "", refuse("ambiguous")
	}
	return own, nil
}

// rank is higher the more likely a number has WhatsApp.
func rank(num *phonenumbers.PhoneNumber) int {
	switch phonenumbers.GetNumberType(num) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
		return 2
	case phonenumbers.UNKNOWN:
		return 0
	}
	return 1
}
