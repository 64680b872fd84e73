package state

import (
	"strconv"
	"strings"
)

// SplitAddress parts the last key from an address: campaign.spring["de"] is
// campaign.spring and de. Whether the key is one of for_each or a recipient, the
// address alone does not say: the whole is a resource where there is one with
// that address. Quotes that a shell took away are not missed. ok is false for an
// address without a key, and for a bracket that is not closed or is empty.
func SplitAddress(a string) (base, key string, ok bool) {
	open := strings.LastIndexByte(a, '[')
	if open < 1 {
		return a, "", false
	}
	inner, closed := strings.CutSuffix(a[open+1:], "]")
	key, err := strconv.Unquote(inner)
	if err != nil {
		key = inner
	}
	return a[:open], key, closed && key != "" && !strings.ContainsRune(key, '"')
}

// WithKey is the address with a key, campaign.spring["de"]: what SplitAddress
// takes apart.
func WithKey(base, key string) string { return base + `["` + key + `"]` }

// Quoted is an address with the quotes around its key that a shell took away:
// campaign.spring["de"] for campaign.spring[de].
func Quoted(a string) string {
	if base, key, ok := SplitAddress(a); ok {
		return WithKey(Quoted(base), key)
	}
	return a
}
