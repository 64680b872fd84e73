package plan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
)

// reads is a campaign with a template that is read from the account, to three
// people.
const reads = header + `
provider "sandbox" "other" {}

data "template" "ready" {
  provider = provider.sandbox.main
  name     = "order_ready"
}

template_message "ready" {
  template = data.template.ready
  language = "en_US"
  body     = [recipient.name]
}

audience "people" {
  source "csv" { path = "people.csv" }
  consent    = true
  attributes = { name = row.name, tongue = row.tongue }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = template_message.ready
}
`

const threePeople = "phone,name,tongue\n+4915112345601,Ada,en_US\n+4915112345602,Bo,de\n+14155550103,Cy,en_US\n"

// ready is the template order_ready in an account.
func ready(change ...func(*account.Template)) account.Template {
	t := account.Template{ID: "77", Name: "order_ready", Language: "en_US", Status: "APPROVED", Category: "utility",
		Content: account.Content{Body: "Hello {{1}}, your order is ready."}}
	for _, f := range change {
		f(&t)
	}
	return t
}

func held(status string) func(*account.Template) {
	return func(t *account.Template) { t.Status = status }
}

// reading plans the configuration with an account that has these templates.
func reading(t *testing.T, config string, list ...account.Template) (*Plan, string, *workspace) {
	t.Helper()
	w := open(t, map[string]string{"main.hcl": config, "people.csv": threePeople})
	seen := &Observed{Account: "main", Templates: list, At: testAt}
	w.in.Templates = Templates{
		Of:      func(*lang.Provider) *Observed { return seen },
		Account: func(p *lang.Provider) string { return p.Name },
	}
	p, diags := w.plan(t)
	var codes []string
	for _, d := range diags {
		codes = append(codes, DiagCode(d))
	}
	if len(diags) > 0 {
		t.Log(summaries(diags))
	}
	return p, strings.Join(codes, " "), w
}

// TestEachStateOfATemplate is the table of what a campaign does with a template
// in each status, including an unknown one. Only an approved template is sent.
func TestEachStateOfATemplate(t *testing.T) {
	for _, c := range []struct {
		status string
		send   int
		defers delivery.Reason
		says   string // code of the diagnostic
	}{
		{"APPROVED", 3, "", ""},
		{"PENDING", 0, delivery.ReasonTemplatePending, "template_waits"},
		{"SUBMITTED", 0, delivery.ReasonTemplatePending, "template_waits"},
		{"IN_APPEAL", 0, delivery.ReasonTemplatePending, "template_waits"},
		{"PAUSED", 0, delivery.ReasonTemplatePaused, "template_waits"},
		{"REJECTED", 0, "", "template_unusable"},
		{"DISABLED", 0, "", "template_unusable"},
		{"ARCHIVED", 0, "", "template_unusable"},
		{"PENDING_DELETION", 0, "", "template_unusable"},
		{"DELETED", 0, "", "template_unusable"},
		{"LIMIT_EXCEEDED", 0, "", "template_unusable"},
		{"SNOOZED", 0, "", "template_unusable"},
	} {
		t.Run(c.status, func(t *testing.T) {
			p, says, _ := reading(t, reads, ready(held(c.status)))
			n := p.Campaigns[0].Counts
			if says != c.says || n.Send != c.send || n.Sends() != c.send+n.Defer[c.defers] || c.defers != "" && n.Defer[c.defers] != 3 {
				t.Errorf("it says %q and counts %+v", says, n)
			}
			for e, err := range p.Entries() {
				if err != nil || e.Action == Send && c.status != "APPROVED" {
					t.Errorf("%s is sent to, and the template is %s (%v)", e.Recipient.Key(), c.status, err)
				}
			}
			if len(p.Managed) != 1 || p.Managed[0].Status != c.status || p.Managed[0].Address != "data.template.ready.en_US" || !p.Managed[0].ObservedAt.Equal(testAt) {
				t.Errorf("the plan holds %+v", p.Managed)
			}
		})
	}
}

// TestTemplateReasonIsQuoted checks that the plan shows why Meta rejected the
// template, an unknown status word, and what to do.
func TestTemplateReasonIsQuoted(t *testing.T) {
	for status, words := range map[string][]string{
		"REJECTED": {"REJECTED", `"PROMOTIONAL"`, "marketing template"}, "SNOOZED": {"SNOOZED", "does not know", "WhatsApp Manager"},
		"ARCHIVED": {"Unarchive"}, "PENDING_DELETION": {"30 days"},
	} {
		p, _, _ := reading(t, reads, ready(held(status), func(t *account.Template) { t.Reason = "PROMOTIONAL" }))
		for _, want := range words {
			if detail := p.Diagnostics[0].Detail; !strings.Contains(detail, want) {
				t.Errorf("%s: %q does not say %q", status, detail, want)
			}
		}
	}
}

// TestMissingAndUnreadableTemplates checks that a template that the account does not have is
// never confused with one that could not be read.
func TestMissingAndUnreadableTemplates(t *testing.T) {
	_, says, w := reading(t, reads, ready(func(t *account.Template) { t.Name = "order_redy" }))
	if p, diags := w.plan(t); says != "template_missing" || !strings.Contains(diags[0].Detail, `Did you mean "order_redy"?`) || len(p.Managed) > 0 {
		t.Errorf("it says %q: %v", says, diags)
	}
	if _, says, _ := reading(t, reads); says != "template_missing" {
		t.Errorf("of an account without templates it says %q", says)
	}
	p, says, _ := reading(t, reads, ready(func(t *account.Template) { t.Language = "en_GB" }), ready(func(t *account.Template) { t.Language = "de" }))
	if says != "template_language" || !strings.Contains(p.Diagnostics[0].Detail, "de, en_GB") || !strings.Contains(p.Diagnostics[0].Detail, `Did you mean "en_GB"?`) {
		t.Errorf("it says %q: %v", says, p.Diagnostics)
	}
	for name, of := range map[string]func(*lang.Provider) *Observed{
		"an error": func(*lang.Provider) *Observed {
			return &Observed{Err: errors.New("page 2: the connection was closed"), Templates: []account.Template{ready()}}
		},
		"nobody asked":   func(*lang.Provider) *Observed { return nil },
		"no way to read": nil,
	} {
		w.in.Templates = Templates{Of: of}
		p, diags := w.plan(t)
		if !diags.HasErrors() || DiagCode(diags[0]) != "template_unreadable" || p.Sends() != 0 {
			t.Errorf("%s: %q", name, summaries(diags))
			continue
		}
		if of != nil && name == "an error" && !strings.Contains(diags[0].Detail, "Page 2: the connection was closed.") {
			t.Errorf("the cause is lost: %s", diags[0].Detail)
		}
	}
}

// TestShapeOfATemplate checks that the message's parameters must match the
// template's parts.
func TestShapeOfATemplate(t *testing.T) {
	two := func(t *account.Template) { t.Body = "Hello {{1}}, {{2}} is ready." }
	if p, says, _ := reading(t, reads, ready(two)); says != "template_mismatch" || !strings.Contains(p.Diagnostics[0].Detail, "2 parameters, and the message gives 1") || p.Diagnostics[0].Line != 14 {
		t.Errorf("it says %q: %+v", says, p.Diagnostics)
	}
	strange := func(t *account.Template) { t.Strange = []string{"hologram"} }
	if p, says, _ := reading(t, reads, ready(strange)); says != "template_doubted" || p.Sends() != 3 {
		t.Errorf("it says %q and sends %d", says, p.Sends())
	}
	// A template in another language with other parts does not affect this one.
	if p, says, _ := reading(t, reads, ready(), ready(two, func(t *account.Template) { t.Language = "de" })); says != "" || p.Sends() != 3 || len(p.Managed) != 1 {
		t.Errorf("it says %q", says)
	}
}

// TestCategoryOfATemplate checks that a declared category must match the
// account's, and that the account's is used if none is declared.
func TestCategoryOfATemplate(t *testing.T) {
	in := func(category string) func(*account.Template) {
		return func(t *account.Template) { t.Category = category }
	}
	declared := strings.Replace(reads, `language = "en_US"`, "language = \"en_US\"\n  category = \"utility\"", 1)
	for _, c := range []struct {
		config, category, says string
		send                   int // the third person is in the United States
	}{
		{reads, "utility", "", 3},
		{reads, "marketing", "us_marketing", 2},
		{reads, "free_service", "us_marketing", 2}, // an unknown category counts as marketing
		{declared, "utility", "", 3},
		{declared, "marketing", "template_category", 0},
		{strings.Replace(reads, `language = "en_US"`, "language = \"en_US\"\n  marketing_messages = \"strict\"", 1), "utility", "template_category", 0},
	} {
		p, says, _ := reading(t, c.config, ready(in(c.category)))
		if says != c.says || p.Campaigns[0].Counts.Send != c.send {
			t.Errorf("held as %s: it says %q and sends %d", c.category, says, p.Campaigns[0].Counts.Send)
		}
	}
	notice := func(t *account.Template) { t.CorrectCategory = "marketing" }
	if p, says, _ := reading(t, reads, ready(notice)); says != "template_category_notice" || p.Sends() != 3 {
		t.Errorf("a notice: it says %q and sends %d", says, p.Sends())
	}
}

// TestAccountOfATemplate checks that only numbers of the template's own account
// send it.
func TestAccountOfATemplate(t *testing.T) {
	other := strings.Replace(reads, "provider = provider.sandbox.main\n  audience", "provider = provider.sandbox.other\n  audience", 1)
	_, says, w := reading(t, other, ready())
	if says != "template_account" {
		t.Errorf("it says %q", says)
	}
	w.in.Templates.Account = func(*lang.Provider) string { return "main" }
	if p, diags := w.plan(t); diags.HasErrors() || p.Sends() != 3 {
		t.Errorf("of one account: %v", diags)
	}
	w.in.Templates.Account = func(*lang.Provider) string { return "" }
	if _, diags := w.plan(t); !diags.HasErrors() {
		t.Error("an account that nobody knows counts as the same")
	}
}

// TestLanguageOfEachRecipient checks that if the language depends on the
// recipient, each recipient's own template decides whether they are sent to.
func TestLanguageOfEachRecipient(t *testing.T) {
	each := strings.Replace(reads, `language = "en_US"`, `language = recipient.tongue`, 1)
	german := func(t *account.Template) { t.Language = "de" }
	p, says, _ := reading(t, each, ready(), ready(german, held("PAUSED")))
	n := p.Campaigns[0].Counts
	if says != "template_waits" || n.Send != 2 || n.Defer[delivery.ReasonTemplatePaused] != 1 || len(p.Managed) != 2 {
		t.Errorf("it says %q, and counts %+v", says, n)
	}
	for status, want := range map[string]delivery.Reason{"REJECTED": delivery.ReasonTemplateUnusable, "": delivery.ReasonTemplateLanguage} {
		list := []account.Template{ready()}
		if status != "" {
			list = append(list, ready(german, held(status)))
		}
		p, says, _ := reading(t, each, list...)
		if n := p.Campaigns[0].Counts; says != string(want) || n.Send != 2 || n.Skip[want] != 1 {
			t.Errorf("%s: it says %q, and counts %+v", status, says, n)
		}
		lenient := strings.Replace(each, "message  = template_message.ready", "message  = template_message.ready\n  on_invalid = \"skip\"", 1)
		if p, _, w := reading(t, lenient, list...); p.Sends() != 2 || len(p.Diagnostics) != 1 || p.Diagnostics[0].Severity != "warning" {
			t.Errorf("%s, on_invalid = skip: %+v %s", status, p.Diagnostics, w.dir)
		}
	}
	two := func(t *account.Template) { t.Body = "{{1}} {{2}}!" }
	if p, says, _ := reading(t, each, ready(), ready(german, two)); says != "template_mismatch" || p.Campaigns[0].Counts.Send != 2 {
		t.Errorf("a mismatch in one language: %q", says)
	}
}

// TestWaitingIsOlderThanTheSchedule checks that a pending template is the
// reason for waiting, whatever else delays the message. Apply can see that
// quiet hours have ended, but not that a template was approved.
func TestWaitingIsOlderThanTheSchedule(t *testing.T) {
	for _, text := range []string{"schedule {\n not_before = \"2026-03-04T00:00:00Z\"\n}", "schedule {\n quiet_hours = \"09:00-11:00\"\n timezone = \"UTC\"\n}", "limit {\n total = 1\n}"} {
		config := strings.Replace(reads, "audience = audience.people\n  message", "audience = audience.people\n"+text+"\n  message", 1)
		p, _, _ := reading(t, config, ready(held("PENDING")))
		if n := p.Campaigns[0].Counts; n.Defer[delivery.ReasonTemplatePending] != 3 {
			t.Errorf("%s: %+v", text, n)
		}
	}
}

// TestAFallbackIsReadToo checks that a fallback's template is checked against
// the account, like a message's.
func TestAFallbackIsReadToo(t *testing.T) {
	config := strings.Replace(reads, "message  = template_message.ready", "message  = text_message.hi\n  fallback = template_message.ready", 1) +
		"text_message \"hi\" {\n body = \"Hi ${recipient.name}\"\n}\n"
	p, says, _ := reading(t, config, ready(held("PAUSED")))
	if n := p.Campaigns[0].Counts; says != "template_waits" || n.Defer[delivery.ReasonTemplatePaused] != 3 || p.Campaigns[0].Template != "data.template.ready" {
		t.Errorf("it says %q, and counts %+v", says, n)
	}
}

// TestRepliesAreCheckedAgainstTheAccount checks the same for templates in reply
// rules.
func TestRepliesAreCheckedAgainstTheAccount(t *testing.T) {
	config := reads + "template_message \"answer\" {\n template = data.template.ready\n language = \"de\"\n body = [\"you\"]\n}\n" +
		"reply_rule \"r\" {\n provider = provider.sandbox.main\n reply = template_message.answer\n cooldown = \"1h\"\n when {\n  any = true\n }\n}\n"
	if _, says, _ := reading(t, config, ready()); says != "template_language" {
		t.Errorf("it says %q", says)
	}
	if p, says, _ := reading(t, config, ready(), ready(func(t *account.Template) { t.Language = "de" })); says != "" || len(p.Managed) != 2 {
		t.Errorf("it says %q: %+v", says, p.Managed)
	}
}

// TestDigestCoversWhatWasRead checks that the digest covers what was read from
// the account, but neither the time of reading nor values that change without
// an edit, such as the quality.
func TestDigestCoversWhatWasRead(t *testing.T) {
	digest := func(at time.Time, change ...func(*account.Template)) string {
		_, _, w := reading(t, reads, ready(change...))
		seen := &Observed{Templates: []account.Template{ready(change...)}, At: at}
		w.in.Templates.Of = func(*lang.Provider) *Observed { return seen }
		p, _ := w.plan(t)
		return p.Digest
	}
	first := digest(testAt)
	for name, same := range map[string]string{"another time": digest(testAt.Add(time.Hour)), "another quality": digest(testAt, func(t *account.Template) { t.Quality = "RED" })} {
		if same != first {
			t.Errorf("%s changes the digest", name)
		}
	}
	for name, other := range map[string]string{
		"another text": digest(testAt, func(t *account.Template) { t.Body = "Hi {{1}}, it is ready." }), "another footer": digest(testAt, func(t *account.Template) { t.Footer = "Bye" }),
		"another state": digest(testAt, held("PAUSED")), "a notice": digest(testAt, func(t *account.Template) { t.CorrectCategory = "marketing" }),
	} {
		if other == first {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

// TestReadAgain checks that an observation older than five minutes is read
// again, and that a difference is refused.
func TestReadAgain(t *testing.T) {
	p, _, _ := reading(t, reads, ready())
	never := func(string) *Observed { t.Error("it was read again"); return nil }
	if err := p.SameTemplates(testAt.Add(observedAge), never); err != nil {
		t.Error(err)
	}
	late := testAt.Add(observedAge + time.Second)
	for name, c := range map[string]struct {
		seen    Observed
		changed bool
		says    string
	}{
		"the same":        {Observed{Templates: []account.Template{ready()}}, false, ""},
		"another quality": {Observed{Templates: []account.Template{ready(func(t *account.Template) { t.Quality = "YELLOW" })}}, false, ""},
		"paused":          {Observed{Templates: []account.Template{ready(held("PAUSED"))}}, true, `its status was "APPROVED" and is "PAUSED"`},
		"dearer":          {Observed{Templates: []account.Template{ready(func(t *account.Template) { t.Category = "marketing" })}}, true, "category"},
		"edited":          {Observed{Templates: []account.Template{ready(func(t *account.Template) { t.Body = "Bye {{1}}" })}}, true, "content has changed"},
		"gone":            {Observed{}, true, "no longer has"},
		"unreadable":      {Observed{Err: errors.New("time-out"), Templates: []account.Template{ready()}}, false, "could not be read again"},
	} {
		asked := ""
		err := p.SameTemplates(late, func(provider string) *Observed { asked = provider; return &c.seen })
		var changed *ChangedError
		if errors.As(err, &changed) != c.changed || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) || asked != "provider.sandbox.main" {
			t.Errorf("%s: %v (asked %s)", name, err, asked)
		}
	}
	// Setting the clock back does not make an old observation new.
	if err := p.SameTemplates(testAt.Add(-time.Minute), func(string) *Observed { return &Observed{Templates: []account.Template{ready(held("PAUSED"))}} }); err == nil {
		t.Error("what was read in the future counts as new")
	}
}
