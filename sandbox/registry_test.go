package sandbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// saleTemplate is spring_sale as the account has it.
func saleTemplate(components string) sandbox.Template {
	return sandbox.Template{Name: "spring_sale", Language: "en_US", Category: "MARKETING", Components: json.RawMessage("[" + components + "]")}
}

const saleBody = `{"type":"BODY","text":"Hello {{1}}!"}`

// TestSendsObeyTheAccount checks that once the account has a template, sends
// are checked against it in every wire format.
func TestSendsObeyTheAccount(t *testing.T) {
	button := func(kind, index, param string) string {
		return `{"type":"button","sub_type":"` + kind + `","index":"` + index + `","parameters":[` + param + `]}`
	}
	image := `{"type":"header","parameters":[{"type":"image","image":{"link":"https://a.example/1.png"}}]}`
	address := `{"type":"BUTTONS","buttons":[{"type":"URL","text":"See","url":"https://a.example/{{1}}"}]}`
	for _, c := range []struct {
		name       string
		status     string
		components string // the template's
		given      string // the message's components
		code       string // "" for accepted
	}{
		{"it fits", "", saleBody, bodyParam("Ana"), ""},
		{"too few", "", saleBody, "", "132000"},
		{"too many", "", `{"type":"BODY","text":"Hello!"}`, bodyParam("Ana"), "132000"},
		{"a name where there is a number", "", saleBody, strings.Replace(bodyParam("Ana"), `"type":"text"`, `"type":"text","parameter_name":"who"`, 1), "132000"},
		{"an image that is missing", "", `{"type":"HEADER","format":"IMAGE"},` + saleBody, bodyParam("Ana"), "132012"},
		{"an image for a document", "", `{"type":"HEADER","format":"DOCUMENT"},` + saleBody, image + "," + bodyParam("Ana"), "132012"},
		{"an image for nothing", "", saleBody, image + "," + bodyParam("Ana"), "132012"},
		{"an address", "", saleBody + "," + address, bodyParam("Ana") + "," + button("url", "0", `{"type":"text","text":"x"}`), ""},
		{"an address that is missing", "", saleBody + "," + address, bodyParam("Ana"), "131008"},
		{"a reply for an address", "", saleBody + "," + address, bodyParam("Ana") + "," + button("quick_reply", "0", `{"type":"payload","payload":"x"}`), "132012"},
		{"a button too far", "", saleBody + "," + address, bodyParam("Ana") + "," + button("url", "1", `{"type":"text","text":"x"}`), "132012"},
		{"in review", "PENDING", saleBody, bodyParam("Ana"), "132001"},
		{"rejected", "REJECTED", saleBody, bodyParam("Ana"), "132001"},
		{"archived", "ARCHIVED", saleBody, bodyParam("Ana"), "132001"},
		{"paused", "PAUSED", saleBody, bodyParam("Ana"), "132015"},
		{"disabled", "DISABLED", saleBody, bodyParam("Ana"), "132016"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := serve(t, sandbox.Options{})
			if got := n.send(sandbox.Cloud, template(c.given)); got.status != 200 {
				t.Fatalf("without a template in the account: %d %s", got.status, got.body)
			}
			tmpl := saleTemplate(c.components)
			tmpl.Status = c.status
			if err := n.PutTemplate(tmpl); err != nil {
				t.Fatal(err)
			}
			for _, p := range []sandbox.Provider{sandbox.Cloud, sandbox.Dialog360} {
				got := n.send(p, template(c.given))
				if (got.status == 200) != (c.code == "") || !strings.Contains(got.body, c.code) {
					t.Errorf("%s: %d %s", p, got.status, got.body)
				}
			}
			other := strings.Replace(template(c.given), "en_US", "en_GB", 1)
			if got := n.send(sandbox.Cloud, other); got.status != 404 || !strings.Contains(got.body, "132001") {
				t.Errorf("in a language that it has not: %d %s", got.status, got.body)
			}
		})
	}
}

// TestReview checks that Meta's decisions and edits by hand take effect at the
// times that the script gives.
func TestReview(t *testing.T) {
	script, err := sandbox.ParseScript([]byte(`{
		"templates": [{"name":"spring_sale","language":"en_US","status":"PENDING","components":[` + saleBody + `]},{"name":"other","language":"en","category":"UTILITY"}],
		"review": [
			{"match":{"name":"spring_sale"},"after":"1m","outcome":"approve"},
			{"match":{"name":"spring_sale"},"after":"2m","outcome":"notice","category":"utility"},
			{"match":{"name":"spring_sale"},"after":"3m","outcome":"recategorize","category":"utility"},
			{"match":{"name":"spring_sale"},"after":"4m","outcome":"pause"},
			{"match":{"name":"spring_sale"},"after":"5m","outcome":"reject","reason":"promotional"}],
		"edit_by_hand": [
			{"match":{"name":"spring_sale"},"after":"90s","components":[{"type":"BODY","text":"Hi {{1}}!"}]},
			{"match":{"name":"spring_sale"},"after":"6m","delete":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	n := serve(t, sandbox.Options{Script: script})
	for _, want := range []string{
		"PENDING MARKETING  Hello", "APPROVED MARKETING  Hi", "APPROVED MARKETING UTILITY Hi", "APPROVED UTILITY  Hi", "PAUSED UTILITY  Hi", "REJECTED UTILITY  Hi PROMOTIONAL", "",
	} {
		var got string
		for _, tm := range n.Templates() {
			if tm.Name == "spring_sale" {
				got = fmt.Sprintf("%s %s %s %s", tm.Status, tm.Category, tm.CorrectCategory, strings.Fields(strings.Split(string(tm.Components), `"text":"`)[1])[0])
				if tm.Reason != "NONE" {
					got += " " + tm.Reason
				}
			} else if tm.Status != "APPROVED" || tm.Category != "UTILITY" {
				t.Errorf("another template changes: %+v", tm)
			}
		}
		if got != want {
			t.Errorf("after %s: %q, want %q", n.clock.Now().Format("04:05"), got, want)
		}
		n.clock.Advance(time.Minute)
		if strings.HasPrefix(want, "PENDING") {
			n.clock.Advance(30 * time.Second)
		}
	}
	for _, bad := range []string{
		`{"review":[{"outcome":"forget"}]}`, `{"templates":[{"name":"A","language":"en"}]}`, `{"templates":[{"name":"a","language":"English"}]}`,
		`{"templates":[{"name":"a","language":"en","components":{}}]}`, `{"edit_by_hand":[{"components":7}]}`, `{"review":[{"outcome":"pause","after":"soon"}]}`,
	} {
		if _, err := sandbox.ParseScript([]byte(bad)); err == nil {
			t.Errorf("%s is taken for a script", bad)
		}
	}
}

// TestTemplatesOverTheWire adds and changes templates through the control path,
// and reads Meta's list with its pages, fields and filter.
func TestTemplatesOverTheWire(t *testing.T) {
	n := serve(t, sandbox.Options{})
	const auth, token, kind, asJSON = "Authorization", "Bearer secret", "Content-Type", "application/json"
	for i := range 30 {
		if got := n.post("/_sandbox/templates", fmt.Sprintf(`{"name":"t%02d","language":"en","components":[]}`, i), kind, asJSON); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	if got := n.post("/_sandbox/templates", `{"name":"t07","language":"en","status":"paused"}`, kind, asJSON); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, bad := range []string{`{"name":"T","language":"en"}`, `7`, ``} {
		if got := n.post("/_sandbox/templates", bad, kind, asJSON); got.status != 400 {
			t.Errorf("%s: %d", bad, got.status)
		}
	}
	if got := n.get("/_sandbox/templates"); strings.Count(got.body, `"name"`) != 30 || strings.Count(got.body, "PAUSED") != 1 {
		t.Errorf("%s", got.body)
	}
	path := "/cloud/v26.0/" + sandbox.AccountID + "/message_templates"
	if got := n.get(path, auth, token); strings.Count(got.body, `"name"`) != 25 || !strings.Contains(got.body, `"next"`) || strings.Contains(got.body, "quality_score") {
		t.Errorf("the first page by default: %s", got.body)
	}
	if got := n.get(path+"?name=t0&fields=name,quality_score&limit=3", auth, token); strings.Count(got.body, `"name"`) != 3 || !strings.Contains(got.body, "quality_score") || strings.Contains(got.body, "language") {
		t.Errorf("a part of the fields: %s", got.body)
	}
	if got := n.get("/cloud/v26.0/77/message_templates", auth, token); got.status != 400 {
		t.Errorf("another account: %d %s", got.status, got.body)
	}
	if got := n.get(path+"?after=nonsense!", auth, token); got.status != 400 {
		t.Errorf("another cursor: %d %s", got.status, got.body)
	}
}
