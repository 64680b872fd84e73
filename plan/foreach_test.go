package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// repeated are blocks with placeholders: KEY and VALUE(x) stand for the key and
// a value of each instance, TEXT(x) for a value within a text, BLOCK for the
// block's head, and NAME[KEY] for a reference with a key.
var repeated = []string{
	`BLOCK(catalog shop) {
  id = VALUE(catalog)
  product "a" { title = "TEXT(title) A" }
  product "b" { title = "B" }
}`,
	`BLOCK(audience people) {
  source "csv" { path = VALUE(file) }
  filter     = row.name != VALUE(title)
  attributes = { name = "TEXT(title) ${row.name}" }
}`,
	`BLOCK(text_message hello) {
  body = "TEXT(title), ${recipient.name}! ${upper("TEXT(title) ${recipient.name}")} KEY"
}`,
	`BLOCK(list_message menu) {
  body   = value.greeting
  button = "Open"
  section "Dishes" {
    dynamic "row" {
      for_each = VALUE(dishes)
      labels   = [row.value]
      content {
        title = "TEXT(title) ${row.value}"
      }
    }
  }
}`,
	`BLOCK(product_message one) {
  catalog = REF(catalog.shop)
  product = REF(catalog.shop).products["a"]
  body    = REF(catalog.shop).products["b"].title
}`,
	`BLOCK(campaign spring) {
  provider = provider.sandbox.main
  audience = REF(audience.people)
  message  = REF(text_message.hello)
  window   = "assume_open"
}`,
	`BLOCK(campaign dishes) {
  provider = provider.sandbox.main
  audience = REF(audience.people)
  message  = REF(list_message.menu)
  values   = { greeting = "TEXT(title) ${recipient.name}" }
  window   = "assume_open"
  revision = VALUE(revision)
}`,
	`BLOCK(campaign products) {
  provider = provider.sandbox.main
  audience = REF(audience.people)
  message  = REF(product_message.one)
  window   = "assume_open"
}`,
}

// markets draws the values of for_each, by key.
func markets(rt *rapid.T) map[string]map[string]string {
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"at", "de", "es", "pt"}), 1, 3, rapid.ID).Draw(rt, "keys")
	out := map[string]map[string]string{}
	for _, key := range keys {
		out[key] = map[string]string{
			"catalog": `"` + key + `1"`, "file": `"contacts.csv"`, "revision": fmt.Sprint(rapid.IntRange(1, 3).Draw(rt, "revision")),
			"title":  `"` + rapid.SampledFrom([]string{"Hallo", "Hola", "Anna"}).Draw(rt, "title") + `"`,
			"dishes": rapid.SampledFrom([]string{`["soup"]`, `["soup", "pie"]`}).Draw(rt, "dishes"),
		}
	}
	return out
}

// fill replaces NAME(argument) by what make returns for the argument.
func fill(text, name string, make func(string) string) string {
	for {
		before, rest, ok := strings.Cut(text, name+"(")
		if !ok {
			return text
		}
		inner, after, _ := strings.Cut(rest, ")")
		text = before + make(inner) + after
	}
}

// withForEach fills in the block with for_each.
func withForEach(block string) string {
	block = fill(block, "BLOCK", func(s string) string {
		kind, name, _ := strings.Cut(s, " ")
		return kind + ` "` + name + "\" {\n  for_each = local.markets #"
	})
	block = fill(block, "VALUE", func(s string) string { return "each.value." + s })
	block = fill(block, "TEXT", func(s string) string { return "${each.value." + s + "}" })
	block = fill(block, "REF", func(s string) string { return s + "[each.key]" })
	return strings.ReplaceAll(block, "KEY", "${each.key}")
}

// writtenOut fills in the block for one key.
func writtenOut(block, key string, values map[string]string) string {
	block = fill(block, "BLOCK", func(s string) string {
		kind, name, _ := strings.Cut(s, " ")
		return kind + ` "` + name + "_" + key + `"`
	})
	block = fill(block, "VALUE", func(s string) string { return values[s] })
	block = fill(block, "TEXT", func(s string) string { return strings.Trim(values[s], `"`) })
	block = fill(block, "REF", func(s string) string { return s + "_" + key })
	return strings.ReplaceAll(block, "KEY", key)
}

// TestForEachIsTheSameWrittenOut checks that blocks with for_each give the same
// plan as the blocks written out, except for the addresses.
func TestForEachIsTheSameWrittenOut(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "contacts.csv"), []byte(smallContacts), 0o600); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		values := markets(rt)
		keys := slices.Sorted(maps.Keys(values))
		short, long := header+"locals {\n  markets = {\n", header
		for _, key := range keys {
			short += key + " = {"
			for _, name := range slices.Sorted(maps.Keys(values[key])) {
				short += name + " = " + values[key][name] + ", "
			}
			short += "}\n"
		}
		short += "}\n}\n"
		for _, block := range repeated {
			short += withForEach(block) + "\n"
			for _, key := range keys {
				long += writtenOut(block, key, values[key]) + "\n"
			}
		}
		got, want := decisions(rt, dir, short), decisions(rt, dir, long)
		for _, key := range keys {
			got = strings.ReplaceAll(got, `[\"`+key+`\"]`, "_"+key)
		}
		if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
			rt.Errorf("(-written out +for_each):\n%s\n%s", diff, short)
		}
	})
}

// decisions lists what a configuration's plan decides, one decision per line.
func decisions(rt *rapid.T, dir, source string) string {
	return decisionsOf(rt, dir, map[string][]byte{"main.hcl": []byte(source)})
}

func decisionsOf(rt *rapid.T, dir string, files map[string][]byte) string {
	source := files["main.hcl"]
	root, err := os.OpenRoot(dir)
	if err != nil {
		rt.Fatal(err)
	}
	defer root.Close()
	cfg, diags := lang.LoadFiles(rt.Context(), files, root, lang.Options{Schemas: map[string]lang.ProviderSchema{"sandbox": {}}})
	if diags.HasErrors() {
		rt.Fatalf("%v\n%s", diags, source)
	}
	p, diags := Build(rt.Context(), cfg, Inputs{At: testAt, Root: root, State: &memState{}})
	defer p.Close()
	if diags.HasErrors() {
		rt.Fatalf("%v\n%s", diags, source)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for i := range p.Resources {
		r := p.Resources[i]
		r.Refs = slices.DeleteFunc(slices.Clone(r.Refs), func(a string) bool { return a == "local.markets" })
		_ = enc.Encode(r)
	}
	for i := range p.Campaigns {
		_ = enc.Encode(p.Campaigns[i])
	}
	for _, d := range p.Drafts {
		data, err := message.MarshalDraft(d)
		if err != nil {
			rt.Fatal(err)
		}
		b.Write(append(data, '\n'))
	}
	for e, err := range p.Entries() {
		if err != nil {
			rt.Fatal(err)
		}
		_ = enc.Encode(e)
	}
	return b.String()
}

const byMarket = header + `
audience "people" {
  for_each = toset(["de", "es"])
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  for_each = { de = "Hallo", es = "Hola" }
  body     = "${each.value} ${recipient.name}!"
}

campaign "spring" {
  for_each = audience.people
  provider = provider.sandbox.main
  audience = each.value
  message  = text_message.hello[each.key]
  window   = "assume_open"
}
`

// TestKeysInOptions checks that -target, -exclude and -replace accept addresses
// with keys, a recipient of such an address, and an address without a key,
// which means all of them.
func TestKeysInOptions(t *testing.T) {
	for _, c := range []struct {
		name                   string
		target, exclude, again []string
		want                   string
		resources              string
		refused                bool
	}{
		{name: "one of them", target: []string{`campaign.spring["de"]`}, want: "de1 send, de2 send, de3 send",
			resources: `audience.people["de"] campaign.spring["de"] provider.sandbox.main text_message.hello["de"]`},
		{name: "all of them", target: []string{`campaign.spring`}, want: "de1 send, de2 send, de3 send, es1 send, es2 send, es3 send"},
		{name: "a shell took the quotes", target: []string{`campaign.spring[de]`}, want: "de1 send, de2 send, de3 send"},
		{name: "somebody of one", target: []string{`campaign.spring["es"]["` + ben + `"]`}, want: "es2 send"},
		{name: "somebody of all", target: []string{`campaign.spring["` + ben + `"]`}, want: "de2 send, es2 send"},
		{name: "all but one", exclude: []string{`audience.people["de"]`}, want: "es1 send, es2 send, es3 send",
			resources: `audience.people["es"] campaign.spring["es"] provider.sandbox.main text_message.hello["de"] text_message.hello["es"]`},
		{name: "one again", again: []string{`campaign.spring["de"]`}, want: "de1 replace, de2 send, de3 send, es1 send, es2 send, es3 send"},
		{name: "no such key", target: []string{`campaign.spring["fr"]`, `text_message.hello["fr"]`}, refused: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, map[string]string{"main.hcl": byMarket, "contacts.csv": smallContacts})
			d := past(anna, state.Accepted, "")
			d.Campaign = `campaign.spring["de"]`
			w.in.State = &memState{}
			if c.again != nil {
				w.in.State = &memState{deliveries: []state.Delivery{d}}
			}
			w.in.Options = Options{Target: c.target, Exclude: c.exclude, Replace: c.again}
			p, diags := w.plan(t)
			if diags.HasErrors() != c.refused {
				t.Fatal(diags)
			}
			if c.refused {
				if got := summaries(diags); strings.Contains(got, "•") || !strings.Contains(got, `text_message.hello["fr"]: there is no such resource`) {
					t.Error(got)
				}
				return
			}
			var got []string
			for _, e := range collect(t, p) {
				if e.Reason != "" {
					continue
				}
				_, key, _ := state.SplitAddress(p.Campaigns[e.Campaign].Address)
				phone := e.Recipient.Phone
				got = append(got, key+phone[len(phone)-1:]+" "+e.Action.String())
			}
			if list := strings.Join(got, ", "); list != c.want {
				t.Errorf("got %s, want %s", list, c.want)
			}
			var addresses []string
			for i := range p.Resources {
				addresses = append(addresses, p.Resources[i].Address)
			}
			if list := strings.Join(addresses, " "); c.resources != "" && list != c.resources {
				t.Errorf("got %s, want %s", list, c.resources)
			}
		})
	}
}
