package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// account changes templates through the Cloud API.
type account struct{ *network }

const bearer = "Bearer secret"

func (a account) list() string { return "/cloud/v26.0/" + sandbox.AccountID + "/message_templates" }

func (a account) create(name, language, category, components string) reply {
	a.t.Helper()
	return a.post(a.list(), fmt.Sprintf(`{"name":%q,"language":%q,"category":%q,"components":[%s]}`, name, language, category, components), "Authorization", bearer)
}

// status is the template's status in the account; "" if it has no such
// template.
func (a account) status(name, language string) string {
	for _, t := range a.Templates() {
		if t.Name == name && t.Language == language {
			return t.Status
		}
	}
	return ""
}

// idIn returns the id in an answer.
func idIn(r reply) string {
	_, rest, _ := strings.Cut(r.body, `"id":"`)
	v, _, _ := strings.Cut(rest, `"`)
	return v
}

const hello = `{"type":"body","text":"Hello {{1}}, we are open.","example":{"body_text":[["Ana"]]}}`

// TestCreateIsCheckedAgainstMetasRules checks that each refusal has the subcode
// that Meta gives for it, and that no template is created.
func TestCreateIsCheckedAgainstMetasRules(t *testing.T) {
	body := func(text string) string {
		return `{"type":"BODY","text":"` + text + `","example":{"body_text":[["a","b"]]}}`
	}
	for _, c := range []struct{ name, tmpl, language, category, components, want string }{
		{"as it should be", "a", "en", "marketing", hello, ""},
		{"a name with capitals", "Ab", "en", "marketing", hello, "2388046"},
		{"a category that is none", "a", "en", "news", hello, "category must be"},
		{"a language that is none", "a", "English", "marketing", hello, "language must be"},
		{"no body", "a", "en", "marketing", `{"type":"FOOTER","text":"x"}`, "2388072"},
		{"no sample", "a", "en", "marketing", `{"type":"BODY","text":"Hello {{1}}, we are open."}`, "2388043"},
		{"a variable at the start", "a", "en", "marketing", body("{{1}} is open"), "2388299"},
		{"a variable before an exclamation mark", "a", "en", "marketing", body("Welcome {{1}}!"), "2388299"},
		{"variables side by side", "a", "en", "marketing", body("Hello {{1}} {{2}} you"), "2388072"},
		{"a gap in the numbers", "a", "en", "marketing", body("Hello {{2}} you"), "2388072"},
		{"a body that is too long", "a", "en", "marketing", body(x(1025)), "2388040"},
		{"a footer with a variable", "a", "en", "marketing", hello + `,{"type":"FOOTER","text":"{{1}}"}`, "2388073"},
		{"a header of two variables", "a", "en", "marketing", hello + `,{"type":"HEADER","format":"TEXT","text":"{{1}} and {{2}}"}`, "2388072"},
		{"an image without its sample", "a", "en", "marketing", hello + `,{"type":"HEADER","format":"IMAGE"}`, "2388273"},
		{"an address for a handle", "a", "en", "marketing", hello + `,{"type":"HEADER","format":"IMAGE","example":{"header_handle":["https://a.example/1.png"]}}`, "2388273"},
		{"a header of no kind", "a", "en", "marketing", hello + `,{"type":"HEADER","format":"HOLOGRAM"}`, "2388047"},
		{"an address that is none", "a", "en", "marketing", hello + `,{"type":"BUTTONS","buttons":[{"type":"URL","text":"x","url":"shop"}]}`, "2388049"},
		{"a phone number that is none", "a", "en", "marketing", hello + `,{"type":"BUTTONS","buttons":[{"type":"PHONE_NUMBER","text":"x","phone_number":"0151"}]}`, `"code":192`},
		{"a coupon without a sample", "a", "en", "marketing", hello + `,{"type":"BUTTONS","buttons":[{"type":"COPY_CODE"}]}`, "2388055"},
		{"a button's text that is too long", "a", "en", "marketing", hello + `,{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"` + x(26) + `"}]}`, "2388040"},
	} {
		a := account{serve(t, sandbox.Options{})}
		got := a.create(c.tmpl, c.language, c.category, c.components)
		if c.want == "" && got.status != 200 || c.want != "" && (got.status != 400 || !strings.Contains(got.body, c.want)) {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
		if n := len(a.Templates()); (n == 1) != (c.want == "") {
			t.Errorf("%s: the account has %d templates", c.name, n)
		}
	}
}

// TestLifeOfATemplate creates, reviews, edits and deletes a template, whose
// name is then blocked for thirty days.
func TestLifeOfATemplate(t *testing.T) {
	script, err := sandbox.ParseScript([]byte(`{"review":[{"match":{"name":"sale"},"after":"10m","outcome":"approve"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	a := account{serve(t, sandbox.Options{Script: script})}
	made := a.create("sale", "en", "marketing", hello)
	if made.status != 200 || !strings.Contains(made.body, `"status":"PENDING"`) || a.status("sale", "en") != "PENDING" {
		t.Fatalf("%d %s, then %s", made.status, made.body, a.status("sale", "en"))
	}
	if got := a.create("sale", "en", "marketing", hello); got.status != 400 || !strings.Contains(got.body, "2388024") {
		t.Errorf("a second one of that name and language: %d %s", got.status, got.body)
	}
	if got := a.create("sale", "de", "utility", hello); got.status != 400 || !strings.Contains(got.body, "doesn't match the one that's already associated") {
		t.Errorf("another category for another language: %d %s", got.status, got.body)
	}
	edit := func(text string) reply {
		return a.post("/cloud/v26.0/"+idIn(made), `{"components":[{"type":"BODY","text":"`+text+`"}]}`, "Authorization", bearer)
	}
	if got := edit("Other words"); got.status != 400 || !strings.Contains(got.body, "2388039") {
		t.Errorf("an edit while it is reviewed: %d %s", got.status, got.body)
	}
	a.clock.Advance(10 * time.Minute)
	if a.status("sale", "en") != "APPROVED" {
		t.Errorf("after its review it is %s", a.status("sale", "en"))
	}
	if got := edit("Other words"); got.status != 200 || a.status("sale", "en") != "PENDING" {
		t.Errorf("an edit: %d %s, then %s", got.status, got.body, a.status("sale", "en"))
	}
	a.clock.Advance(11 * time.Minute)
	if got := edit("Yet others"); got.status != 400 || !strings.Contains(got.body, "2388039") {
		t.Errorf("a second edit in a day: %d %s", got.status, got.body)
	}
	one := a.get("/cloud/v26.0/"+idIn(made)+"?fields=name,components", "Authorization", bearer)
	if one.status != 200 || !strings.Contains(one.body, "Other words") || !strings.Contains(one.body, `"type":"BODY"`) {
		t.Errorf("read by its id: %d %s", one.status, one.body)
	}
	remove := func(query string) reply { return a.do(http.MethodDelete, a.list()+query, "", "Authorization", bearer) }
	if got := a.create("sale", "de", "marketing", hello); got.status != 200 {
		t.Fatalf("another language: %d %s", got.status, got.body)
	}
	if got := remove("?name=sale&hsm_id=" + idIn(made)); got.status != 200 || a.status("sale", "en") != "" || a.status("sale", "de") == "" {
		t.Errorf("one language is to go: %d %s, %q and %q are left", got.status, got.body, a.status("sale", "en"), a.status("sale", "de"))
	}
	if got := remove("?name=nobody"); got.status != 400 {
		t.Errorf("a name that is not there: %d %s", got.status, got.body)
	}
	if got := a.create("sale", "en", "marketing", hello); got.status != 400 || !strings.Contains(got.body, "2388023") {
		t.Errorf("its name at once: %d %s", got.status, got.body)
	}
	a.clock.Advance(30 * 24 * time.Hour)
	if got := a.create("sale", "en", "marketing", hello); got.status != 200 || idIn(got) == idIn(made) {
		t.Errorf("its name after thirty days: %d %s", got.status, got.body)
	}
}

// TestLimitsOfAnAccount checks the limits of a hundred creations an hour and
// 250 templates in all.
func TestLimitsOfAnAccount(t *testing.T) {
	a := account{serve(t, sandbox.Options{})}
	for i := range 250 {
		if i%100 == 99 {
			a.clock.Advance(time.Hour)
		}
		if got := a.create(fmt.Sprintf("t%03d", i), "en", "utility", hello); got.status != 200 {
			t.Fatalf("the %dth: %d %s", i, got.status, got.body)
		}
	}
	if got := a.create("more", "en", "utility", hello); got.status != 400 || !strings.Contains(got.body, "2388019") {
		t.Errorf("one more than may be: %d %s", got.status, got.body)
	}
	b := account{serve(t, sandbox.Options{})}
	for i := range 101 {
		if got := b.create(fmt.Sprintf("t%03d", i), "en", "utility", hello); (got.status == 200) != (i < 100) || i == 100 && !strings.Contains(got.body, "80008") {
			t.Fatalf("the %dth in an hour: %d %s", i, got.status, got.body)
		}
	}
}

// TestLostAnswer checks that the change is made although the client gets no
// answer.
func TestLostAnswer(t *testing.T) {
	script, err := sandbox.ParseScript([]byte(`{"lost_answer":[{"match":{"name":"sale"},"call":"create","first":1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	a := account{serve(t, sandbox.Options{Script: script})}
	if got := a.create("sale", "en", "marketing", hello); got.err == nil {
		t.Errorf("there is an answer: %d %s", got.status, got.body)
	}
	if a.status("sale", "en") != "APPROVED" {
		t.Error("it was not created")
	}
	if got := a.create("sale", "en", "marketing", hello); got.status != 400 || !strings.Contains(got.body, "2388024") {
		t.Errorf("once more: %d %s", got.status, got.body)
	}
	want := []sandbox.TemplateWrite{{Call: "create", Name: "sale", Language: "en", Done: true, Lost: true}, {Call: "create", Name: "sale", Language: "en", Code: 100, Subcode: 2388024}}
	if got := a.TemplateWrites(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, err := sandbox.ParseScript([]byte(`{"lost_answer":[{"call":"forget"}]}`)); err == nil {
		t.Error("an unknown call is accepted")
	}
}

// TestSampleOfAHeader uploads a file in two steps; reading the template back
// gives its URL.
func TestSampleOfAHeader(t *testing.T) {
	a := account{serve(t, sandbox.Options{})}
	app := idIn(a.get("/cloud/v26.0/app?fields=id", "Authorization", bearer))
	start := a.post("/cloud/v26.0/"+app+"/uploads?file_name=a.png&file_length=4&file_type=image/png", "", "Authorization", bearer)
	short := a.post("/cloud/v26.0/"+idIn(start), "abc", "Authorization", "OAuth secret", "file_offset", "0")
	done := a.post("/cloud/v26.0/"+idIn(start), "abcd", "Authorization", "OAuth secret", "file_offset", "0")
	_, rest, _ := strings.Cut(done.body, `"h":"`)
	handle, _, _ := strings.Cut(rest, `"`)
	if start.status != 200 || short.status != 400 || done.status != 200 || handle == "" {
		t.Fatalf("%s, %s, %s", start.body, short.body, done.body)
	}
	got := a.create("sale", "en", "marketing", hello+`,{"type":"header","format":"image","example":{"header_handle":["`+handle+`"]}}`)
	if got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if c := string(a.Templates()[0].Components); strings.Contains(c, handle) || !strings.Contains(c, `"format":"IMAGE"`) || !strings.Contains(c, "https://scontent.example/") {
		t.Errorf("it reads back as %s", c)
	}
}

// TestOneRegistryForAllWires checks that a template created through one wire
// format is listed by the others.
func TestOneRegistryForAllWires(t *testing.T) {
	a := account{serve(t, sandbox.Options{})}
	created := `{"name":"%s","language":"en","category":"UTILITY","components":[` + hello + `]}`
	if got := a.post("/dialog360/v1/configs/templates", fmt.Sprintf(created, "by_dialog"), "D360-API-KEY", "secret"); got.status != 201 || !strings.Contains(got.body, "submitted") {
		t.Errorf("360dialog: %d %s", got.status, got.body)
	}
	if got := a.post("/dialog360/v1/configs/templates", fmt.Sprintf(created, "by_dialog"), "D360-API-KEY", "secret"); got.status != 400 || !strings.Contains(got.body, `developer_message`) || !strings.Contains(got.body, "2388024") {
		t.Errorf("360dialog, twice: %d %s", got.status, got.body)
	}
	if got := a.oneMsg("addTemplate", fmt.Sprintf(created, "by_onemsg")); got.status != 200 || strings.Contains(got.body, "error") {
		t.Errorf("1msg: %d %s", got.status, got.body)
	}
	if got := a.oneMsg("addTemplate", fmt.Sprintf(created, "by_onemsg")); got.status != 200 || !strings.Contains(got.body, `"error"`) {
		t.Errorf("1msg, twice: %d %s", got.status, got.body)
	}
	if got := a.get(a.list(), "Authorization", bearer); strings.Count(got.body, `"name"`) != 2 {
		t.Errorf("Cloud API lists %s", got.body)
	}
	if got := a.do(http.MethodDelete, "/dialog360/v1/configs/templates/by_dialog", "", "D360-API-KEY", "secret"); got.status != 200 {
		t.Errorf("360dialog, delete: %d %s", got.status, got.body)
	}
	if got := a.oneMsg("removeTemplate", `{"name":"by_onemsg"}`); got.status != 200 || strings.Contains(got.body, "error") || len(a.Templates()) != 0 {
		t.Errorf("1msg, delete: %d %s; %d are left", got.status, got.body, len(a.Templates()))
	}
	if got := a.send(sandbox.Cloud, template(bodyParam("Ana"))); got.status != 404 {
		t.Errorf("an account that had templates takes any: %d", got.status)
	}
}

// TestTemplatesOnThePage checks that the page lists the templates with a button
// for everything that Meta may do, and that a template paused there refuses the
// next send.
func TestTemplatesOnThePage(t *testing.T) {
	a := account{serve(t, sandbox.Options{})}
	if got := a.get("/"); strings.Contains(got.body, "Templates of the account</h2>") {
		t.Error("an account without templates shows some")
	}
	a.create("spring_sale", "en_US", "marketing", hello)
	for _, path := range []string{"/", "/_sandbox/account"} {
		got := a.get(path)
		for _, want := range []string{`data-name="spring_sale" data-language="en_US"`, "APPROVED", `data-to="PAUSED"`, `data-to="REJECTED"`, "Hello {{1}}, we are open."} {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s lacks %s", path, want)
			}
		}
		if strings.Contains(got.body, `data-to="APPROVED"`) {
			t.Errorf("%s offers to approve what is approved", path)
		}
	}
	if got := a.send(sandbox.Cloud, template(bodyParam("Ana"))); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	a.post("/_sandbox/templates", `{"name":"spring_sale","language":"en_US","status":"PAUSED","rejected_reason":"NONE"}`, "Content-Type", "application/json")
	if got := a.send(sandbox.Cloud, template(bodyParam("Ana"))); !strings.Contains(got.body, "132015") {
		t.Errorf("%d %s", got.status, got.body)
	}
	a.clock.Advance(time.Hour)
	if a.status("spring_sale", "en_US") != "PAUSED" {
		t.Errorf("time alone makes it %s", a.status("spring_sale", "en_US"))
	}
}
