package plan

import (
	"strings"
	"unicode/utf8"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// maskKey masks a recipient's key so that it shows neither the number nor the user
// id: "+49151•••••89"; "" for none.
func maskKey(key string) string {
	if key == "" {
		return ""
	}
	return message.Mask(key)
}

// maskText is a recipient's value as views show it: its first character, and
// bullets for the rest.
func maskText(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case s == "":
		return ""
	case n == len(s):
		return "•"
	}
	return string(r) + "•••"
}

// maskAddress hides the recipient in an address that a person gave.
func maskAddress(a string) string {
	if address, recipient, ok := state.SplitAddress(a); ok && strings.ContainsAny(recipient, ".0123456789") { // no other key is a person's
		return state.WithKey(address, maskKey(recipient))
	}
	return a
}
