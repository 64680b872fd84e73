package providers

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// Argument is one argument of a provider's block in the language.
type Argument struct {
	Name        string
	Type        string // "string", "number", "bool" or "map" (of strings)
	Required    bool
	Sensitive   bool // holds a credential: never shown, never stored
	Description string
}

// Secret is a credential. Printing it in any way shows that there is one and
// not what it is.
type Secret string

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(f fmt.State, _ rune) {
	if s != "" {
		fmt.Fprint(f, "(sensitive)")
	}
}

// MarshalText keeps a Secret out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(s)), nil }

// Check says whether s can be a credential named name: present, and fit for a
// header. The error does not hold it.
func (s Secret) Check(name string) error {
	if s == "" {
		return fmt.Errorf("%s is missing", name)
	}
	if strings.ContainsFunc(string(s), func(r rune) bool { return unicode.IsSpace(r) || r < ' ' || r > unicode.MaxASCII }) {
		return fmt.Errorf("%s holds white space or characters that no header may hold; was a line end copied along?", name)
	}
	return nil
}

// Split parts several secrets that stand in one argument, separated by commas:
// the one in use and the one before it, while they are being changed.
func (s Secret) Split() []string {
	return strings.FieldsFunc(string(s), func(r rune) bool { return r == ',' || r == ' ' })
}

// CheckThroughput says whether v can be a number's messages per second; 0 is
// the provider's own.
func CheckThroughput(v float64) error {
	if v < 0 || v > 1000 || v != v {
		return errors.New("throughput: expected messages per second, more than 0 and at most 1000")
	}
	return nil
}

// CheckPart says whether s can be one part of a URL's path.
func CheckPart(name, s string) error {
	if s == "" {
		return fmt.Errorf("%s is missing", name)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !plainRune(r) }) {
		return fmt.Errorf("%s: expected letters, digits, \"-\", \"_\" and \".\" only", name)
	}
	return nil
}

func plainRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
}

// Header makes a header of one field.
func Header(name, value string) http.Header { return http.Header{name: {value}} }

// WithThroughput is the profile with the configured pace in place of its own;
// 0 leaves it.
func (p Profile) WithThroughput(v float64) *Profile {
	if v > 0 {
		p.Throughput = Fact{Value: v, Source: "the configuration's throughput"}
	}
	return &p
}

// Numbered is a Webhook whose events may say which number they are about. One
// address may get the events of all numbers of an account.
type Numbered interface {
	// WebhookNumber is how events name this number: the provider's id of it, and
	// the telephone number; "" for what is not known.
	WebhookNumber() (id, phone string)
}

// Accounted is a Webhook that also gets notices about an account as a whole.
type Accounted interface {
	// WebhookAccount is how they name the account; "" where it is not known.
	WebhookAccount() string
}

// Digits are the digits of a telephone number, however it is written.
func Digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// PathGuard is a Webhook whose events are vouched for by a secret part of the
// path, since the provider signs nothing.
type PathGuard interface {
	// WebhookTokens are the secrets of which the path must hold one: the one in
	// use, and the one before it. Empty where none is configured.
	WebhookTokens() []string
}

// CheckBase says what is wrong with a base URL: only https, and plain http to
// this machine itself. It returns the URL without a trailing slash.
func CheckBase(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("base_url: expected a URL such as https://host/path, without user, query or fragment")
	}
	switch u.Scheme {
	case "https":
	case "http":
		if !isLoopback(u.Hostname()) {
			return "", fmt.Errorf("base_url: http is for this machine only, and %q is not; write https", u.Hostname())
		}
	default:
		return "", fmt.Errorf("base_url: expected https, got %q", u.Scheme)
	}
	return strings.TrimRight(base, "/"), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
