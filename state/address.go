package state

import (
	"strconv"
	"strings"
)

// SplitAddress splits the last key off an address: campaign.spring["de"] is campaign.spring and de. The address alone
// does not say whether the key is one of for_each or a recipient: look for a resource with the whole address first. The
// quotes may be missing, since shells take them away. ok is false for an address without a key, and for a bracket that is
// not closed or is empty.
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

// WithKey is the inverse of SplitAddress: campaign.spring["de"].
func WithKey(base, key string) string { return base + `["` + key + `"]` }

// Quoted puts back the quotes that a shell took away: campaign.spring["de"] for campaign.spring[de], in the keys of
// modules too.
func Quoted(a string) string {
	if base, key, ok := SplitAddress(a); ok {
		return WithKey(Quoted(base), key)
	}
	if end := strings.LastIndex(a, "]."); end > 0 {
		return Quoted(a[:end+1]) + a[end+1:]
	}
	return a
}
