package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

// inModule is a block of repeated as it stands in a module with a variable for each
// value; people is what REF(audience.people) is there.
func inModule(block, people string) string {
	block = fill(block, "BLOCK", func(s string) string {
		kind, name, _ := strings.Cut(s, " ")
		return kind + ` "` + name + `"`
	})
	block = fill(block, "VALUE", func(s string) string { return "var." + s })
	block = fill(block, "TEXT", func(s string) string { return "${var." + s + "}" })
	block = fill(block, "REF", func(s string) string {
		if s == "audience.people" {
			return people
		}
		return s
	})
	block = strings.ReplaceAll(block, "provider.sandbox.main", "var.number")
	return strings.ReplaceAll(block, "KEY", "${var.key}")
}

const moduleVariables = `
variable "number" { type = reference(provider) }
variable "key" { type = string }
variable "catalog" { type = string }
variable "file" { type = string }
variable "title" {}
variable "dishes" { type = list(string) }
variable "revision" { type = number }
`

// callMarkets is a module block that calls the module once a market.
func callMarkets(source, markets, number string, more string) string {
	return `
module "m" {
  source   = "` + source + `"
  for_each = ` + markets + `
  number   = ` + number + `
  key      = each.key
  catalog  = each.value.catalog
  file     = each.value.file
  title    = each.value.title
  dishes   = each.value.dishes
  revision = each.value.revision
` + more + `}
`
}

var inlined = regexp.MustCompile(`(?:module\.outer\.)?module\.m\[\\"(\w+)\\"\]\.(\w+)\.(\w+)`)

var outsideOf = regexp.MustCompile(`audience\.people\[\\"(\w+)\\"\]`)

// TestModulesAreTheSameInlined: a plan of blocks in modules is that of the same blocks
// written out, but for the addresses.
func TestModulesAreTheSameInlined(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "contacts.csv"), []byte(smallContacts), 0o600); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		values := markets(rt)
		keys := slices.Sorted(maps.Keys(values))
		nested, outside := rapid.Bool().Draw(rt, "nested"), rapid.Bool().Draw(rt, "outside")
		main, long := header+"locals {\n  markets = {\n", header
		for _, key := range keys {
			main += key + " = {"
			for _, name := range slices.Sorted(maps.Keys(values[key])) {
				main += name + " = " + values[key][name] + ", "
			}
			main += "}\n"
			for _, block := range repeated {
				long += writtenOut(block, key, values[key]) + "\n"
			}
		}
		main += "}\n}\n"
		module, people, more := moduleVariables, "audience.people", ""
		if outside { // the audience comes in as a reference
			main += withForEach(repeated[1])
			module += "variable \"people\" { type = reference(audience) }\n"
			people, more = "var.people", "  people   = audience.people[each.key]\n"
		}
		for i, block := range repeated {
			if !outside || i != 1 {
				module += inModule(block, people) + "\n"
			}
		}
		files := map[string][]byte{"m/main.hcl": []byte(module)}
		if nested && !outside {
			main += "module \"outer\" {\n  source  = \"./outer\"\n  number  = provider.sandbox.main\n  markets = local.markets\n}\n"
			files["outer/main.hcl"] = []byte("variable \"number\" { type = reference(provider) }\nvariable \"markets\" { type = any }\n" +
				callMarkets("../m", "var.markets", "var.number", more))
		} else {
			main += callMarkets("./m", "local.markets", "provider.sandbox.main", more)
		}
		files["main.hcl"] = []byte(main)
		got := inlined.ReplaceAllString(decisionsOf(rt, dir, files), "$2.${3}_$1")
		got = outsideOf.ReplaceAllString(got, "audience.people_$1")
		for _, key := range keys { // a slot is named by its source
			got = strings.ReplaceAll(got, "${var.title_"+key+"}", strings.Trim(values[key]["title"], `"`))
		}
		if diff := cmp.Diff(withoutNames(rt, decisions(rt, dir, long)), withoutNames(rt, got)); diff != "" {
			rt.Errorf("(-inlined +modules):\n%s\n%s\n%s", diff, main, module)
		}
	})
}

// withoutNames are the lines of a plan without what only addresses decide: names,
// modules, and the order of resources and of what they refer to.
func withoutNames(rt *rapid.T, decided string) []string {
	var resources, rest []string
	for line := range strings.SplitSeq(decided, "\n") {
		var r map[string]any
		if json.Unmarshal([]byte(line), &r) != nil || r["after"] == nil || r["change"] == nil {
			rest = append(rest, line)
			continue
		}
		delete(r, "name")
		delete(r, "module")
		refs := r["refs"].([]any)
		slices.SortFunc(refs, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		again, err := json.Marshal(r)
		if err != nil {
			rt.Fatal(err)
		}
		resources = append(resources, string(again))
	}
	slices.Sort(resources)
	return append(resources, rest...)
}

const welcomeModule = `
variable "number" { type = reference(provider) }
variable "greeting" {}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

text_message "hello" {
  body = "${var.greeting} ${recipient.name}!"
}

campaign "spring" {
  provider = var.number
  audience = audience.people
  message  = text_message.hello
  window   = "assume_open"
}
`

func withWelcome(call string) map[string]string {
	return map[string]string{"main.hcl": header + call, "m/main.hcl": welcomeModule, "contacts.csv": smallContacts}
}

// TestMovedIntoAModuleSendsNothing: whoever had a campaign gets it from no module into
// which it moved, whatever the move: a block, a whole module, or one of its keys.
func TestMovedIntoAModuleSendsNothing(t *testing.T) {
	const one = "module \"m\" {\n  source = \"./m\"\n  number = provider.sandbox.main\n  greeting = \"Hi\"\n}\n"
	several := strings.Replace(one, "  source", "  for_each = toset([\"de\", \"es\"])\n  source", 1)
	for _, c := range []struct{ name, had, call, from, to, want string }{
		{"into a module", "campaign.spring", one, "campaign.spring", "module.m.campaign.spring", "module.m.campaign.spring: 0"},
		{"into a key", "campaign.spring", several, "campaign.spring", `module.m["es"].campaign.spring`, `module.m["de"].campaign.spring: 3, module.m["es"].campaign.spring: 0`},
		{"a module under another name", "module.old.campaign.spring", one, "module.old", "module.m", "module.m.campaign.spring: 0"},
		{"a module gets keys", "module.old.campaign.spring", several, "module.old", `module.m["de"]`, `module.m["de"].campaign.spring: 0, module.m["es"].campaign.spring: 3`},
		{"from one key to another", `module.m["at"].campaign.spring`, several, `module.m["at"]`, `module.m["de"]`, `module.m["de"].campaign.spring: 0, module.m["es"].campaign.spring: 3`},
		{"all keys of a module", `module.old["es"].campaign.spring`, several, "module.old", "module.m", `module.m["de"].campaign.spring: 3, module.m["es"].campaign.spring: 0`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, withWelcome(c.call+"moved {\n  from = "+c.from+"\n  to = "+c.to+"\n}\n"))
			store := &memState{resources: []state.Resource{{Address: c.had, Type: "campaign", Name: "spring", Tree: []byte("{}")}}}
			for _, who := range []string{anna, ben, cem} {
				d := past(who, state.Accepted, "")
				d.Campaign = c.had
				store.deliveries = append(store.deliveries, d)
			}
			w.in.State = store
			p, diags := w.plan(t)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			var got []string
			for i := range p.Campaigns {
				got = append(got, fmt.Sprintf("%s: %d", p.Campaigns[i].Address, p.Campaigns[i].Counts.Sends()))
			}
			if list := strings.Join(got, ", "); list != c.want {
				t.Errorf("got %s, want %s", list, c.want)
			}
		})
	}
}

// TestModuleFilesAreInputs: a plan is made from the files of modules too, so that it
// becomes stale when one changes, and carries them.
func TestModuleFilesAreInputs(t *testing.T) {
	w := open(t, withWelcome("module \"m\" {\n  source = \"./m\"\n  number = provider.sandbox.main\n  greeting = \"Hi\"\n}\n"))
	p, diags := w.plan(t)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var names []string
	for _, in := range p.Inputs {
		names = append(names, in.Name)
	}
	if !slices.Contains(names, "m/main.hcl") {
		t.Errorf("inputs are %v", names)
	}
	cfg, diags := lang.LoadFiles(context.Background(), w.cfg.Files, nil, lang.Options{Schemas: map[string]lang.ProviderSchema{"sandbox": {}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if a, b := cfg.Resources(), w.cfg.Resources(); len(a) != len(b) {
		t.Errorf("the stored files declare %d resources, the directory %d", len(a), len(b))
	}
}
