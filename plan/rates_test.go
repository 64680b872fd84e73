package plan

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// metaRates is a file as Meta's are: remarks, then a line for a market. The amounts
// are made up.
const metaRates = "\ufeffRates of a quarter, effective at midnight,,,,,,\n" +
	"\"Note: \"\"n/a\"\" is no rate\",,,,,,\n" +
	`Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service
Germany,EUR,0.1000,0.0400,0.0300,n/a,0.0500
India,EUR,0.0100,0.0010,0.0010,0.0300,0.0020
North America,EUR,0.0200,0.0030,0.0030,n/a,0.0030
Morocco,EUR,0.0900,0.0090,0.0090,n/a,n/a
Rest of Africa,EUR,0.0180,0.0030,0.0030,n/a,0.0030
Rest of Western Europe,EUR,0.0490,0.0140,0.0140,n/a,0.0140
Other,EUR,0.0600,0.0060,0.0060,n/a,0.0060
`

const metaTiers = `market,category,from,to,rate
Germany,utility,0,"1,000",0.0400
Germany,utility,1001,5000,0.0300
Germany,utility,5001,,0.0200
Peru,utility,0,,0.0100
`

func TestMetaRates(t *testing.T) {
	p, err := readPriceFiles(strings.NewReader(metaRates), nil)
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]string{
		"+4915112345678":          "Germany 0.1000",
		"+12025550123":            "North America 0.0200",
		"+14165550123":            "North America 0.0200",
		"+18095550123":            "Rest of Latin America <nil>", // the Dominican Republic is not in North America
		"+12425550123":            "Other 0.0600",                // the Bahamas are in no market
		"+212612345678":           "Morocco 0.0900",              // which has a row of its own here
		"+254712345678":           "Rest of Africa 0.0180",
		"+436641234567":           "Rest of Western Europe 0.0490",
		"+6797012345":             "Other 0.0600",
		"IN.13491208655302741918": "India 0.0100", // a user id begins with its country
		"ZZ.1349120865530274":     "",
	} {
		i := p.findMarket(message.AddressOf(who), "marketing")
		got := ""
		if i >= 0 {
			got = p.rows[i].market + " <nil>"
			if a := p.rows[i].amount; a != nil {
				got = p.rows[i].market + " " + a.FloatString(4)
			}
		}
		if got != want {
			t.Errorf("%s is priced as %q, want %q", who, got, want)
		}
	}
	for name, bad := range map[string]string{
		"no currency":         "Market,Marketing\nGermany,0.1\n",
		"no rates":            "Market,Currency,Marketing\n",
		"no marketing":        "Market,Currency,Utility\nGermany,EUR,0.1\n",
		"an unknown market":   metaRates + "Atlantis,EUR,0.1,0.1,0.1,n/a,0.1\n",
		"a market twice":      metaRates + "GERMANY,EUR,0.1,0.1,0.1,n/a,0.1\n",
		"another currency":    metaRates + "Peru,$US,0.1,0.1,0.1,n/a,0.1\n",
		"no number":           metaRates + "Peru,EUR,1e9,0.1,0.1,n/a,0.1\n",
		"a negative rate":     metaRates + "Peru,EUR,-0.1,0.1,0.1,n/a,0.1\n",
		"a sign for currency": "Market,Currency,Marketing\nPeru,€,0.1\n",
	} {
		if _, err := readPriceFiles(strings.NewReader(bad), nil); err == nil {
			t.Errorf("%s: the file is taken", name)
		}
	}
	if p, err := readPriceFiles(strings.NewReader("Service,Marketing,Market,Currency\n0.1,0.2,UAE,$US\n"), nil); err != nil || p.currency != "USD" {
		t.Errorf("columns in another order: %+v, %v", p, err)
	} else if i := p.findMarket(message.AddressOf("+971501234567"), "marketing"); p.rows[i].amount.FloatString(1) != "0.2" {
		t.Errorf("the Emirates cost %v", p.rows[i])
	}
}

func TestVolumeTiers(t *testing.T) {
	for name, bad := range map[string]string{
		"no column":             "market,category,from,to\nGermany,utility,0,\n",
		"a gap":                 "market,category,from,to,rate\nGermany,utility,0,10,0.04\nGermany,utility,12,,0.04\n",
		"no beginning":          "market,category,from,to,rate\nGermany,utility,5,,0.04\n",
		"after the last":        "market,category,from,to,rate\nGermany,utility,0,,0.04\nGermany,utility,11,,0.04\n",
		"backwards":             "market,category,from,to,rate\nGermany,utility,0,0,0.04\n",
		"no rate":               "market,category,from,to,rate\nGermany,utility,0,,n/a\n",
		"an unknown name":       "market,category,from,to,rate\nAtlantis,utility,0,,0.1\n",
		"a misspelt category":   "market,category,from,to,rate\nGermany,utilty,0,,0.04\n",
		"another currency":      "market,category,from,to,rate,currency\nGermany,utility,0,,0.04,INR\n",
		"rates of another file": "market,category,from,to,rate\nGermany,utility,0,,0.004\n",
		"a dearer tier":         "market,category,from,to,rate\nGermany,utility,0,10,0.04\nGermany,utility,11,,0.05\n",
		"no tier":               "market,category,from,to,rate\n",
		"semicolons":            "market,category,from,to,rate\nGermany;utility;0;;0.04\n",
		"no count":              "market,category,from,to,rate\nGermany,utility,0,many,0.1\n",
	} {
		if _, err := readPriceFiles(strings.NewReader(metaRates), strings.NewReader(bad)); err == nil {
			t.Errorf("%s: the file is taken", name)
		}
	}
	good := "market,category,from,to,rate,currency\nGermany,utility,0,10,0.0400,eur\nGermany,UTILITY,11,,0.04,EUR\nA remark\nPeru,utility,0,,0.1,EUR\n"
	if _, err := readPriceFiles(strings.NewReader(metaRates), strings.NewReader(good)); err != nil {
		t.Error(err)
	}
	if _, err := readPriceFiles(strings.NewReader("prefix,category,price,currency\n49,marketing,0.1,EUR\n"), strings.NewReader(metaTiers)); err == nil {
		t.Error("tiers are taken beside a price file")
	}
}

// TestCostOfRates checks what messages cost at least and at most, and what is named
// as not known.
func TestCostOfRates(t *testing.T) {
	const free, volume, unknown, intl = "free service messages", "portfolio", "list rate", "authentication-international"
	for _, c := range []struct {
		name, phone, category, tiers string
		n                            int
		least, most                  string
		depends                      []string
	}{
		{"marketing has one rate", "+4915112345678", "marketing", metaTiers, 10_000, "", "1000.00", nil},
		{"utility without tiers", "+4915112345678", "utility", "", 10_000, "", "400.00", []string{unknown}},
		// 1,000 at 0.04, 4,000 at 0.03, 5,000 at 0.02; all at 0.02 for who sent 5,000 before
		{"utility with tiers", "+4915112345678", "utility", metaTiers, 10_000, "200.00", "260.00", []string{volume}},
		{"one tier", "+4915112345678", "utility", metaTiers, 1000, "20.00", "40.00", []string{volume}},
		{"authentication", "+919812345678", "authentication", "", 1000, "1.00", "30.00", []string{unknown, intl}},
		{"few service messages", "+4915112345678", "service", "", 900, "0.00", "45.00", []string{free}},
		{"many service messages", "+4915112345678", "service", "", 1100, "5.00", "55.00", []string{free}},
	} {
		var tiers *strings.Reader
		p, err := readPriceFiles(strings.NewReader(metaRates), nil)
		if c.tiers != "" {
			tiers = strings.NewReader(c.tiers)
			p, err = readPriceFiles(strings.NewReader(metaRates), tiers)
		}
		if err != nil {
			t.Fatal(err)
		}
		var count costCount
		for range c.n {
			count.add(p, message.AddressOf(c.phone), c.category)
		}
		got := count.cost(p)
		named := len(got.Depends) == len(c.depends)
		for i := range min(len(got.Depends), len(c.depends)) {
			named = named && strings.Contains(got.Depends[i], c.depends[i])
		}
		if got.Least != c.least || got.Amount != c.most || !named || got.Unpriced != 0 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// TestCostHoldsWhateverWasSentBefore checks that what is really billed, whatever the
// portfolio sent before in the month, is between the ends of the range.
func TestCostHoldsWhateverWasSentBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := price{category: categoryUtility, amount: big.NewRat(1000, 1)}
		after, rate := 0, int64(1000)
		for range rapid.IntRange(1, 5).Draw(t, "tiers") {
			row.tiers = append(row.tiers, tier{after, big.NewRat(rate, 1)})
			after += rapid.IntRange(1, 50).Draw(t, "size")
			rate -= rapid.Int64Range(0, 150).Draw(t, "cheaper")
		}
		before, n := rapid.IntRange(0, 300).Draw(t, "before"), rapid.IntRange(1, 300).Draw(t, "messages")
		billed := new(big.Rat).Sub(row.atMost(before+n), row.atMost(before))
		p := &prices{meta: true, rows: []price{row}}
		c := costCount{rows: []int{n}}
		got := c.cost(p)
		most, _ := new(big.Rat).SetString(got.Amount)
		least, ok := new(big.Rat).SetString(got.Least)
		if !ok {
			least = most
		}
		if billed.Cmp(most) > 0 || billed.Cmp(least) < 0 {
			t.Fatalf("%s is billed after %d, and the range is %s to %s", billed.FloatString(2), before, got.Least, got.Amount)
		}
	})
}

// TestMarkets checks that every market of the table is one that Meta's files name, and
// that countries of one calling code are of one market.
func TestMarkets(t *testing.T) {
	for code, m := range marketOf {
		if _, ok := zonesOf[code]; !ok {
			t.Errorf("%s of %s is no country", code, m.name)
		}
	}
	for calling, codes := range countriesOf {
		list := strings.Fields(codes)
		if !slices.ContainsFunc(list, func(c string) bool { return marketOf[c].name != "" }) {
			continue
		}
		if m := marketOf[list[0]]; m.name == "" {
			t.Errorf("+%s is of %s, of which the first is in no market", calling, codes)
		}
	}
}

func TestPriceGuard(t *testing.T) {
	for _, c := range []struct{ name, rates, max, want string }{
		{"without prices", "", "1 EUR", "name a price file"},
		{"within", metaRates, "0.15 EUR", ""},
		{"above", metaRates, "0.14 EUR", "costs 0.15 EUR at most, more than the 0.14 EUR"},
		{"another currency", metaRates, "500 USD", "The prices are in EUR, and max is in USD"},
		{"not priced", "Market,Currency,Marketing,Service\nGermany,EUR,0.1,n/a\n", "500 EUR", "has none for service messages to Germany"},
		{"no amount", metaRates, "null", "max has no value"},
		{"half of a price file", "prefix,category,price,currency\n1,service,0.1,EUR\n", "500 EUR", "for which there is no price"},
	} {
		w := open(t, map[string]string{"main.hcl": strings.Replace(add("price_guard { max = \""+c.max+"\" }"), `"null"`, "null", 1), "contacts.csv": smallContacts})
		if c.rates != "" {
			w.in.Options.Prices = strings.NewReader(c.rates)
		}
		_, diags := w.plan(t)
		var said []string
		for _, d := range diags {
			if strings.HasPrefix(d.Summary, "The campaign may cost") || strings.HasPrefix(d.Summary, "Meta's file has no rate") {
				said = append(said, d.Detail)
			}
		}
		if all := strings.Join(said, "\n"); (c.want == "") != (all == "") || !strings.Contains(all, c.want) {
			t.Errorf("%s: %q", c.name, all)
		}
	}
}

// TestRatesOfAnotherQuarter checks that a campaign is told of that begins after the
// rates changed, anywhere on earth.
func TestRatesOfAnotherQuarter(t *testing.T) {
	day := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
	}
	for _, c := range []struct {
		at, begins time.Time
		warned     bool
	}{
		{day(9, 1, 0), time.Time{}, false},
		{day(9, 30, 9), time.Time{}, false},
		{day(9, 30, 10), time.Time{}, true}, // it is October at UTC+14
		{day(10, 1, 0), time.Time{}, false}, // the new quarter's file is assumed
		{day(9, 1, 0), day(9, 20, 0), false},
		{day(9, 1, 0), day(10, 2, 0), true},
		{day(12, 20, 0), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), true},
	} {
		b := &builder{in: Inputs{At: c.at}}
		b.ratesChange(&lang.Campaign{Schedule: &lang.Schedule{NotBefore: c.begins}}, &Campaign{})
		if got := len(b.diags) > 0; got != c.warned {
			t.Errorf("planned at %s to begin at %s: warned %t", c.at, c.begins, got)
		}
	}
}
