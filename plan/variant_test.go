package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/state"
)

const languages = header + `
text_message "en" { body = "Hello ${recipient.name}!" }
text_message "de" { body = "Hallo ${recipient.name}!" }
text_message "pt" { body = "Olá ${recipient.name}!" }

template_message "reopen_en" {
  template = "reopen"
  language = "en"
}
template_message "reopen_pt" {
  template = "reopen"
  language = "pt_BR"
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  consent    = true
  attributes = { name = row.name, language = row.language }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.en
  fallback = template_message.reopen_en
  window   = "assume_open"
  variant "de" {
    when    = recipient.language == "de"
    message = text_message.de
  }
  variant "pt" {
    when     = startswith(recipient.language, "pt")
    message  = text_message.pt
    fallback = template_message.reopen_pt
  }
}
`

const languageContacts = `phone,name,language
+4915112345601,Anna,de
+4915112345602,Ben,en
+4915112345603,Cem,
+4915112345604,Dana,pt-BR
+4915112345605,Eve,de
+4915112345606,Finn,pt
+4915112345601,Anna again,pt
`

// received lists who gets which message.
func received(t *testing.T, p *Plan) string {
	t.Helper()
	var list []string
	for _, e := range collect(t, p) {
		phone := e.Recipient.Phone
		to := phone[len(phone)-1:]
		address, _, ok := p.Campaigns[e.Campaign].MessageOf(e.Draft)
		if !ok {
			list = append(list, to+" "+e.Action.String())
			continue
		}
		list = append(list, to+" "+e.Action.String()+" "+address)
	}
	return strings.Join(list, ", ")
}

func counted(c *Campaign) string {
	var list []string
	for _, v := range c.Variants {
		list = append(list, fmt.Sprintf("%s %d/%d", v.Name, v.Messages, v.Recipients))
	}
	return strings.Join(list, ", ")
}

func TestVariants(t *testing.T) {
	w := open(t, map[string]string{"main.hcl": languages, "contacts.csv": languageContacts})
	w.in.State = &memState{windows: []state.PersonWindow{shut("provider.sandbox.main", "+4915112345605", 0), shut("provider.sandbox.main", "+4915112345606", 0)},
		people: []state.Person{{Recipient: "+4915112345602", OptedOut: true}}}
	p, diags := w.plan(t)
	if len(diags) > 0 {
		t.Error(diags)
	}
	want := "1 send text_message.de, 2 skip, 3 send text_message.en, 4 send text_message.pt, 5 fallback template_message.reopen_en, 6 fallback template_message.reopen_pt, 1 skip"
	if diff := cmp.Diff(want, received(t, p)); diff != "" {
		t.Error(diff)
	}
	if got, want := counted(&p.Campaigns[0]), "de 2/2, pt 2/2,  1/2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if sum, err := p.Sum(); err != nil || sum.Digest != p.Digest {
		t.Errorf("the plan's digest is not that of its entries: %v", err)
	}
}

// TestFirstVariantWins checks that the order in the file decides, and that
// swapping two variants gives another plan.
func TestFirstVariantWins(t *testing.T) {
	both := strings.Replace(languages, `recipient.language == "de"`, `recipient.language != "en"`, 1)
	w := open(t, map[string]string{"main.hcl": both, "contacts.csv": languageContacts})
	p, diags := w.plan(t)
	if got, want := counted(&p.Campaigns[0]), "de 5/5, pt 0/0,  1/1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := summaries(diags); !strings.Contains(got, `variant_unmet main.hcl:33: None of the 6 recipients of campaign.spring meets the variant "pt"`) {
		t.Errorf("no diagnostic for the variant that nobody gets: %s", got)
	}
	w.in.Options.Target = []string{`campaign.spring["+4915112345602"]`}
	if _, diags = w.plan(t); strings.Contains(summaries(diags), "variant_unmet") {
		t.Error("a plan for one person says that nobody meets a variant")
	}
}

// TestVariantOfPeopleWhoWereSentTo checks that a person who was sent a variant is not
// sent another one because their language changed.
func TestVariantOfPeopleWhoWereSentTo(t *testing.T) {
	w := open(t, map[string]string{"main.hcl": languages, "contacts.csv": "phone,name,language\n+4915112345601,Anna,pt\n"})
	d := past(anna, state.Accepted, "")
	d.Message = "text_message.de"
	w.in.State = &memState{deliveries: []state.Delivery{d}}
	p, _ := w.plan(t)
	if got := received(t, p); got != "1 sent" {
		t.Error(got)
	}
	if c := p.Campaigns[0]; c.OldText != 1 || counted(&c) != "de 0/0, pt 0/1,  0/0" {
		t.Errorf("%d had an old text, %s", c.OldText, counted(&c))
	}
}

// TestVariantConditions checks that a condition that can't be evaluated fails
// the plan with the row, while one that refers to an empty attribute is just
// not met.
func TestVariantConditions(t *testing.T) {
	bad := strings.Replace(languages, `startswith(recipient.language, "pt")`, `recipient.name == "Dana" ? tonumber(recipient.name) > 1 : false`, 1)
	w := open(t, map[string]string{"main.hcl": bad, "contacts.csv": languageContacts})
	_, diags := w.plan(t)
	if got := summaries(diags); !strings.Contains(got, "error evaluation main.hcl:34") || !strings.Contains(got, "contacts.csv:5") {
		t.Error(got)
	}
}

// TestVariantTemplates checks that the templates of one campaign must have one
// category.
func TestVariantTemplates(t *testing.T) {
	mixed := strings.Replace(languages, `language = "pt_BR"`, "language = \"pt_BR\"\n  category = \"utility\"", 1)
	w := open(t, map[string]string{"main.hcl": mixed, "contacts.csv": languageContacts})
	_, diags := w.plan(t)
	if got := summaries(diags); !strings.Contains(got, "error variant_templates") {
		t.Error(got)
	}
}
