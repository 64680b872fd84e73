package message

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// TokenLength is how many characters a token has: letters and digits, so 71 bits.
const TokenLength = 12

// DraftLink is a link block that a message names. Where a recipient's text has the
// link, the draft and the values of its slots have StandIn; Tokens put the
// recipient's own token there when the message is sent.
type DraftLink struct {
	Link    string `json:"link"`     // address, "link.shop"
	Base    string `json:"base"`     // what stands before "/" and the token
	URL     string `json:"url"`      // where it leads
	StandIn string `json:"stand_in"` // TokenLength characters
}

// StandInFor returns what stands for the tokens of a link before they are made. It
// looks like a token, and is not one.
func StandInFor(link string) string {
	const begins = "TOKEN"
	sum := sha256.Sum256([]byte("link stand-in " + link))
	return string(appendLetters([]byte(begins), sum[:], TokenLength-len(begins)))
}

// IsToken reports whether s has the form of a token.
func IsToken(s string) bool {
	if len(s) != TokenLength {
		return false
	}
	for i := range len(s) {
		if strings.IndexByte(letters, s[i]) < 0 {
			return false
		}
	}
	return true
}

// letters are the characters of tokens: none that WhatsApp takes for formatting, or
// that ends a link.
const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// appendLetters appends n letters made of random bytes, each equally likely. There
// have to be enough bytes: of 256 values, 8 are not used.
func appendLetters(dst, random []byte, n int) []byte {
	for _, b := range random {
		if n == 0 {
			break
		}
		if int(b) < 256/len(letters)*len(letters) {
			dst = append(dst, letters[int(b)%len(letters)])
			n--
		}
	}
	return dst
}

// Tokens makes tokens: a keyed hash over the state's lineage, the delivery, its
// attempt and the link. Without the key a token can be neither guessed nor led back
// to a phone number. It is not safe for concurrent use.
type Tokens struct {
	mac     hash.Hash
	lineage string
	buf     []byte
}

// NewTokens returns what makes tokens with a secret key.
func NewTokens(key []byte, lineage string) *Tokens {
	return &Tokens{mac: hmac.New(sha256.New, key), lineage: lineage}
}

// Of returns the token of a link in one attempt of one delivery.
func (t *Tokens) Of(campaign, recipient string, revision, attempt int, link string) string {
	var out []byte
	for round := 0; len(out) < TokenLength; round++ { // once, nearly always
		b := t.buf[:0]
		for _, s := range [...]string{t.lineage, campaign, recipient, link} {
			b = append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
		}
		for _, i := range [...]int{revision, attempt, round} {
			b = binary.BigEndian.AppendUint64(b, uint64(i))
		}
		t.mac.Reset()
		t.mac.Write(b)
		t.buf = t.mac.Sum(b)
		out = appendLetters(out, t.buf[len(b):], TokenLength-len(out))
	}
	return string(out)
}

// Linked returns one recipient's values with tokens in place of what stands in for
// them, and the token of each of d.Links, in that order: "" for a link that the
// recipient's text does not have. It returns values itself, and nil, if the message
// names no link.
func (d *Draft) Linked(values []string, token func(link string) string) (filled, tokens []string) {
	if len(d.Links) == 0 {
		return values, nil
	}
	pairs := make([]string, 0, 2*len(d.Links))
	for i := range d.Links {
		l := &d.Links[i]
		tokens = append(tokens, "")
		if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, l.StandIn) }) {
			tokens[i] = token(l.Link)
			pairs = append(pairs, l.StandIn, tokens[i])
		}
	}
	replace := strings.NewReplacer(pairs...)
	filled = make([]string, len(values))
	for i, v := range values {
		filled[i] = replace.Replace(v)
	}
	return filled, tokens
}

// validateLinks reports whether every link of the draft can be filled in.
func (d *Draft) validateLinks() error {
	seen := map[string]bool{}
	for i := range d.Links {
		l := &d.Links[i]
		if l.Link == "" || l.URL == "" || !IsToken(l.StandIn) || seen[l.StandIn] {
			return fmt.Errorf("link %d of the draft has no address, no destination or no stand-in of its own", i)
		}
		seen[l.StandIn] = true
	}
	return nil
}
