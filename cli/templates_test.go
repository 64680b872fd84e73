package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/sandbox"
)

const templateShop = `
provider "cloud" "main" {
  base_url        = env("BASE")
  access_token    = env("TOKEN")
  phone_number_id = "1"
  waba_id         = env("ACCOUNT")
}

template "spring" {
  provider   = provider.cloud.main
  category   = "marketing"
  parameters = { who = "Ana", what = "our sale" }
  translation "en" { body = "Hello {{who}}, {{what}} is open." }
  translation "de" { body = "Hallo {{who}}, {{what}} hat begonnen." }
  translation "fr" { body = "Bonjour {{who}}, {{what}} commence." }
}

template_message "hello" {
  template = template.spring
  language = recipient.lang
  body     = { what = "the garden", who = recipient.name }
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name, lang = row.lang }
  consent    = true
}

campaign "spring" {
  provider = provider.cloud.main
  audience = audience.people
  message  = template_message.hello
}
`

// accountWorld is a network that has an account with templates.
type accountWorld struct {
	handler http.Handler
	base    string // below the server's address
	account string
	// writes are what was changed, as "create spring/en", refusals included.
	writes func() []string
	sent   func() (taken, early int)
	// put adds an approved template that somebody else made.
	put func(name, language, category, components string)
}

func sandboxWorld(d *desk) *accountWorld { return slowWorld(d, 20*time.Second) }

// slowWorld is a sandbox whose account approves a template after a while.
func slowWorld(d *desk, review time.Duration) *accountWorld {
	script := &sandbox.Script{Review: []sandbox.Review{{After: sandbox.Duration(review), Outcome: "approve"}}}
	s := sandbox.New(sandbox.Options{Clock: d.now, Throughput: 1000, Script: script})
	if err := s.PutTemplate(sandbox.Template{Name: "hello_world", Language: "en_US"}); err != nil {
		d.t.Fatal(err)
	}
	return &accountWorld{handler: s.Handler(), base: "/cloud", account: sandbox.AccountID,
		put: func(name, language, category, components string) {
			if err := s.PutTemplate(sandbox.Template{Name: name, Language: language, Category: category, Format: "NAMED", Components: []byte(components)}); err != nil {
				d.t.Fatal(err)
			}
		},
		writes: func() []string {
			var out []string
			for _, w := range s.TemplateWrites() {
				call := w.Call
				if !w.Done {
					call = "refused " + call
				}
				out = append(out, call+" "+w.Name+"/"+w.Language)
			}
			return out
		},
		sent: func() (taken, early int) {
			s.Ledger(func(e sandbox.Entry) bool {
				if e.Accepted {
					taken++
				} else {
					early++
				}
				return true
			})
			return taken, early
		}}
}

func fakeWorld(d *desk) *accountWorld {
	f := &fakeMeta{now: d.now, list: []*fakeTemplate{{id: "1", name: "hello_world", language: "en_US", category: "UTILITY", status: "APPROVED"}}}
	return &accountWorld{handler: f, account: "77", writes: f.writes, sent: f.messages, put: func(name, language, category, components string) {
		f.list = append(f.list, &fakeTemplate{id: fmt.Sprint(5000 + len(f.list)), name: name, language: language, category: category, status: "APPROVED", components: stored([]byte(components))})
	}}
}

// killed serves a world, and ends the command at its nth request: before the
// network receives it, or after that but before the answer arrives. end ends the
// command; nil lets it continue.
type killed struct {
	world *accountWorld
	at    int
	after bool
	end   func()

	n     int
	met   string // the request at which it ended
	asked []string
}

func (k *killed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.n++
	what := r.Method + " " + r.URL.Path
	k.asked = append(k.asked, what)
	if k.end == nil || k.n != k.at {
		k.world.handler.ServeHTTP(w, r)
		return
	}
	k.met = what
	if k.after {
		k.world.handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	k.end()
	panic(http.ErrAbortHandler)
}

func templateDesk(t *testing.T, world func(*desk) *accountWorld) (*desk, *killed) {
	d := newDesk(t)
	k := &killed{world: world(d)}
	server := httptest.NewUnstartedServer(k)
	server.Config.ErrorLog = nil
	server.Start()
	t.Cleanup(server.Close)
	d.env = append(d.env, "BASE="+server.URL+k.world.base, "TOKEN=a-token", "ACCOUNT="+k.world.account)
	d.write("main.hcl", templateShop)
	d.write("contacts.csv", "phone,name,lang\n+4915112345601,Ana,en\n+4915112345602,Ben,de\n")
	return d, k
}

// TestKillsWhileTemplatesAreMade kills an apply at every request while it
// creates templates. The next one continues: nothing is created twice, no id is
// lost, and nothing is sent with a template that is not approved. Afterwards
// nothing is left to do.
func TestKillsWhileTemplatesAreMade(t *testing.T) {
	t.Parallel()
	for name, world := range map[string]func(*desk) *accountWorld{"the sandbox": sandboxWorld, "another account": fakeWorld} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after=%v", name, after), func(t *testing.T) {
				t.Parallel()
				if testing.Short() && after != (name == "another account") {
					t.Skip("the other half")
				}
				for at := 1; ; at++ {
					d, k := templateDesk(t, world)
					ctx, cancel := context.WithCancel(t.Context())
					k.at, k.after, k.end = at, after, cancel
					code := d.runIn(ctx, "apply", "-auto-approve")
					k.end = nil
					if k.met == "" || strings.HasSuffix(k.met, "/messages") {
						if at < 8 {
							t.Fatalf("it ended at request %d: %s, exit %d\n%s", at, k.met, code, d.stderr.String())
						}
						return // kills during sending are tested elsewhere
					}
					goesOn(t, d, k)
				}
			})
		}
	}
}

// goesOn applies again after a kill.
func goesOn(t *testing.T, d *desk, k *killed) {
	t.Helper()
	where := fmt.Sprintf("ended at request %d (%s, after=%v)", k.at, k.met, k.after)
	if code := d.runIn(t.Context(), "apply", "-auto-approve"); code != 0 {
		t.Fatalf("%s: the next apply: exit %d\n%s%s", where, code, d.stdout.String(), d.stderr.String())
	}
	writes := k.world.writes()
	slices.Sort(writes)
	if fmt.Sprint(writes) != "[create spring/de create spring/en create spring/fr]" {
		t.Errorf("%s: %q", where, writes)
	}
	if taken, early := k.world.sent(); taken != 2 || early != 0 {
		t.Errorf("%s: %d messages taken, %d refused", where, taken, early)
	}
	if shown := d.must(0, "state", "show", "template.spring.en"); !strings.Contains(shown, "id ") || !strings.Contains(shown, `"APPROVED"`) || strings.Contains(shown, "intent") {
		t.Errorf("%s: the state has %s", where, shown)
	}
	if code := d.run("plan", "-detailed-exitcode"); code != 0 {
		t.Errorf("%s: something is left to do:\n%s%s", where, d.stdout.String(), d.stderr.String())
	}
}

// TestOneListForManyTemplates checks that a plan of many templates reads each
// account once.
func TestOneListForManyTemplates(t *testing.T) {
	t.Parallel()
	d, k := templateDesk(t, sandboxWorld)
	d.must(0, "apply", "-auto-approve")
	k.asked = nil
	d.must(0, "plan")
	if len(k.asked) != 1 || !strings.HasSuffix(k.asked[0], "/message_templates") {
		t.Errorf("asked %q", k.asked)
	}
}

// TestTwelveListsForAThousandTemplates: an account with a thousand templates, all of
// them declared, is read in at most twelve requests.
func TestTwelveListsForAThousandTemplates(t *testing.T) {
	t.Parallel()
	d, k := templateDesk(t, sandboxWorld)
	source, _, _ := strings.Cut(templateShop, "template ")
	for i := range 1000 {
		name := fmt.Sprintf("news_%d", i)
		k.world.put(name, "en", "UTILITY", fmt.Sprintf(`[{"type":"BODY","text":"Number %d."}]`, i))
		source += fmt.Sprintf("template %q {\n  provider = provider.cloud.main\n  category = \"utility\"\n  translation \"en\" { body = \"Number %d.\" }\n}\nimport {\n  to = template.%s\n  id = %q\n}\n", name, i, name, name)
	}
	d.write("main.hcl", source)
	if out := d.must(0, "plan"); !strings.Contains(out, "1000 to import") {
		t.Errorf("the plan ends with %s", out[max(0, len(out)-400):])
	}
	for _, asked := range k.asked {
		if asked != "GET /cloud/v26.0/"+k.world.account+"/message_templates" {
			t.Errorf("asked %s", asked)
		}
	}
	if n := len(k.asked); n < 2 || n > 12 {
		t.Errorf("%d requests", n)
	}
}

// TestTemplateDocumentsFitTheirSchemas checks the documents of plans and applies
// with templates in the same way.
func TestTemplateDocumentsFitTheirSchemas(t *testing.T) {
	t.Parallel()
	d, k := templateDesk(t, sandboxWorld)
	doc, line, applied := schema(t, "plan.json"), schema(t, "plan-stream.json"), schema(t, "apply-stream.json")
	fits(t, line, d.must(0, "plan", "-json"), true)
	fits(t, doc, d.must(0, "plan", "-format=json"), false)
	fits(t, applied, d.must(0, "apply", "-json", "-auto-approve"), true)
	r := httptest.NewRequest(http.MethodPost, "http://localhost/_sandbox/templates", strings.NewReader(`{"name":"spring","language":"en","status":"PAUSED"}`))
	r.Header.Set("Content-Type", "application/json")
	k.world.handler.ServeHTTP(httptest.NewRecorder(), r)
	d.write("main.hcl", strings.Replace(templateShop, "Bonjour", "Salut", 1))
	fits(t, line, d.must(0, "plan", "-json"), true)
	told := d.must(0, "plan", "-format=json")
	fits(t, doc, told, false)
	for _, want := range []string{`"resource_drift":[{"address":"template.spring.en"`, `"after":"PAUSED"`, `"notes":["status = APPROVED`, `"declared":true`} {
		if !strings.Contains(told, want) {
			t.Errorf("the plan lacks %s", want)
		}
	}
	d.must(0, "plan", "-format=html")
	if page := d.stdout.String(); !strings.Contains(page, "Changed outside handbill") || !strings.Contains(page, "template.spring.fr") {
		t.Error("the page lacks what changed outside, or what is edited")
	}
	fits(t, applied, d.must(0, "apply", "-json", "-auto-approve"), true)
}

// othersTemplates are what people made in WhatsApp Manager, by name and language.
var othersTemplates = map[string]string{
	"order_ready/en UTILITY": `[{"type":"HEADER","format":"TEXT","text":"For {{who}}","example":{"header_text_named_params":[{"param_name":"who","example":"Ana"}]}},
		{"type":"BODY","text":"Your order {{order}} is ready, {{name}} says.","example":{"body_text_named_params":[{"param_name":"order","example":"A-17"},{"param_name":"name","example":"Ben"}]}},
		{"type":"FOOTER","text":"Example Shop"},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Where","url":"https://shop.example/{{1}}","example":["https://shop.example/a"]},{"type":"QUICK_REPLY","text":"Thanks"}]}]`,
	"order_ready/de UTILITY": `[{"type":"BODY","text":"Die Bestellung {{order}} liegt bereit."}]`,
	"login/en AUTHENTICATION": `[{"type":"BODY","text":"*{{1}}* is your code.","add_security_recommendation":true},{"type":"FOOTER","text":"It expires in 5 minutes.","code_expiration_minutes":5},
		{"type":"BUTTONS","buttons":[{"type":"URL","text":"Copy code","url":"https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code_expiration_minutes=5&code=otp{{1}}"}]}]`,
	"poster/en MARKETING": `[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["https://scontent.example/1"]}},{"type":"BODY","text":"Look at this."}]`,
	"cards/en MARKETING": `[{"type":"BODY","text":"Look, {{name}}, at these."},{"type":"CAROUSEL","cards":[{"components":[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"One"}]},
		{"components":[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Two"}]}]}]`,
}

// TestGeneratedConfigurationLeavesNothingToDo checks that the blocks that are
// written from an account are valid, that taking them over changes nothing
// there, and that then nothing is left to do.
func TestGeneratedConfigurationLeavesNothingToDo(t *testing.T) {
	t.Parallel()
	for name, world := range map[string]func(*desk) *accountWorld{"the sandbox": sandboxWorld, "another account": fakeWorld} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, k := templateDesk(t, world)
			names := map[string]bool{}
			for of, components := range othersTemplates {
				key, category, _ := strings.Cut(of, " ")
				name, language, _ := strings.Cut(key, "/")
				k.world.put(name, language, category, components)
				names[name] = true
			}
			provider, _, _ := strings.Cut(templateShop, "template ")
			for name := range names {
				provider += fmt.Sprintf("import {\n  to = template.%s\n  id = %q\n}\n", name, name)
			}
			d.write("main.hcl", provider)
			d.must(0, "plan", "-generate-config-out=templates.hcl")
			if strings.Contains(d.stderr.String(), "Left out") {
				t.Error(d.stderr.String())
			}
			d.must(0, "validate")
			d.must(0, "apply", "-auto-approve")
			d.must(0, "plan", "-detailed-exitcode")
			if n := strings.Count(d.must(0, "state", "list"), "template."); n != len(othersTemplates) || len(k.world.writes()) > 0 {
				t.Errorf("the state has %d of %d, and the account was written: %q", n, len(othersTemplates), k.world.writes())
			}
		})
	}
}

// endsShop changes templateShop so that it has every end of a template's life:
// a template with a new name, whose old one is archived once the new one is
// approved, and a language of another template that is deleted.
func endsShop(name, languages string) string {
	return strings.NewReplacer(`"marketing"`, `"marketing"
  name       = "`+name+`"
  on_destroy = "archive"`, `  translation "de" { body = "Hallo {{who}}, {{what}} hat begonnen." }
`, "", `  translation "fr" { body = "Bonjour {{who}}, {{what}} commence." }
`, "").Replace(templateShop) + `
template "extra" {
  provider   = provider.cloud.main
  category   = "utility"
  parameters = { who = "Ana" }
  on_destroy = "delete"
  ` + languages + `
}
`
}

const extraEnglish, extraGerman = `translation "en" { body = "Hello {{who}}, more." }`, `translation "de" { body = "Hallo {{who}}, mehr." }`

// TestKillsWhileTemplatesEnd kills an apply at every request while it replaces,
// archives and deletes templates. The next one continues: nothing is created,
// archived or deleted twice, and nothing is archived before its replacement is
// approved.
func TestKillsWhileTemplatesEnd(t *testing.T) {
	t.Parallel()
	for name, world := range map[string]func(*desk) *accountWorld{"the sandbox": sandboxWorld, "another account": fakeWorld} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after=%v", name, after), func(t *testing.T) {
				t.Parallel()
				if testing.Short() && after != (name == "another account") {
					t.Skip("the other half")
				}
				for at := 1; ; at++ {
					d, k := templateDesk(t, world)
					d.write("main.hcl", endsShop("spring_v1", extraEnglish+"\n"+extraGerman))
					d.write("contacts.csv", "phone,name,lang\n+4915112345601,Ana,en\n")
					d.must(0, "apply", "-auto-approve")
					made := len(k.world.writes())
					d.write("main.hcl", endsShop("spring_v2", extraEnglish))
					d.write("contacts.csv", "phone,name,lang\n+4915112345601,Ana,en\n+4915112345602,Ben,en\n")
					ctx, cancel := context.WithCancel(t.Context())
					k.n, k.at, k.after, k.end = 0, at, after, cancel
					code := d.runIn(ctx, "apply", "-auto-approve")
					k.end = nil
					if k.met == "" || strings.HasSuffix(k.met, "/messages") {
						if at < 7 {
							t.Fatalf("it ended at request %d: %s, exit %d\n%s", at, k.met, code, d.stderr.String())
						}
						return
					}
					where := fmt.Sprintf("ended at request %d (%s, after=%v)", at, k.met, after)
					if code := d.runIn(t.Context(), "apply", "-auto-approve"); code != 0 {
						t.Fatalf("%s: the next apply: exit %d\n%s%s", where, code, d.stdout.String(), d.stderr.String())
					}
					ended(t, d, k, where, made)
				}
			})
		}
	}
}

// ended checks the templates afterwards.
func ended(t *testing.T, d *desk, k *killed, where string, made int) {
	t.Helper()
	writes := k.world.writes()[made:]
	last := slices.IndexFunc(writes, func(w string) bool { return strings.HasPrefix(w, "archive") })
	if i := slices.Index(writes, "create spring_v2/en"); i > last {
		t.Errorf("%s: archived before its successor was created: %q", where, writes)
	}
	slices.Sort(writes)
	const want = "[archive spring_v1/en create spring_v2/en delete extra/de]"
	if fmt.Sprint(writes) != want {
		t.Errorf("%s: %q", where, writes)
	}
	if taken, early := k.world.sent(); taken != 2 || early != 0 {
		t.Errorf("%s: %d messages taken, %d refused", where, taken, early)
	}
	if code := d.run("plan", "-detailed-exitcode"); code != 0 {
		t.Errorf("%s: something is left to do:\n%s%s", where, d.stdout.String(), d.stderr.String())
	}
	if list := d.must(0, "state", "list"); strings.Contains(list, "@") || strings.Contains(list, "extra.de") || strings.Count(list, "template.") != 2 {
		t.Errorf("%s: the state has\n%s", where, list)
	}
}

// turned serves an account's list of templates in the opposite order.
type turned struct {
	http.Handler
	on bool
}

func (h *turned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.on || r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/message_templates") {
		h.Handler.ServeHTTP(w, r)
		return
	}
	var all []json.RawMessage
	for query := r.URL.Query(); ; {
		page := httptest.NewRecorder()
		at := *r.URL
		at.RawQuery = query.Encode()
		inner := httptest.NewRequest(http.MethodGet, "http://localhost"+at.RequestURI(), nil)
		inner.Header = r.Header
		h.Handler.ServeHTTP(page, inner)
		var got struct {
			Data   []json.RawMessage
			Paging struct {
				Next    string
				Cursors struct{ After string }
			}
		}
		if err := json.Unmarshal(page.Body.Bytes(), &got); err != nil || len(got.Data) == 0 {
			http.Error(w, "no list", http.StatusInternalServerError)
			return
		}
		if all = append(all, got.Data...); got.Paging.Next == "" {
			break
		}
		query.Set("after", got.Paging.Cursors.After)
	}
	slices.Reverse(all)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": all})
}

// TestTheOrderOfAListChangesNothing checks that a plan is the same, byte for byte,
// whatever the order and the pages in which the account tells its templates.
func TestTheOrderOfAListChangesNothing(t *testing.T) {
	t.Parallel()
	for name, world := range map[string]func(*desk) *accountWorld{"the sandbox": sandboxWorld, "another account": fakeWorld} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := &turned{}
			d, k := templateDesk(t, func(d *desk) *accountWorld {
				w := world(d)
				other.Handler = w.handler
				w.handler = other
				return w
			})
			for of, components := range othersTemplates {
				key, category, _ := strings.Cut(of, " ")
				name, language, _ := strings.Cut(key, "/")
				k.world.put(name, language, category, components)
			}
			d.must(0, "apply", "-auto-approve")
			d.write("main.hcl", strings.Replace(templateShop, "Bonjour", "Salut", 1)+`
data "template" "ready" {
  provider = provider.cloud.main
  name     = "order_ready"
}

import {
  to = template.login
  id = "login"
}

template "login" {
  provider = provider.cloud.main
  category = "authentication"
  translation "en" { components = jsonencode([{ type = "BODY", add_security_recommendation = true }, { type = "FOOTER", code_expiration_minutes = 5 },
    { type = "BUTTONS", buttons = [{ type = "OTP", otp_type = "COPY_CODE", text = "Copy code" }] }]) }
}
`)
			at := d.wall.Load()
			for _, format := range []string{"text", "json", "markdown", "html"} {
				var out [2]string
				for i := range out {
					d.wall.Store(at)
					other.on = i == 1
					out[i] = d.must(0, "plan", "-format="+format)
				}
				if out[0] != out[1] {
					t.Errorf("-format=%s differs:\n%s", format, cmp.Diff(out[0], out[1]))
				}
			}
		})
	}
}
