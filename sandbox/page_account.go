package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// templateView is one template of the account on the page.
type templateView struct {
	Name, Language, Status, Reason, Category, Body string
	Buttons                                        []transition
}

// transition is a button: what Meta may do with the template.
type transition struct{ Title, Field, To, Reason string }

// transitions lists all buttons.
var transitions = []transition{
	{"Approve", "status", "APPROVED", "NONE"}, {"Reject", "status", "REJECTED", "PROMOTIONAL"}, {"Pause", "status", "PAUSED", "NONE"},
	{"Disable", "status", "DISABLED", "NONE"}, {"Archive", "status", "ARCHIVED", "NONE"}, {"Review", "status", "PENDING", "NONE"},
	{"Make marketing", "category", "MARKETING", ""}, {"Make utility", "category", "UTILITY", ""},
}

// singletonView is one attribute of what a number has, on the page.
type singletonView struct{ Number, Kind, Name, Value string }

// accountView is what the page shows of the account and its numbers.
type accountView struct {
	Templates  []templateView
	Singletons []singletonView
}

func (s *Sandbox) account() accountView {
	out := accountView{Templates: s.templateViews()}
	for _, one := range s.Singletons() {
		for _, name := range slices.Sorted(maps.Keys(one.Values)) {
			v := singletonView{one.Number, one.Kind, name, string(one.Values[name])}
			_ = json.Unmarshal(one.Values[name], &v.Value) // anything but a text is shown as JSON
			out.Singletons = append(out.Singletons, v)
		}
	}
	return out
}

// templateViews returns what the page shows of the account's templates.
func (s *Sandbox) templateViews() []templateView {
	var out []templateView
	for _, t := range s.Templates() {
		v := templateView{Name: t.Name, Language: t.Language, Status: t.Status, Category: t.Category}
		if t.Reason != "NONE" {
			v.Reason = t.Reason
		}
		parts, _ := componentsOf(t.Components) // checked when it was added
		for _, p := range parts {
			if strings.EqualFold(p.Type, "body") {
				v.Body = p.Text
			}
		}
		for _, to := range transitions {
			if to.To != t.Status && to.To != t.Category {
				v.Buttons = append(v.Buttons, to)
			}
		}
		out = append(out, v)
	}
	return out
}

// serveAccount serves the page's table of templates.
func (s *Sandbox) serveAccount(w http.ResponseWriter, _ *http.Request) {
	html, err := s.render("account", s.account())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	answer{status: http.StatusOK, typ: "text/html; charset=utf-8", body: html}.write(w)
}
