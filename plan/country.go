package plan

import (
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
)

// country returns the ISO 3166-1 code of an address's country; several codes, with
// spaces between, if the number fits several; "" if unknown. A business-scoped
// user id begins with its country (Meta, business-scoped user ids, 2026-06-29).
func country(to message.Address) string {
	if to.Phone == "" {
		code, _, ok := strings.Cut(to.UserID, ".")
		if _, known := zonesOf[code]; ok && known {
			return code
		}
		return ""
	}
	digits := strings.TrimPrefix(to.Phone, "+")
	switch {
	case strings.HasPrefix(digits, "1"):
		return northAmerica(digits[1:])
	case strings.HasPrefix(digits, "76"), strings.HasPrefix(digits, "77"):
		return "KZ"
	case strings.HasPrefix(digits, "7"):
		return "RU"
	}
	if len(digits) < 3 || digits[0] == '0' || !allDigits(digits[:3]) {
		return countriesOf[digits[:min(2, len(digits))]]
	}
	two := int(digits[0]-'0')*10 + int(digits[1]-'0')
	if c := countryOf[two*10+int(digits[2]-'0')]; c != "" {
		return c
	}
	return countryOf[two]
}

// countryOf is countriesOf with the calling code as a number: no code begins with
// a zero.
var countryOf = func() (table [1000]string) {
	for code, countries := range countriesOf {
		n, err := strconv.Atoi(code)
		if err != nil {
			panic("plan: a calling code is a number: " + err.Error())
		}
		table[n] = countries
	}
	return table
}()

// allDigits reports whether a text is digits and nothing else.
func allDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// northAmerica returns the country of a number of the North American Numbering
// Plan, without its 1, by the area code. A code that belongs neither to another
// country nor to a service counts as the United States, even if it is opened later.
func northAmerica(national string) string {
	if len(national) < 3 {
		return ""
	}
	area := national[:3]
	switch c, other := areaCodes[area]; {
	case other:
		return c
	case area[0] < '2', area[1] == '9', area[1:] == "11": // never assigned, or N11
		return ""
	}
	return "US"
}

// areaCodes are those of the North American Numbering Plan outside of the United
// States; "" for codes without a place: toll-free, personal and premium numbers.
// Sources: libphonenumber's metadata (github.com/nyaruka/phonenumbers
// v1.8.1) and nanpa.com's list of area codes, read 2026-11-21.
var areaCodes = map[string]string{
	"204": "CA", "226": "CA", "236": "CA", "249": "CA", "250": "CA", "257": "CA", "263": "CA", "289": "CA", "306": "CA", "343": "CA",
	"354": "CA", "365": "CA", "367": "CA", "368": "CA", "382": "CA", "403": "CA", "416": "CA", "418": "CA", "428": "CA", "431": "CA",
	"437": "CA", "438": "CA", "450": "CA", "468": "CA", "474": "CA", "506": "CA", "514": "CA", "519": "CA", "548": "CA", "579": "CA",
	"581": "CA", "584": "CA", "587": "CA", "600": "CA", "604": "CA", "613": "CA", "622": "CA", "633": "CA", "639": "CA", "644": "CA",
	"647": "CA", "655": "CA", "672": "CA", "677": "CA", "683": "CA", "688": "CA", "705": "CA", "709": "CA", "742": "CA", "753": "CA",
	"778": "CA", "780": "CA", "782": "CA", "807": "CA", "819": "CA", "825": "CA", "867": "CA", "873": "CA", "879": "CA", "902": "CA",
	"905": "CA", "942": "CA",
	"242": "BS", "246": "BB", "264": "AI", "268": "AG", "284": "VG", "340": "VI", "345": "KY", "441": "BM", "473": "GD", "649": "TC",
	"658": "JM", "664": "MS", "670": "MP", "671": "GU", "684": "AS", "721": "SX", "758": "LC", "767": "DM", "784": "VC", "787": "PR",
	"809": "DO", "829": "DO", "849": "DO", "868": "TT", "869": "KN", "876": "JM", "939": "PR",
	"500": "", "521": "", "522": "", "523": "", "524": "", "525": "", "526": "", "527": "", "528": "", "529": "", "532": "", "533": "",
	"535": "", "538": "", "542": "", "543": "", "544": "", "545": "", "546": "", "547": "", "549": "", "550": "", "552": "", "553": "",
	"554": "", "556": "", "566": "", "569": "", "577": "", "578": "", "588": "", "589": "", "700": "", "710": "",
	"800": "", "822": "", "833": "", "844": "", "855": "", "866": "", "877": "", "880": "", "881": "", "882": "", "883": "", "884": "",
	"885": "", "886": "", "887": "", "888": "", "889": "", "900": "",
}

// zonesOfAddress returns all time zones that an address may be in, with spaces
// between; "" if they are not known.
func zonesOfAddress(to message.Address) string {
	countries := country(to)
	if zones, single := zonesOf[countries]; single || countries == "" {
		return zones
	}
	var all []string
	for c := range strings.FieldsSeq(countries) {
		all = append(all, zonesOf[c])
	}
	return strings.Join(all, " ")
}
