package account

import (
	"strings"
	"testing"
)

// TestSingletonLimits checks each limit at its last value that is taken and at the first
// one that is not. Limits count characters, not bytes.
func TestSingletonLimits(t *testing.T) {
	text := func(n int) any { return strings.Repeat("ä", n) }
	site := func(n int) any { return "https://a.example/" + strings.Repeat("ä", n-18) }
	list := func(n int, item any) any {
		out := []any{}
		for range n {
			out = append(out, item)
		}
		return out
	}
	command := func(name, description int) any {
		return list(1, map[string]any{"name": strings.Repeat("ä", name), "description": text(description)})
	}
	commands := func(n int) any {
		out := []any{}
		for i := range n {
			out = append(out, map[string]any{"name": strings.Repeat("a", i+1), "description": "b"})
		}
		return out
	}
	for _, c := range []struct {
		kind, field  string
		taken, other any
	}{
		{"business_profile", "about", text(139), text(140)},
		{"business_profile", "about", text(1), text(0)},
		{"business_profile", "address", text(256), text(257)},
		{"business_profile", "description", text(512), text(513)},
		{"business_profile", "about", "a\tb\r\nc", "a\x00b"},
		{"business_profile", "address", "é\u200f", "a\x1b[31m"},
		{"business_profile", "websites", list(1, "https://a.example/x"), list(1, "https://a.example/\u0085")},
		{"conversational_automation", "commands", command(3, 3), list(1, map[string]any{"name": "a", "description": "b\x07"})},
		{"business_profile", "email", strings.Repeat("a", 118) + "@b.example", strings.Repeat("a", 119) + "@b.example"},
		{"business_profile", "email", "", "hello"},
		{"business_profile", "websites", list(2, site(256)), list(2, site(257))},
		{"business_profile", "websites", list(2, site(20)), list(3, site(20))},
		{"business_profile", "websites", list(0, nil), list(1, "a.example")},
		{"business_profile", "vertical", "PROF_SERVICES", "PROFESSIONAL"},
		{"conversational_automation", "prompts", list(4, text(80)), list(5, text(80))},
		{"conversational_automation", "prompts", list(1, text(80)), list(1, text(81))},
		{"conversational_automation", "prompts", list(1, "a"), list(1, "🚲")},
		{"conversational_automation", "commands", commands(30), commands(31)},
		{"conversational_automation", "commands", command(32, 256), command(33, 256)},
		{"conversational_automation", "commands", command(32, 256), command(32, 257)},
		{"conversational_automation", "commands", commands(1), append(commands(1).([]any), commands(1).([]any)...)},
		{"webhook", "url", "https://a.example/" + strings.Repeat("a", 182), "https://a.example/" + strings.Repeat("a", 183)},
		{"webhook", "url", "http://127.0.0.1:8080/hook", "http://a.example/hook"},
	} {
		of := SingletonOf(c.kind)
		refused := func(v any) bool {
			for _, p := range of.Check(of.Normal(Values{c.field: v})) {
				if p.Path == c.field && !p.Doubt {
					return true
				}
			}
			return false
		}
		if refused(c.taken) || !refused(c.other) {
			t.Errorf("%s.%s: refused %v for %v, and %v for %v", c.kind, c.field, refused(c.taken), c.taken, refused(c.other), c.other)
		}
	}
}
