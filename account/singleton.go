package account

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Singleton is a kind of object of which each number or account has exactly one. It
// can be read and changed, but neither created nor deleted.
type Singleton struct {
	Kind   string // "business_profile"
	Title  string // "business profile"
	Fields []SingletonField
}

// SingletonField is one attribute of a Singleton.
type SingletonField struct {
	Name  string
	Type  FieldType
	check func(v any) []string // says what of a value in its normal form is refused; may be nil
	fold  func(v any) any      // returns the normal form; nil for trimmed
}

// FieldType is the type of a field's value, as encoding/json decodes it.
type FieldType uint8

// The types.
const (
	FieldText  FieldType = iota // string
	FieldTexts                  // []any of strings
)

// Empty is the value of a field that was never set.
func (t FieldType) Empty() any {
	if t == FieldTexts {
		return []any{}
	}
	return ""
}

// Values are attributes of a singleton by name, of the types that encoding/json
// decodes. What is not in them is left alone.
type Values map[string]any

// Limits of the business profile, in characters. Source: Meta, business profiles,
// 2026-09-11; Meta's OpenAPI of 2025-11 takes only half of the description.
const (
	maxAbout          = 139
	maxProfileAddress = 256
	maxProfileText    = 512
	maxProfileEmail   = 128
	maxWebsites       = 2
	maxWebsite        = 256
)

// verticals are the industries that a profile may name.
// Source: Meta, business profiles, 2026-09-11.
var verticals = []string{"ALCOHOL", "APPAREL", "AUTO", "BEAUTY", "EDU", "ENTERTAIN", "EVENT_PLAN", "FINANCE", "GOVT", "GROCERY", "HEALTH", "HOTEL", "NONPROFIT",
	"ONLINE_GAMBLING", "OTC_DRUGS", "OTHER", "PHYSICAL_GAMBLING", "PROF_SERVICES", "RESTAURANT", "RETAIL", "TRAVEL"}

// singletons are all kinds.
var singletons = []*Singleton{
	{Kind: "business_profile", Title: "business profile", Fields: []SingletonField{
		{Name: "about", check: both(length(maxAbout), filled)},
		{Name: "address", check: length(maxProfileAddress)},
		{Name: "description", check: length(maxProfileText)},
		{Name: "email", check: both(length(maxProfileEmail), email)},
		{Name: "websites", Type: FieldTexts, check: both(count(maxWebsites, "website"), each(both(length(maxWebsite), webAddress))), fold: foldEach(bareAddress)},
		{Name: "vertical", check: oneOf(verticals), fold: upper},
	}},
}

// Singletons returns all kinds.
func Singletons() []*Singleton { return slices.Clone(singletons) }

// SingletonOf returns the kind of that name; nil for none.
func SingletonOf(kind string) *Singleton {
	for _, s := range singletons {
		if s.Kind == kind {
			return s
		}
	}
	return nil
}

// Field returns the field of that name; nil for none.
func (s *Singleton) Field(name string) *SingletonField {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return &s.Fields[i]
		}
	}
	return nil
}

// Normal returns the values in the form in which they are written and compared. It
// leaves out what is not a field.
func (s *Singleton) Normal(v Values) Values {
	out := Values{}
	for i := range s.Fields {
		f := &s.Fields[i]
		value, given := v[f.Name]
		switch {
		case !given:
		case f.fold != nil:
			out[f.Name] = f.fold(value)
		default:
			out[f.Name] = trimmed(value)
		}
	}
	return out
}

// Check says what of the values, in their normal form, is refused; Path is the
// attribute.
func (s *Singleton) Check(v Values) []Problem {
	var out []Problem
	for i := range s.Fields {
		f := &s.Fields[i]
		value, given := v[f.Name]
		if !given || f.check == nil {
			continue
		}
		for _, detail := range f.check(value) {
			out = append(out, Problem{Path: f.Name, Detail: detail})
		}
	}
	return out
}

// Differ returns the names of the attributes in declared that seen has otherwise, in
// the order of the fields. Both are in their normal form; one that seen lacks counts as
// empty.
func (s *Singleton) Differ(declared, seen Values) []string {
	var out []string
	for i := range s.Fields {
		f := &s.Fields[i]
		want, given := declared[f.Name]
		if !given {
			continue
		}
		has, told := seen[f.Name]
		if !told {
			has = f.Type.Empty()
		}
		if jsonOf(want) != jsonOf(has) {
			out = append(out, f.Name)
		}
	}
	return out
}

// Set returns the attributes that are not empty.
func (s *Singleton) Set(v Values) Values {
	out := Values{}
	for i := range s.Fields {
		f := &s.Fields[i]
		if value, has := v[f.Name]; has && jsonOf(value) != jsonOf(f.Type.Empty()) {
			out[f.Name] = value
		}
	}
	return out
}

// Only returns the attributes of those names.
func (v Values) Only(names []string) Values {
	out := Values{}
	for _, name := range names {
		if value, ok := v[name]; ok {
			out[name] = value
		}
	}
	return out
}

// Names are the names of the attributes, sorted.
func (v Values) Names() []string { return slices.Sorted(maps.Keys(v)) }

// JSON is an attribute's value; it is the same for equal values.
func (v Values) JSON(name string) string { return jsonOf(v[name]) }

// Text is an attribute's value for people: a text as it is, anything else as JSON.
func (v Values) Text(name string) string {
	if s, ok := v[name].(string); ok {
		return s
	}
	return v.JSON(name)
}

// Digest is the same for equal attributes.
func (v Values) Digest() string {
	sum := sha256.Sum256([]byte(jsonOf(map[string]any(v))))
	return hex.EncodeToString(sum[:16])
}

// jsonOf encodes a value of the types that encoding/json decodes, which can't fail.
func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("account: a value has no JSON form: %v", err))
	}
	return string(b)
}

// The checks of fields. Each gets a value of the field's type.

func both(checks ...func(any) []string) func(any) []string {
	return func(v any) (out []string) {
		for _, check := range checks {
			out = append(out, check(v)...)
		}
		return out
	}
}

func length(most int) func(any) []string {
	return func(v any) []string {
		s, _ := v.(string)
		if n := utf8.RuneCountInString(s); n > most {
			return []string{fmt.Sprintf("has %d characters, and WhatsApp takes %d", n, most)}
		}
		return nil
	}
}

func filled(v any) []string {
	if s, _ := v.(string); strings.TrimSpace(s) == "" {
		return []string{"can't be emptied: WhatsApp keeps one once it was set. Leave the argument out to let it be"}
	}
	return nil
}

func email(v any) []string {
	s, _ := v.(string)
	if name, host, ok := strings.Cut(s, "@"); s != "" && (!ok || name == "" || !strings.Contains(host, ".") || strings.ContainsAny(s, " \t\n")) {
		return []string{"is no email address"}
	}
	return nil
}

func webAddress(v any) []string {
	s, _ := trimmed(v).(string)
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return []string{"is no web address: it begins with https:// or http://"}
	}
	return nil
}

func oneOf(words []string) func(any) []string {
	return func(v any) []string {
		if s, _ := v.(string); !slices.Contains(words, s) {
			return []string{fmt.Sprintf("is one of %s, not %q", strings.Join(words, ", "), s)}
		}
		return nil
	}
}

func count(most int, what string) func(any) []string {
	return func(v any) []string {
		if list, _ := v.([]any); len(list) > most {
			return []string{fmt.Sprintf("has %s, and WhatsApp takes %d", plural(len(list), what), most)}
		}
		return nil
	}
}

// each checks the elements of a list, and says which one it is about.
func each(check func(any) []string) func(any) []string {
	return func(v any) (out []string) {
		list, _ := v.([]any)
		for i, item := range list {
			for _, detail := range check(item) {
				out = append(out, fmt.Sprintf("[%d] %s", i, detail))
			}
		}
		return out
	}
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
