package audience

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nyaruka/phonenumbers"
)

// Numbers turns what people write as a phone number into E.164. It is safe for
// concurrent use.
type Numbers struct {
	codes   [maxCallingCode + 1]atomic.Pointer[callingCode] // made when first met
	mains   map[int]*phonenumbers.PhoneMetadata             // of the region that decides how a code's numbers are parsed
	regions map[string]func() *region                       // made when first met
}

// callingCode is what the fast path knows of a calling code.
type callingCode struct {
	// lengths has bit n set if a national number may have n digits.
	lengths uint32
	// slow has bit d set if the library may rewrite a national number that begins
	// with the digit d, by dropping a prefix.
	slow uint16
}

// NumberError says why a cell holds no phone number to send to.
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

// NewNumbers prepares the tables of the fast path. The data of a calling code or
// a region is made when a number first needs it, so that a command with a few
// numbers does not wait for all countries.
func NewNumbers() *Numbers {
	n := &Numbers{mains: map[int]*phonenumbers.PhoneMetadata{}, regions: map[string]func() *region{}}
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		panic("audience: the phone number library's own data cannot be read: " + err.Error())
	}
	supported := phonenumbers.GetSupportedRegions()
	for _, meta := range collection.GetMetadata() {
		main := false
		if code := int(meta.GetCountryCode()); code <= maxCallingCode && phonenumbers.GetRegionCodeForCountryCode(code) == meta.GetId() {
			n.mains[code], main = meta, true
		}
		if supported[meta.GetId()] {
			n.regions[meta.GetId()] = sync.OnceValue(func() *region { return newRegion(meta, main) })
		}
	}
	return n
}

// code is what the fast path knows of a calling code.
func (n *Numbers) code(code int) *callingCode {
	c := n.codes[code].Load()
	if c == nil {
		c = n.newCode(code)
		n.codes[code].Store(c)
	}
	return c
}

func (n *Numbers) newCode(code int) *callingCode {
	const mexico, oldMobile = 52, 1 << 1 // see withoutMexicos1
	c := &callingCode{}
	if phonenumbers.GetSupportedCallingCodes()[code] {
		c.lengths = possibleLengths(code)
	}
	if meta := n.mains[code]; meta != nil {
		c.slow = firstDigits(meta.GetNationalPrefixForParsing())
	}
	if code == mexico {
		c.slow |= oldMobile
	}
	return c
}

// region returns the region of that name; nil if there is none.
func (n *Numbers) region(name string) *region {
	if r := n.regions[name]; r != nil {
		return r()
	}
	return nil
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

// Parse returns the E.164 form of raw, such as "+4915112345678". A number
// without country code is read as one of the region, an ISO 3166-1 code such as
// "DE"; region may be "". The result has a possible length, but need not be in
// use. Errors are of type *NumberError.
func (n *Numbers) Parse(raw, region string) (string, error) {
	if n.fast(raw) {
		return raw, nil
	}
	if e164, ok := n.quick(raw, region); ok {
		return e164, nil
	}
	return n.slow(raw, region)
}

// slow parses a number in any notation.
func (n *Numbers) slow(raw, region string) (string, error) {
	cell, err := cleanCell(raw)
	if err != nil {
		return "", err
	}
	if e164, ok := n.certain([]byte(cell.digits), cell.international, region); ok {
		return e164, nil
	}
	return n.library(cell, region)
}

// library asks the library, which knows every number but takes microseconds.
func (n *Numbers) library(cell cleanedCell, region string) (string, error) {
	if cell.international {
		return n.international(cell.digits)
	}
	return n.national(cell.digits, region)
}

// international parses digits that begin with the calling code.
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
// 2019-08-03. WhatsApp's ids still have it.
func withoutMexicos1(digits string) string {
	if strings.HasPrefix(digits, "521") && len(digits) == len("521NNNNNNNNNN") {
		return "52" + digits[3:]
	}
	return digits
}

func (n *Numbers) knowsCode(digits string) bool {
	for i := 1; i <= 3 && i <= len(digits); i++ {
		if code, err := strconv.Atoi(digits[:i]); err == nil && n.code(code).lengths != 0 {
			return true
		}
	}
	return false
}

// possible returns the number's E.164 form if its length is possible.
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

// national parses a number as someone in the region would dial it. Exports drop
// the zero before a number as well as the plus before a calling code, so weigh
// decides about a number without either.
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
// prefix: own is the region's number, the other begins with a calling code. If
// the region's reading is not in use and the other one is of another country,
// weigh does not guess: the number may be a stranger's.
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
