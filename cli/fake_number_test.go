package cli_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// fakeNumber is a number and its account at Meta's Cloud API, with what each has one of.
// It is written from Meta's pages and from what developers quote, independently of the
// sandbox, so that a misreading in one is not repeated in the other. Websites read back
// with a slash, a profile without what was never set; another app is subscribed to the
// account, too.
type fakeNumber struct {
	mu       sync.Mutex
	profile  map[string]any
	commerce map[string]bool // nil before it was ever set
	talk     map[string]any  // nil before it was ever set
	number   string          // the override of the number
	override string          // that of the account, for the app 4711
	log      []string        // "profile about", "webhook", "unsubscribed", "refused …"
}

func (f *fakeNumber) writes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

func (f *fakeNumber) put(about, _, _, _ string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.profile["about"] = about
}

func (f *fakeNumber) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	body := map[string]any{}
	_ = json.Unmarshal(raw, &body)
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	refuse := func(code int, text string) {
		f.log = append(f.log, "refused "+r.Method+" "+r.URL.Path)
		answer(400, map[string]any{"error": map[string]any{"message": text, "type": "OAuthException", "code": code, "fbtrace_id": "Abc"}})
	}
	done := func(what string) {
		f.log = append(f.log, what)
		answer(200, map[string]bool{"success": true})
	}
	fields := r.URL.Query().Get("fields")
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/v26.0") {
	default:
		refuse(100, "Unsupported request")
	case "GET /1/whatsapp_business_profile":
		out := map[string]any{"messaging_product": "whatsapp"}
		for _, name := range strings.Split(fields, ",") {
			if v, ok := f.profile[name]; ok {
				out[name] = v
			}
		}
		answer(200, map[string]any{"data": []any{out}})
	case "POST /1/whatsapp_business_profile":
		f.change(body, done, refuse)
	case "GET /1/whatsapp_commerce_settings":
		data := []any{}
		if f.commerce != nil {
			data = append(data, map[string]any{"id": "2211", "is_cart_enabled": f.commerce["is_cart_enabled"], "is_catalog_visible": f.commerce["is_catalog_visible"]})
		}
		answer(200, map[string]any{"data": data})
	case "POST /1/whatsapp_commerce_settings":
		if f.commerce == nil {
			f.commerce = map[string]bool{"is_cart_enabled": true}
		}
		for name, v := range r.URL.Query() {
			f.commerce[name] = v[0] == "true"
		}
		done("commerce " + r.URL.RawQuery)
	case "GET /1":
		out := map[string]any{"id": "1"}
		if fields == "conversational_automation" && f.talk != nil {
			out["conversational_automation"] = f.talk
		}
		if fields == "webhook_configuration" {
			c := map[string]string{"application": "https://app.example"}
			if f.number != "" {
				c["phone_number"] = f.number
			}
			out["webhook_configuration"] = c
		}
		answer(200, out)
	case "POST /1/conversational_automation":
		if f.talk == nil {
			f.talk = map[string]any{"id": "99"}
		}
		for name, v := range body {
			f.talk[name] = v
		}
		done("conversational")
	case "POST /1":
		c, _ := body["webhook_configuration"].(map[string]any)
		f.hook(c, &f.number, "number", done, refuse)
	case "GET /app":
		answer(200, map[string]string{"id": "4711"})
	case "GET /77/subscribed_apps":
		own := map[string]any{"whatsapp_business_api_data": map[string]string{"id": "4711", "name": "Ours", "link": "https://www.facebook.com/games/?app_id=4711"}}
		if f.override != "" {
			own["override_callback_uri"] = f.override
		}
		answer(200, map[string]any{"data": []any{map[string]any{"whatsapp_business_api_data": map[string]string{"id": "1", "name": "Another"}, "override_callback_uri": "https://another.example"}, own}})
	case "POST /77/subscribed_apps":
		if len(raw) == 0 {
			f.override = ""
			done("account webhook removed")
			return
		}
		f.hook(body, &f.override, "account", done, refuse)
	case "DELETE /77/subscribed_apps":
		done("unsubscribed")
	}
}

func (f *fakeNumber) change(body map[string]any, done func(string), refuse func(int, string)) {
	if body["messaging_product"] != "whatsapp" || body["about"] == "" {
		refuse(100, "(#100) Invalid parameter")
		return
	}
	var names []string
	for name, v := range body {
		if name == "messaging_product" {
			continue
		}
		names = append(names, name)
		if list, ok := v.([]any); ok && name == "websites" {
			for i, site := range list {
				if u, err := url.Parse(site.(string)); err == nil && u.Path == "" {
					list[i] = site.(string) + "/"
				}
			}
		}
		if f.profile[name] = v; v == "" {
			delete(f.profile, name)
		}
	}
	slices.Sort(names)
	done("profile " + strings.Join(names, ","))
}

// hook sets an override. The address is asked first whether it is right.
func (f *fakeNumber) hook(c map[string]any, at *string, of string, done func(string), refuse func(int, string)) {
	address, _ := c["override_callback_uri"].(string)
	if address == "" {
		*at = ""
		done(of + " webhook removed")
		return
	}
	token, _ := c["verify_token"].(string)
	reply, err := http.Get(address + "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=" + url.QueryEscape(token))
	if err != nil {
		refuse(2200, "(#2200) Callback verification failed")
		return
	}
	defer reply.Body.Close()
	if got, _ := io.ReadAll(reply.Body); string(got) != "1158201444" {
		refuse(2200, "(#2200) Callback verification failed with the token "+token)
		return
	}
	*at = address
	done(of + " webhook")
}
