package message

import "strings"

// CutModule separates the modules at the head of an address from the rest:
// module.m["a"].module.b.campaign.x is module.m["a"].module.b and campaign.x. The
// module is "" outside of modules, and for an address that names only a module.
func CutModule(address string) (module, rest string) {
	at := 0
	for {
		after, ok := strings.CutPrefix(address[at:], "module.")
		if !ok {
			break
		}
		end := strings.IndexAny(after, ".[")
		if end < 1 {
			break
		}
		if key, ok := strings.CutPrefix(after[end:], `["`); ok {
			closed := strings.Index(key, `"]`)
			if closed < 0 {
				break
			}
			end += len(`["`) + closed + len(`"]`)
		}
		if end >= len(after) || after[end] != '.' {
			break
		}
		at += len("module.") + end + 1
	}
	if at == 0 {
		return "", address
	}
	return address[:at-1], address[at:]
}

// AddressType is the type of what an address names: campaign, provider, or module
// for a whole module.
func AddressType(address string) string {
	_, rest := CutModule(address)
	kind, _, _ := strings.Cut(rest, ".")
	return kind
}

// InModule reports whether an address is in a module, or in one of its for_each, or
// below it in another module.
func InModule(module, address string) bool {
	rest, ok := strings.CutPrefix(address, module)
	return ok && AddressType(module) == "module" && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "["))
}

// WithModule is the inverse of CutModule.
func WithModule(module, rest string) string {
	if module == "" {
		return rest
	}
	return module + "." + rest
}
