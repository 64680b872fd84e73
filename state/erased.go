package state

import "strings"

// ErasedPrefix begins the name that takes the place of an erased recipient's.
const ErasedPrefix = "erased:"

// IsErased reports whether a recipient's name stands for somebody who was erased.
func IsErased(recipient string) bool { return strings.HasPrefix(recipient, ErasedPrefix) }
