package plan

import (
	"unicode/utf8"

	"github.com/handbill/handbill/message"
)

// Mask is an address that tells neither the number nor the user id:
// "+49151•••••89"; "" for none.
func Mask(a message.Address) string { return maskKey(a.Key()) }

func maskKey(key string) string {
	if key == "" {
		return ""
	}
	return message.Mask(key)
}

// MaskText is a recipient's value as views show it: its first character, and
// bullets for the rest.
func MaskText(s string) string {
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
	if address, recipient, ok := splitAddress(a); ok && recipient != "" {
		return address + `["` + maskKey(recipient) + `"]`
	}
	return a
}
