package account

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Singleton is a kind of object of which each number or account has exactly one. It
// can be read and changed, but neither created nor deleted.
type Singleton struct {
	Kind   string // "business_profile"
	Title  string // "business profile"
	Fields []SingletonField
	// Levels says that numbers and accounts have one each, and a block says which; see At.
	Levels bool
	// Account says that it is the account's.
	Account bool
	// Secret is the argument that requests have and that can't be read back; "" for none.
	Secret string
	// Ends says that on_destroy = "remove" empties it once its block is gone.
	Ends bool
}

// The levels of a singleton that numbers and accounts have.
const (
	LevelNumber  = "number"
	LevelAccount = "account"
)

// At returns the singleton of that level; "" is LevelNumber.
func (s *Singleton) At(level string) *Singleton {
	if !s.Levels || level != LevelAccount {
		return s
	}
	out := *s
	out.Account = true
	return &out
}

// SingletonField is one attribute of a Singleton.
type SingletonField struct {
	Name string
	Type FieldType
	// Default is what it is where it was never set; nil for the empty value of its type.
	Default any
	check   func(v any) []Problem // says what of a value in its normal form is refused; may be nil
	fold    func(v any) any       // returns the normal form; nil for trimmed
}

// FieldType is the type of a field's value, as encoding/json decodes it.
type FieldType uint8

// The types.
const (
	FieldText     FieldType = iota // string
	FieldTexts                     // []any of strings
	FieldFlag                      // bool
	FieldCommands                  // []any of map[string]any with the strings name and description
)

// Empty is the value of a field that was never set.
func (f *SingletonField) Empty() any {
	switch {
	case f.Default != nil:
		return f.Default
	case f.Type == FieldText:
		return ""
	case f.Type == FieldFlag:
		return false
	}
	return []any{}
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

// Limits of what opens a conversation and of webhooks, in characters. Source: Meta,
// conversational components and webhooks/override, 2026-09-11; Meta's OpenAPI of
// 2025-11 takes only three prompts.
const (
	maxPrompts            = 4
	surePrompts           = 3
	maxPrompt             = 80
	maxCommands           = 30
	maxCommandName        = 32
	maxCommandDescription = 256
	maxWebhookURL         = 200
)

// verticals are the industries that a profile may name.
// Source: Meta, business profiles, 2026-09-11.
var verticals = []string{"ALCOHOL", "APPAREL", "AUTO", "BEAUTY", "EDU", "ENTERTAIN", "EVENT_PLAN", "FINANCE", "GOVT", "GROCERY", "HEALTH", "HOTEL", "NONPROFIT",
	"ONLINE_GAMBLING", "OTC_DRUGS", "OTHER", "PHYSICAL_GAMBLING", "PROF_SERVICES", "RESTAURANT", "RETAIL", "TRAVEL"}

// singletons are all kinds.
var singletons = []*Singleton{
	{Kind: "business_profile", Title: "business profile", Fields: []SingletonField{
		{Name: "about", check: inTurn(length(maxAbout), filled)},
		{Name: "address", check: length(maxProfileAddress)},
		{Name: "description", check: inTurn(length(maxProfileText), doubt(length(maxProfileText/2)))},
		{Name: "email", check: inTurn(length(maxProfileEmail), email)},
		{Name: "websites", Type: FieldTexts, check: inTurn(count(maxWebsites, "website"), each(inTurn(length(maxWebsite), webAddress))), fold: foldEach(bareAddress)},
		{Name: "vertical", check: oneOf(verticals), fold: upper},
	}},
	{Kind: "commerce_settings", Title: "commerce settings", Fields: []SingletonField{
		{Name: "is_cart_enabled", Type: FieldFlag, Default: true}, // Source: Meta, commerce settings, 2026-09-11
		{Name: "is_catalog_visible", Type: FieldFlag},
	}},
	{Kind: "conversational_automation", Title: "conversational components", Fields: []SingletonField{
		{Name: "enable_welcome_message", Type: FieldFlag},
		{Name: "prompts", Type: FieldTexts, check: inTurn(count(maxPrompts, "prompt"), doubt(count(surePrompts, "prompt")), each(inTurn(length(maxPrompt), filled, noEmoji))), fold: foldEach(trimmed)},
		{Name: "commands", Type: FieldCommands, check: inTurn(count(maxCommands, "command"), each(command), unlike)},
	}},
	{Kind: "webhook", Title: "webhook", Levels: true, Secret: "verify_token", Ends: true, Fields: []SingletonField{
		{Name: "url", check: inTurn(length(maxWebhookURL), callback)},
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
		if given && controls(value) {
			out = append(out, Problem{Path: f.Name, Detail: "has a control character"})
			continue
		}
		if !given || f.check == nil {
			continue
		}
		for _, p := range f.check(value) {
			p.Path = f.Name
			out = append(out, p)
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
			has = f.Empty()
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
		if value, has := v[f.Name]; has && jsonOf(value) != jsonOf(f.Empty()) {
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
