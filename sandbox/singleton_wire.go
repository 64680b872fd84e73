package sandbox

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// routeSingletons serves what each number has one of, under its path.
func (s *Sandbox) routeSingletons(mux *http.ServeMux) {
	for path, kind := range singletonPaths {
		own := func(next func(http.ResponseWriter, *http.Request, string, string)) http.HandlerFunc {
			return s.cloudAuth(func(w http.ResponseWriter, r *http.Request) {
				next(w, r, kind, s.number(Cloud, r.PathValue("number")).id)
			})
		}
		mux.HandleFunc("GET /cloud/{version}/{number}/"+path, own(s.readSingleton))
		mux.HandleFunc("POST /cloud/{version}/{number}/"+path, own(s.writeSingleton))
	}
	mux.HandleFunc("GET /cloud/{version}/{number}/subscribed_apps", s.cloudAuth(s.ownAccount(s.subscribedApps)))
	mux.HandleFunc("POST /cloud/{version}/{number}/subscribed_apps", s.cloudAuth(s.ownAccount(s.subscribeApp)))
}

// routeDialogSingletons serves those that 360dialog passes on.
func (s *Sandbox) routeDialogSingletons(mux *http.ServeMux) {
	for path, kind := range singletonPaths {
		if kind == conversational { // 360dialog documents none
			continue
		}
		own := func(next func(http.ResponseWriter, *http.Request, string, string)) http.HandlerFunc {
			return s.dialogAuth(func(w http.ResponseWriter, r *http.Request, num *number) { next(w, r, kind, num.id) })
		}
		mux.HandleFunc("GET /dialog360/"+path, own(s.readSingleton))
		mux.HandleFunc("POST /dialog360/"+path, own(s.writeSingleton))
	}
}

// singletonPaths are the kinds that have a path of their own after the number.
var singletonPaths = map[string]string{"whatsapp_business_profile": "business_profile", "whatsapp_commerce_settings": commerce, "conversational_automation": conversational}

const (
	commerce       = "commerce_settings"
	conversational = "conversational_automation"
)

// disturbed answers a request that a rule makes go wrong; false if it is to be answered.
func (s *Sandbox) disturbed(w http.ResponseWriter, does string) bool {
	switch does {
	case singletonFails:
		jsonAnswer(http.StatusInternalServerError, map[string]any{"error": map[string]any{"message": "An unknown error occurred", "type": "OAuthException", "code": 2, "is_transient": true}}).write(w)
	case singletonBusy:
		w.Header().Set("X-Business-Use-Case-Usage", `{"`+AccountID+`":[{"type":"whatsapp_business_management","call_count":100,"estimated_time_to_regain_access":1}]}`)
		s.meta().refused(&refusal{code: 80008, param: "There have been too many calls to this WhatsApp Business account"}).write(w)
	case singletonLost, singletonUnseen:
		reset(w)
	default:
		return false
	}
	return true
}

// readSingleton answers with the fields that are asked for and set.
func (s *Sandbox) readSingleton(w http.ResponseWriter, r *http.Request, kind, number string) {
	s.singletons.mu.Lock()
	defer s.singletons.mu.Unlock()
	if s.disturbed(w, s.singletons.rule(singletonRead, kind)) {
		return
	}
	asked := strings.Split(r.URL.Query().Get("fields"), ",")
	out := map[string]any{"messaging_product": "whatsapp"}
	if kind == commerce {
		asked = []string{"is_cart_enabled", "is_catalog_visible"}
		out = map[string]any{"id": number, "is_cart_enabled": true, "is_catalog_visible": false}
	}
	for name, v := range s.singletons.of(kind, number) {
		if slices.Contains(asked, name) {
			out[name] = v
		}
	}
	jsonAnswer(http.StatusOK, map[string]any{"data": []any{out}}).write(w)
}

// disturbedField is disturbed for what is read as a field of the number.
func (s *Sandbox) disturbedField(w http.ResponseWriter, field string) bool {
	kind := map[string]string{"webhook_configuration": "webhook", conversational: conversational}[field]
	if kind == "" {
		return false
	}
	s.singletons.mu.Lock()
	defer s.singletons.mu.Unlock()
	return s.disturbed(w, s.singletons.rule(singletonRead, kind))
}

// conversational is what a number has of these components.
func (s *Sandbox) conversational(number string) map[string]json.RawMessage {
	s.singletons.mu.Lock()
	defer s.singletons.mu.Unlock()
	return maps.Clone(s.singletons.of(conversational, number))
}

// writeSingleton changes the attributes that the body has.
func (s *Sandbox) writeSingleton(w http.ResponseWriter, r *http.Request, kind, number string) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	var body map[string]json.RawMessage
	if kind == commerce && err == nil { // it stands in the query
		fields := map[string]json.RawMessage{}
		for name, v := range r.URL.Query() {
			fields[name] = json.RawMessage(v[0])
		}
		raw, err = json.Marshal(fields)
	}
	if err != nil || json.Unmarshal(raw, &body) != nil {
		s.meta().refused(&refusal{code: 100, param: "Invalid parameter"}).write(w)
		return
	}
	s.putSingleton(w, kind, number, body, func() { jsonAnswer(http.StatusOK, map[string]bool{"success": true}).write(w) })
}

// putSingleton checks and carries out a change; done answers it.
func (s *Sandbox) putSingleton(w http.ResponseWriter, kind, number string, body map[string]json.RawMessage, done func()) {
	t := s.singletons
	t.mu.Lock()
	defer t.mu.Unlock()
	does := t.rule(singletonWrite, kind)
	if does == singletonUnseen || does == singletonFails || does == singletonBusy {
		s.disturbed(w, does)
		return
	}
	names := strings.Join(slices.DeleteFunc(slices.Sorted(maps.Keys(body)), func(name string) bool { return name == "messaging_product" }), ",")
	if bad := singletonChecks[kind](body); bad != nil {
		t.writes = append(t.writes, "refused "+kind+" "+names)
		s.meta().refused(bad).write(w)
		return
	}
	t.writes = append(t.writes, kind+" "+names)
	delete(body, "messaging_product")
	if does != singletonIgnored {
		t.change(kind, number, body)
	}
	if !s.disturbed(w, does) {
		done()
	}
}

// singletonChecks check requests to change a kind.
var singletonChecks = map[string]func(map[string]json.RawMessage) *refusal{
	"business_profile": checkProfile, commerce: checkCommerce, conversational: checkConversational, "webhook": checkWebhook,
}

func badField(name, why string) *refusal {
	return &refusal{code: 100, param: "Param " + name + " " + why}
}

// checkProfile holds a change of a profile against Meta's limits.
// Source: Meta, business profiles, read 2026-09-11.
func checkProfile(body map[string]json.RawMessage) *refusal {
	var p struct {
		Product     string   `json:"messaging_product"`
		About       *string  `json:"about"`
		Address     string   `json:"address"`
		Description string   `json:"description"`
		Email       string   `json:"email"`
		Websites    []string `json:"websites"`
		Vertical    *string  `json:"vertical"`
	}
	whole, _ := json.Marshal(body)
	runes := utf8.RuneCountInString
	switch err := json.Unmarshal(whole, &p); {
	case err != nil:
		return badField("body", "has a value of another type")
	case p.Product != "whatsapp":
		return required("messaging_product")
	case p.About != nil && (*p.About == "" || runes(*p.About) > 139):
		return badField("about", "must be between 1 and 139 characters long")
	case runes(p.Address) > 256:
		return badField("address", "must be at most 256 characters long")
	case runes(p.Description) > 512:
		return badField("description", "must be at most 512 characters long")
	case p.Email != "" && (runes(p.Email) > 128 || !strings.Contains(p.Email, "@")):
		return badField("email", "must be a valid email address of at most 128 characters")
	case len(p.Websites) > 2 || slices.ContainsFunc(p.Websites, func(s string) bool { return runes(s) > 256 || !isWebURL(s) }):
		return badField("websites", "must be at most two web addresses")
	case p.Vertical != nil && (*p.Vertical == "" || strings.ToUpper(*p.Vertical) != *p.Vertical):
		return badField("vertical", "must be one of the documented values")
	}
	return nil
}

// checkCommerce takes the two settings. Source: Meta, commerce settings, read 2026-09-11.
func checkCommerce(body map[string]json.RawMessage) *refusal {
	for name, v := range body {
		if name != "is_cart_enabled" && name != "is_catalog_visible" || string(v) != "true" && string(v) != "false" {
			return badField(name, "is no boolean of the commerce settings")
		}
	}
	return nil
}

// checkConversational holds a change against Meta's limits.
// Source: Meta, conversational components, read 2026-09-11.
func checkConversational(body map[string]json.RawMessage) *refusal {
	var c struct {
		Welcome  *bool     `json:"enable_welcome_message"`
		Prompts  []string  `json:"prompts"`
		Commands []command `json:"commands"`
	}
	whole, _ := json.Marshal(body)
	runes := utf8.RuneCountInString
	switch err := json.Unmarshal(whole, &c); {
	case err != nil:
		return badField("body", "has a value of another type")
	case len(c.Prompts) > 4 || slices.ContainsFunc(c.Prompts, func(s string) bool { return s == "" || runes(s) > 80 }):
		return badField("prompts", "must be at most 4 texts of 1 to 80 characters")
	case len(c.Commands) > 30 || slices.ContainsFunc(c.Commands, func(c command) bool {
		return c.Name == "" || runes(c.Name) > 32 || c.Description == "" || runes(c.Description) > 256
	}):
		return badField("commands", "must be at most 30, with names of up to 32 and descriptions of up to 256 characters")
	}
	return nil
}

type command struct {
	Name        string `json:"command_name"`
	Description string `json:"command_description"`
}

// serveSingleton changes what a number has, as somebody does by hand.
func (s *Sandbox) serveSingleton(w http.ResponseWriter, r *http.Request) {
	servePut(w, r, s.PutSingleton)
}
