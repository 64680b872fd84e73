package account

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestReadPrice(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"€19.90 EUR": "19.90 EUR", "19,90\u00a0€ EUR": "19.90 EUR", "1.234,50 € EUR": "1234.50 EUR", "$1,234.50 USD": "1234.50 USD",
		"Rp 250.000 IDR": "250000.00 IDR", "¥1,980 JPY": "1980 JPY", "₹1,00,000.00 INR": "100000.00 INR", "₹1,00,000 INR": "100000.00 INR",
		"CHF 1’234.50 CHF": "1234.50 CHF", "1\u202f234,5 € EUR": "1234.50 EUR", "KD 1.234 KWD": "1.234 KWD", "٢٩٫٩٠ ر.س SAR": "29.90 SAR",
		"S/. 19.90 PEN": "19.90 PEN", "19 EUR": "19.00 EUR", "0,99 € EUR": "0.99 EUR",
	} {
		i := strings.LastIndex(text, " ")
		if p, ok := readPrice(text[:i], text[i+1:]); !ok || p.String() != want {
			t.Errorf("%q: %q, %v, want %q", text, p, ok, want)
		}
	}
	for _, text := range []string{"", "free", "-19.90", "19.9051", "1.23.4", "(19.90)", "1 23"} {
		if p, ok := readPrice(text, "EUR"); ok {
			t.Errorf("%q was read as %s", text, p)
		}
	}
}

func TestParsePrice(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"19.9 EUR": "19.90 EUR", "019.900 EUR": "19.90 EUR", "1980 JPY": "1980 JPY", "1980.00 JPY": "1980 JPY", "0 EUR": "0.00 EUR"} {
		if p, err := ParsePrice(text); err != nil || p.String() != want {
			t.Errorf("%q: %q, %v", text, p, err)
		}
	}
	for _, text := range []string{"", "19.90", "19,90 EUR", "EUR 19.90", "19.905 EUR", ".90 EUR", "19. EUR", "19.90 eur", "-1 EUR", "1e3 EUR", "19.90  EUR"} {
		if p, err := ParsePrice(text); err == nil {
			t.Errorf("%q was read as %s", text, p)
		}
	}
}

// shown writes a price as catalogs show it in some language.
func shown(p Price, group, point string, before bool) string {
	whole, fraction, _ := strings.Cut(p.Amount, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + group + whole[i:]
	}
	if fraction != "" {
		whole += point + fraction
	}
	if before {
		return "¤" + whole
	}
	return whole + "\u00a0¤"
}

// TestPriceIsReadBack: in whatever way a price is shown, it is the same price.
func TestPriceIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"EUR", "USD", "JPY", "KWD", "IDR"}).Draw(t, "currency")
		amount := fmt.Sprint(rapid.IntRange(0, 9_999_999).Draw(t, "amount"))
		if n := decimalsOf(currency); n > 0 {
			amount += "." + fmt.Sprintf("%0*d", n, rapid.IntRange(0, 99).Draw(t, "fraction"))
		}
		p, err := ParsePrice(amount + " " + currency)
		if err != nil {
			t.Fatal(err)
		}
		form := rapid.SampledFrom([][2]string{{",", "."}, {".", ","}, {"\u202f", ","}, {"’", "."}, {"", "."}}).Draw(t, "form")
		text := shown(p, form[0], form[1], rapid.Bool().Draw(t, "before"))
		if got, ok := readPrice(text, currency); !ok || got != p {
			t.Fatalf("%s is shown as %q and read as %s, %v", p, text, got, ok)
		}
	})
}

func drawProduct(t *rapid.T) Product {
	p := Product{ID: rapid.StringMatching(`[a-z0-9_]{1,8}`).Draw(t, "id")}
	text := rapid.SampledFrom([]string{"", "A", " b\r\nc ", "ü€"})
	for _, name := range []string{"title", "description", "brand", "gtin", "mpn"} {
		*p.ProductField(name) = text.Draw(t, name)
	}
	p.Price = rapid.SampledFrom([]string{"", "19.90 EUR", "1980 JPY"}).Draw(t, "price")
	p.Availability = rapid.SampledFrom([]string{"", "in stock", "Out_of_stock"}).Draw(t, "availability")
	p.Condition = rapid.SampledFrom([]string{"", "new", "USED"}).Draw(t, "condition")
	p.Link = rapid.SampledFrom([]string{"", "https://shop.example/a"}).Draw(t, "link")
	return p
}

// TestNormalProduct: what is normal stays so, a catalog that has what is declared
// needs no change, and after the changes nothing is left to change.
func TestNormalProduct(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, problems, _ := drawProduct(t).Normal()
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if again, _, _ := p.Normal(); again != p {
			t.Fatalf("%+v became %+v", p, again)
		}
		if c := p.Changes(&p, p.Digest()); len(c) > 0 {
			t.Fatalf("equal, and changes %v", c)
		}
		held, _, _ := drawProduct(t).Normal()
		changes := p.Changes(&held, held.Digest())
		after := held
		for _, c := range changes {
			*after.ProductField(c.Name) = c.After
		}
		if c := p.Changes(&after, p.Digest()); len(c) > 0 {
			t.Fatalf("%v is left after %v", c, changes)
		}
		for _, c := range changes {
			if *p.ProductField(c.Name) == "" {
				t.Fatalf("%s is not declared, and is changed", c.Name)
			}
		}
	})
}

func TestProductChanges(t *testing.T) {
	t.Parallel()
	p := Product{ID: "a", Title: "A", Price: "19.90 EUR", GTIN: "1"}
	names := func(held Product, last string) (out []string) {
		for _, c := range p.Changes(&held, last) {
			out = append(out, c.Name)
		}
		return out
	}
	odd := Product{ID: "a", Title: "A", Price: "ask us"}
	other := Product{ID: "a", Title: "A", Price: "19.90 EUR", GTIN: "2"}
	for _, c := range []struct {
		why  string
		held Product
		last string
		want []string
	}{
		{"an unreadable price, as it was handed in", odd, p.Digest(), nil},
		{"an unreadable price, and nothing is known", odd, "", []string{"price"}},
		{"a number that is not read back, and nothing is known", Product{ID: "a", Title: "A", Price: "19.90 EUR"}, "", nil},
		{"a number that is not read back, and another was handed in", Product{ID: "a", Title: "A", Price: "19.90 EUR"}, other.Digest(), []string{"gtin"}},
		{"what is not declared", Product{ID: "a", Title: "A", Price: "19.90 EUR", Brand: "B"}, p.Digest(), nil},
		{"another title", Product{ID: "a", Title: "B", Price: "19.90 EUR"}, p.Digest(), []string{"title"}},
	} {
		if got := names(c.held, c.last); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}

func TestProductProblems(t *testing.T) {
	t.Parallel()
	p := Product{ID: strings.Repeat("x", 101), Price: "19,90 EUR", Availability: "soon", Condition: "mint", Link: "shop.example", Title: strings.Repeat("t", 201)}
	_, problems, doubts := p.Normal()
	var paths []string
	for _, f := range problems {
		paths = append(paths, f.Path)
	}
	if fmt.Sprint(paths) != "[id price availability condition link]" || len(doubts) != 1 || doubts[0].Path != "title" {
		t.Errorf("%v, %v", paths, doubts)
	}
	if got := (&Product{Title: "a"}).Missing(); fmt.Sprint(got) != "[description availability condition price link image_link brand (or gtin, or mpn)]" {
		t.Errorf("missing %v", got)
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	list := make([]ProductRequest, maxBatchProducts+5)
	for i := range list {
		list[i] = ProductRequest{ProductUpdate, Product{ID: fmt.Sprint(i), Price: "1.00 EUR"}}
	}
	var body struct {
		Type     string `json:"item_type"`
		Upsert   *bool  `json:"allow_upsert"`
		Requests []struct {
			Method string
			Data   map[string]string
		}
	}
	raw, n, err := Batch(list)
	if err != nil || n != maxBatchProducts || json.Unmarshal(raw, &body) != nil {
		t.Fatal(n, err)
	}
	if body.Type != "PRODUCT_ITEM" || body.Upsert == nil || *body.Upsert || len(body.Requests) != n || fmt.Sprint(body.Requests[7]) != "{UPDATE map[id:7 price:1.00 EUR]}" {
		t.Errorf("%+v", body.Requests[7])
	}
	big := strings.Repeat("x", maxBatchBytes/3)
	if _, n, _ := Batch([]ProductRequest{{ProductCreate, Product{ID: "a", Description: big}}, {ProductCreate, Product{ID: "b", Description: big}}, {ProductCreate, Product{ID: "c", Description: big}}}); n != 2 {
		t.Errorf("%d of three large ones in one batch", n)
	}
}
