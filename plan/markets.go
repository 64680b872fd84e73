package plan

import (
	"strings"
	"unicode"
)

// ownMarket says where Meta prices messages to a country.
type ownMarket struct {
	name   string // of the country, as Meta writes it
	region string // the market where the country has no row of its own; "" if it always has
}

// marketOf are the countries of Meta's markets, by ISO 3166-1 code. All others belong
// to "Other". Where a file has a row of a country's name, that counts, and else the
// row of its region: Meta moves countries out of regions from time to time. Source:
// Meta, markets and country calling codes of May 2026, read in copies on 2026-11-30.
var marketOf = map[string]ownMarket{
	"AR": {"Argentina", ""}, "BR": {"Brazil", ""}, "CL": {"Chile", ""}, "CO": {"Colombia", ""}, "EG": {"Egypt", ""},
	"FR": {"France", ""}, "DE": {"Germany", ""}, "IN": {"India", ""}, "ID": {"Indonesia", ""}, "IL": {"Israel", ""},
	"IT": {"Italy", ""}, "MY": {"Malaysia", ""}, "MX": {"Mexico", ""}, "NL": {"Netherlands", ""}, "NG": {"Nigeria", ""},
	"PK": {"Pakistan", ""}, "PE": {"Peru", ""}, "RU": {"Russia", ""}, "SA": {"Saudi Arabia", ""}, "ZA": {"South Africa", ""},
	"ES": {"Spain", ""}, "TR": {"Turkey", ""}, "AE": {"United Arab Emirates", ""}, "GB": {"United Kingdom", ""},
	"KZ": {"Kazakhstan", ""},
	"CA": {"Canada", "North America"}, "US": {"United States", "North America"},
	"DZ": {"Algeria", africa}, "AO": {"Angola", africa}, "BJ": {"Benin", africa}, "BW": {"Botswana", africa},
	"BF": {"Burkina Faso", africa}, "BI": {"Burundi", africa}, "CM": {"Cameroon", africa}, "TD": {"Chad", africa},
	"CG": {"Republic of the Congo", africa}, "ER": {"Eritrea", africa}, "SZ": {"Eswatini", africa}, "ET": {"Ethiopia", africa},
	"GA": {"Gabon", africa}, "GM": {"Gambia", africa}, "GH": {"Ghana", africa}, "GW": {"Guinea-Bissau", africa},
	"CI": {"Ivory Coast", africa}, "KE": {"Kenya", africa}, "LS": {"Lesotho", africa}, "LR": {"Liberia", africa},
	"LY": {"Libya", africa}, "MG": {"Madagascar", africa}, "MW": {"Malawi", africa}, "ML": {"Mali", africa},
	"MR": {"Mauritania", africa}, "MA": {"Morocco", africa}, "MZ": {"Mozambique", africa}, "NA": {"Namibia", africa},
	"NE": {"Niger", africa}, "RW": {"Rwanda", africa}, "SN": {"Senegal", africa}, "SL": {"Sierra Leone", africa},
	"SO": {"Somalia", africa}, "SS": {"South Sudan", africa}, "SD": {"Sudan", africa}, "TZ": {"Tanzania", africa},
	"TG": {"Togo", africa}, "TN": {"Tunisia", africa}, "UG": {"Uganda", africa}, "ZM": {"Zambia", africa}, "ZW": {"Zimbabwe", africa},
	"AF": {"Afghanistan", asiaPacific}, "AU": {"Australia", asiaPacific}, "BD": {"Bangladesh", asiaPacific},
	"KH": {"Cambodia", asiaPacific}, "CN": {"China", asiaPacific}, "HK": {"Hong Kong", asiaPacific}, "JP": {"Japan", asiaPacific},
	"LA": {"Laos", asiaPacific}, "MN": {"Mongolia", asiaPacific}, "NP": {"Nepal", asiaPacific}, "NZ": {"New Zealand", asiaPacific},
	"PG": {"Papua New Guinea", asiaPacific}, "PH": {"Philippines", asiaPacific}, "SG": {"Singapore", asiaPacific},
	"LK": {"Sri Lanka", asiaPacific}, "TW": {"Taiwan", asiaPacific}, "TJ": {"Tajikistan", asiaPacific},
	"TH": {"Thailand", asiaPacific}, "TM": {"Turkmenistan", asiaPacific}, "UZ": {"Uzbekistan", asiaPacific},
	"VN": {"Vietnam", asiaPacific},
	"AL": {"Albania", easternEurope}, "AM": {"Armenia", easternEurope}, "AZ": {"Azerbaijan", easternEurope},
	"BY": {"Belarus", easternEurope}, "BG": {"Bulgaria", easternEurope}, "HR": {"Croatia", easternEurope},
	"CZ": {"Czech Republic", easternEurope}, "GE": {"Georgia", easternEurope}, "GR": {"Greece", easternEurope},
	"HU": {"Hungary", easternEurope}, "LV": {"Latvia", easternEurope}, "LT": {"Lithuania", easternEurope},
	"MD": {"Moldova", easternEurope}, "MK": {"North Macedonia", easternEurope}, "PL": {"Poland", easternEurope},
	"RO": {"Romania", easternEurope}, "RS": {"Serbia", easternEurope}, "SK": {"Slovakia", easternEurope},
	"SI": {"Slovenia", easternEurope}, "UA": {"Ukraine", easternEurope},
	"BO": {"Bolivia", latinAmerica}, "CR": {"Costa Rica", latinAmerica}, "DO": {"Dominican Republic", latinAmerica},
	"EC": {"Ecuador", latinAmerica}, "SV": {"El Salvador", latinAmerica}, "GT": {"Guatemala", latinAmerica},
	"HT": {"Haiti", latinAmerica}, "HN": {"Honduras", latinAmerica}, "JM": {"Jamaica", latinAmerica},
	"NI": {"Nicaragua", latinAmerica}, "PA": {"Panama", latinAmerica}, "PY": {"Paraguay", latinAmerica},
	"PR": {"Puerto Rico", latinAmerica}, "UY": {"Uruguay", latinAmerica}, "VE": {"Venezuela", latinAmerica},
	"BH": {"Bahrain", middleEast}, "IQ": {"Iraq", middleEast}, "JO": {"Jordan", middleEast}, "KW": {"Kuwait", middleEast},
	"LB": {"Lebanon", middleEast}, "OM": {"Oman", middleEast}, "QA": {"Qatar", middleEast}, "YE": {"Yemen", middleEast},
	"AT": {"Austria", westernEurope}, "BE": {"Belgium", westernEurope}, "DK": {"Denmark", westernEurope},
	"FI": {"Finland", westernEurope}, "IE": {"Ireland", westernEurope}, "NO": {"Norway", westernEurope},
	"PT": {"Portugal", westernEurope}, "SE": {"Sweden", westernEurope}, "CH": {"Switzerland", westernEurope},
}

const (
	africa        = "Rest of Africa"
	asiaPacific   = "Rest of Asia Pacific"
	easternEurope = "Rest of Central & Eastern Europe"
	latinAmerica  = "Rest of Latin America"
	middleEast    = "Rest of Middle East"
	westernEurope = "Rest of Western Europe"
	otherMarkets  = "Other"
)

// otherNames are other spellings of markets, as marketKey returns them.
var otherNames = map[string]string{
	"uae": "unitedarabemirates", "uk": "unitedkingdom", "türkiye": "turkey", "turkiye": "turkey", "czechia": "czechrepublic",
	"congo": "republicofthecongo", "congorep": "republicofthecongo", "swaziland": "eswatini", "côtedivoire": "ivorycoast",
	"cotedivoire": "ivorycoast", "macedonia": "northmacedonia", "laopdr": "laos",
	"africa": "restofafrica", "asiapacific": "restofasiapacific", "centraleasterneurope": "restofcentraleasterneurope",
	"latinamerica": "restoflatinamerica", "middleeast": "restofmiddleeast", "westerneurope": "restofwesterneurope",
	"restofcentralandeasterneurope": "restofcentraleasterneurope", "centralandeasterneurope": "restofcentraleasterneurope",
}

// marketKey returns the name of a market without what its spellings differ in.
func marketKey(name string) string {
	key := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
	if same, ok := otherNames[key]; ok {
		return same
	}
	return key
}

// marketNames are the keys of all markets that Meta's rates may have.
var marketNames = func() map[string]bool {
	out := map[string]bool{marketKey(otherMarkets): true}
	for _, m := range marketOf {
		out[marketKey(m.name)] = true
		if m.region != "" {
			out[marketKey(m.region)] = true
		}
	}
	return out
}()
