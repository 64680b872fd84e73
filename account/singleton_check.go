package account

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The checks of fields. Each gets a value of the field's type.

func refuse(format string, args ...any) []Problem {
	return []Problem{{Detail: fmt.Sprintf(format, args...)}}
}

// inTurn returns what the first check refuses that refuses something, and all doubts
// before it.
func inTurn(checks ...func(any) []Problem) func(any) []Problem {
	return func(v any) (out []Problem) {
		for _, check := range checks {
			found := check(v)
			out = append(out, found...)
			if slices.ContainsFunc(found, func(p Problem) bool { return !p.Doubt }) {
				break
			}
		}
		return out
	}
}

// doubt makes what a check refuses a doubt.
func doubt(check func(any) []Problem) func(any) []Problem {
	return func(v any) []Problem {
		out := check(v)
		for i := range out {
			out[i].Doubt = true
			out[i].Detail += " by another of Meta's pages"
		}
		return out
	}
}

func length(most int) func(any) []Problem {
	return func(v any) []Problem {
		s, _ := v.(string)
		if n := utf8.RuneCountInString(s); n > most {
			return refuse("has %d characters, and WhatsApp takes %d", n, most)
		}
		return nil
	}
}

// controls reports whether a text in a value has a control character that is neither a
// line feed nor a tab: nobody means one.
func controls(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
	case []any:
		return slices.ContainsFunc(v, controls)
	case map[string]any:
		for _, item := range v {
			if controls(item) {
				return true
			}
		}
	}
	return false
}

func filled(v any) []Problem {
	if s, _ := v.(string); strings.TrimSpace(s) == "" {
		return refuse("can't be empty. Leave it out to let it be as it is")
	}
	return nil
}

var emoji = regexp.MustCompile(`\p{So}`)

func noEmoji(v any) []Problem {
	if s, _ := v.(string); emoji.MatchString(s) {
		return refuse("may have no emoji")
	}
	return nil
}

func email(v any) []Problem {
	s, _ := v.(string)
	if name, host, ok := strings.Cut(s, "@"); s != "" && (!ok || name == "" || !strings.Contains(host, ".") || strings.ContainsAny(s, " \t\n")) {
		return refuse("is no email address")
	}
	return nil
}

func webAddress(v any) []Problem {
	s, _ := v.(string)
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return refuse("is no web address: it begins with https:// or http://")
	}
	return nil
}

// callback checks the address of a webhook: Meta posts to https alone, a sandbox on this
// machine to http, too.
func callback(v any) []Problem {
	s, _ := v.(string)
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	local := err == nil && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return refuse("is no address that Meta posts to: it begins with https://")
	}
	return nil
}

func oneOf(words []string) func(any) []Problem {
	return func(v any) []Problem {
		if s, _ := v.(string); !slices.Contains(words, s) {
			return refuse("is one of %s, not %q", strings.Join(words, ", "), s)
		}
		return nil
	}
}

func count(most int, what string) func(any) []Problem {
	return func(v any) []Problem {
		if list, _ := v.([]any); len(list) > most {
			return refuse("has %s, and WhatsApp takes %d", plural(len(list), what), most)
		}
		return nil
	}
}

// each checks the elements of a list, and says which one it is about.
func each(check func(any) []Problem) func(any) []Problem {
	return func(v any) (out []Problem) {
		list, _ := v.([]any)
		for i, item := range list {
			for _, p := range check(item) {
				p.Detail = fmt.Sprintf("[%d] %s", i, p.Detail)
				out = append(out, p)
			}
		}
		return out
	}
}

func command(v any) []Problem {
	c, _ := v.(map[string]any)
	name, _ := c["name"].(string)
	description, _ := c["description"].(string)
	switch n := utf8.RuneCountInString(name); {
	case n == 0 || n > maxCommandName:
		return refuse("has a name of %d characters, and WhatsApp takes 1 to %d", n, maxCommandName)
	case strings.HasPrefix(name, "/") || strings.ContainsAny(name, " \n"):
		return refuse("has the name %q: it is written without a slash or spaces", name)
	}
	if n := utf8.RuneCountInString(description); n == 0 || n > maxCommandDescription {
		return refuse("has a description of %d characters, and WhatsApp takes 1 to %d", n, maxCommandDescription)
	}
	return noEmoji(name + description)
}

// unlike requires that no two commands have one name.
func unlike(v any) []Problem {
	seen := map[string]bool{}
	list, _ := v.([]any)
	for _, item := range list {
		c, _ := item.(map[string]any)
		name, _ := c["name"].(string)
		if seen[name] {
			return refuse("has the command %q twice", name)
		}
		seen[name] = true
	}
	return nil
}

// The normal forms.

// trimmed has line feeds at the ends of lines, as Meta keeps them, and nothing around
// the text.
func trimmed(v any) any {
	if s, ok := v.(string); ok {
		return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	}
	return v
}

func upper(v any) any {
	s, _ := v.(string)
	return strings.ToUpper(strings.TrimSpace(s))
}

func foldEach(fold func(any) any) func(any) any {
	return func(v any) any {
		list, _ := v.([]any)
		out := make([]any, 0, len(list))
		for _, item := range list {
			out = append(out, fold(item))
		}
		return out
	}
}

// bareAddress leaves out the slash that ends an address without a path.
func bareAddress(v any) any {
	s, _ := v.(string)
	if u, err := url.Parse(s); err == nil && u.Path == "/" && u.RawQuery == "" && u.Fragment == "" {
		return strings.TrimSuffix(s, "/")
	}
	return s
}
