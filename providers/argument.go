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

// Secret is a credential. Printing it in any way shows only that it is set.
type Secret string

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(f fmt.State, _ rune) {
	if s != "" {
		fmt.Fprint(f, "(sensitive)")
	}
}

// MarshalText keeps a Secret out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(s)), nil }

// Check returns an error unless s is present and can be put into a header. The
// error holds name, but not the secret.
func (s Secret) Check(name string) error {
	if s == "" {
		return fmt.Errorf("%s is missing", name)
	}
	if strings.ContainsFunc(string(s), func(r rune) bool { return unicode.IsSpace(r) || r < ' ' || r > unicode.MaxASCII }) {
		return fmt.Errorf("%s holds white space or characters that no header may hold; was a line end copied along?", name)
	}
	return nil
}

// Split returns the comma-separated secrets of one argument: while a secret is
// being rotated, the current one and the previous one.
func (s Secret) Split() []string {
	return strings.FieldsFunc(string(s), func(r rune) bool { return r == ',' || r == ' ' })
}

// CheckThroughput returns an error unless v can be a number's messages per
// second; 0 means the provider's default.
func CheckThroughput(v float64) error {
	if v < 0 || v > 1000 || v != v {
		return errors.New("throughput: expected messages per second, more than 0 and at most 1000")
	}
	return nil
}

// CheckPart returns an error unless s can be one segment of a URL's path.
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

// WithThroughput returns the profile with throughput v; 0 keeps its own.
func (p Profile) WithThroughput(v float64) *Profile {
	if v > 0 {
		p.Throughput = Fact{Value: v, Source: "the configuration's throughput"}
	}
	return &p
}

// Numbered is a Webhook whose events may say which number they are about, since
// one address may get the events of all numbers of an account.
type Numbered interface {
	// WebhookNumber returns how events name this number: by the provider's id and
	// by the telephone number; "" for what is not known.
	WebhookNumber() (id, phone string)
}

// Accounted is a Webhook that also gets notices about an account as a whole.
type Accounted interface {
	// WebhookAccount returns how notices name the account; "" if it is not known.
	WebhookAccount() string
}

// Digits returns the digits of a telephone number, however it is written.
func Digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// PathGuard is a Webhook that is authenticated by a secret in its path, since the
// provider signs nothing.
type PathGuard interface {
	// WebhookTokens returns the secrets of which the path must hold one: the
	// current one and the previous one. It is empty if none is configured.
	WebhookTokens() []string
}

// CheckBase returns a base URL without its trailing slash. It is an error unless
// the URL is https, or plain http to this machine.
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
