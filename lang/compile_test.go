package lang_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// campaignSource is one campaign with a message and an audience of three
// attributes: city, name, and nickname, which may be empty.
func campaignSource(body string) string {
	return `
audience "all" {
  source "csv" { path = "contacts.csv" }
  columns    = ["phone", "first_name", "town", "nick"]
  attributes = { name = row.first_name, city = row.town, nickname = row.nick }
  optional   = ["nickname"]
}
provider "sandbox" "main" {}
` + body + `
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.all
  message  = text_message.m
  values   = { topic = "tea", upper_city = upper(recipient.city), item = { title = "Cup" } }
}
`
}

func compile(t *testing.T, body string) *lang.Program {
	t.Helper()
	cfg, diags := loadSource(t, "main.hcl", []byte(campaignSource(body)))
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	p, _, diags := cfg.CompileCampaign(cfg.Campaigns[0])
	if p == nil || diags.HasErrors() {
		t.Fatalf("no program: %s", details(diags))
	}
	return p
}

// TestCompileParts checks which parts are constant, which are slots, and which
// slots are shared. « » mark slots.
func TestCompileParts(t *testing.T) {
	t.Parallel()
	tests := []struct{ body, want string }{
		{`"Hello"`, `Hello`},
		{`"Hello, ${recipient.name}!"`, `Hello, «recipient.name»!`},
		{`recipient.name`, `«recipient.name»`},
		{`"${recipient.name} and ${recipient.name}"`, `«recipient.name» and «recipient.name»`},
		{`"On ${value.topic} for ${recipient.name}"`, `On tea for «recipient.name»`},
		{`"In ${value.upper_city}"`, `In «upper(recipient.city)»`},
		{`"A ${value.item.title}, ${upper(value.topic)}"`, `A Cup, TEA`},
		{`upper("x ${recipient.city}")`, `«upper("x ${recipient.city}")»`},
		{`"${coalesce(recipient.name, "there")}"`, `«coalesce(recipient.name, "there")»`},
		{`"${recipient.city == "Bonn" ? "B" : "other"}"`, `«(recipient.city == "Bonn") ? "B" : "other"»`},
		{`"%{ if recipient.city == "Bonn" }B%{ else }C%{ endif }"`, `«(recipient.city == "Bonn") ? "B" : "C"»`},
		{"\n<<-EOT\n  Hi ${recipient.name},\n  bye\n  EOT\n", "Hi «recipient.name»,\nbye\n"},
		{`"${1 + 2} ${true} ${join(", ", ["a", "b"])}"`, `3 true a, b`},
		{`format("%s-%d", recipient.city, 3)`, `«format("%s-%d", recipient.city, 3)»`},
		{`"${recipient["name"]}"`, `«recipient["name"]»`},
		{`"${[for x in ["a", "b"] : "${x}${recipient.city}"][0]}"`, `«[for x in ["a", "b"] : "${x}${recipient.city}"][0]»`},
		{`"to ${recipient.phone}"`, `to «recipient.phone»`},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			t.Parallel()
			p := compile(t, "text_message \"m\" {\n  body = "+strings.TrimPrefix(tt.body, "\n")+"\n}")
			if got := drawn(p.Draft); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// drawn returns the body of a draft with its slots marked and named.
func drawn(d *message.Draft) string {
	var b strings.Builder
	b.WriteString(d.Message.(*message.Text).Body)
	for _, binding := range d.Bindings {
		for _, part := range binding.Parts {
			if part.Slot < 0 {
				b.WriteString(part.Text)
			} else {
				b.WriteString("«" + d.Slots[part.Slot] + "»")
			}
		}
	}
	return b.String()
}

func TestEvalForRecipients(t *testing.T) {
	t.Parallel()
	recipient := func(city, name, nick message.Value) *message.Recipient {
		return &message.Recipient{Address: message.Address{Phone: "+4915112345678"}, Attributes: []message.Value{city, name, nick}}
	}
	bonn, ann, none := message.Str("Bonn"), message.Str("Ann"), message.Value{}
	tests := []struct {
		name, body string
		to         *message.Recipient
		want       []string
		code, attr string
	}{
		{"plain", `"Hi ${recipient.name}"`, recipient(bonn, ann, none), []string{"Ann"}, "", ""},
		{"null", `"Hi ${recipient.name}"`, recipient(bonn, none, none), nil, "empty_value", "name"},
		{"blank", `"Hi ${recipient.name}"`, recipient(bonn, message.Str("  "), none), nil, "empty_value", "name"},
		{"blank in a function", `"Hi ${upper(recipient.name)}"`, recipient(bonn, message.Str(""), none), nil, "empty_value", "name"},
		{"coalesce", `"Hi ${coalesce(recipient.name, "there")}"`, recipient(bonn, none, none), []string{"there"}, "", ""},
		{"conditional", `"Hi ${recipient.name == "" ? "you" : recipient.name}"`, recipient(bonn, message.Str(""), none), []string{"you"}, "", ""},
		{"optional null", `"Hi ${recipient.nickname}!"`, recipient(bonn, ann, none), []string{""}, "", ""},
		{"phone", `"Your number is ${recipient.phone}"`, recipient(bonn, ann, none), []string{"+4915112345678"}, "", ""},
		{"value with recipient", `"In ${value.upper_city}"`, recipient(bonn, ann, none), []string{"BONN"}, "", ""},
		{"shared slot", `"${recipient.name} ${recipient.city} ${recipient.name}"`, recipient(bonn, ann, none), []string{"Ann", "Bonn"}, "", ""},
		{"failing", `"${tonumber(recipient.city) + 1}"`, recipient(bonn, ann, none), nil, "evaluation", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := compile(t, "text_message \"m\" {\n  body = "+strings.TrimPrefix(tt.body, "\n")+"\n}")
			got, err := p.Eval(tt.to, nil)
			if tt.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				return
			}
			var ve *lang.ValueError
			if !errors.As(err, &ve) {
				t.Fatalf("got %v, want a *ValueError", err)
			}
			if ve.Code != tt.code || ve.Attribute != tt.attr || ve.Range.Filename != "main.hcl" {
				t.Errorf("got %s %q at %s, want %s %q", ve.Code, ve.Attribute, ve.Range, tt.code, tt.attr)
			}
			if strings.Contains(err.Error(), "Bonn") {
				t.Errorf("the error holds a recipient's value: %v", err)
			}
		})
	}
}

func TestEvalIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	p := compile(t, `text_message "m" { body = "${recipient.phone} ${upper(recipient.name)} ${[for c in [recipient.city] : c][0]}" }`)
	var wg sync.WaitGroup
	for i := range 4 {
		name := strings.Repeat("a", i+1)
		wg.Go(func() {
			for range 200 {
				got, err := p.Eval(&message.Recipient{Address: message.Address{Phone: "+" + name}, Attributes: []message.Value{message.Str("c" + name), message.Str(name), {}}}, nil)
				want := []string{"+" + name, strings.ToUpper(name), "c" + name}
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestProgramRange(t *testing.T) {
	t.Parallel()
	src := `
list_message "l" {
  body   = "Body"
  button = "Open"
  section "One" {
    row "a" { title = "A" }
    row "b" {
      title       = "B ${recipient.name}"
      description = "x"
    }
  }
}
`
	cfg, diags := loadSource(t, "main.hcl", []byte(strings.Replace(campaignSource(src), "text_message.m", "list_message.l", 1)))
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	p, _, _ := cfg.CompileCampaign(cfg.Campaigns[0])
	for path, want := range map[string]int{
		"body": 11, "section[0].row[1].title": 16, "section[0].row[1].id": 15, "section[0].row[1]": 15, "section[0]": 13, "footer": 10, "": 10, "nowhere[3].x": 10,
	} {
		if got := p.Range(path).Start.Line; got != want {
			t.Errorf("%q is at line %d, want %d", path, got, want)
		}
	}
}

func TestExampleOfTheLanguage(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/valid/screen.hcl")
	if err != nil {
		t.Fatal(err)
	}
	cfg, diags := loadSource(t, "main.hcl", src)
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	main, fallback, diags := cfg.CompileCampaign(cfg.Campaigns[0])
	if diags.HasErrors() || main == nil || fallback == nil {
		t.Fatal(details(diags))
	}
	want := &message.Draft{
		Message: &message.List{Button: "View catalog", Sections: []message.Section{{Title: "Featured products", Rows: []message.Row{
			{ID: "prod_alpha", Title: "Alpha Widget", Description: "Compact model"}, {ID: "prod_beta", Title: "Beta Widget", Description: "Standard model"},
		}}}},
		Bindings: []message.Binding{{Path: "body", Parts: []message.Part{
			{Text: "Browse our catalog for spring promotion, ", Slot: -1}, {Slot: 0}, {Text: ":", Slot: -1},
		}}},
		Slots: []string{"recipient.name"},
	}
	if diff := cmp.Diff(want, main.Draft); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]message.Binding{{Path: "body[0]", Parts: []message.Part{{Slot: 0}}}}, fallback.Draft.Bindings); diff != "" {
		t.Errorf("fallback (-want +got):\n%s", diff)
	}
}
