package message

import "strings"

// Unserved reports whether an address is of a country that WhatsApp's business
// platform does not serve: nothing may be sent to it, neither a campaign nor an
// answer nor a try. Source: Meta, policy enforcement, "countries under
// sanctions", read 2026-09-11. Crimea, Donetsk and Luhansk are on the list too,
// and have no numbers of their own to tell them by.
func Unserved(to Address) bool {
	begins, of := [...]string{"CU.", "IR.", "KP.", "SY."}, to.UserID
	if to.Phone != "" {
		begins, of = [...]string{"+53", "+98", "+850", "+963"}, to.Phone
	}
	for _, b := range begins {
		if strings.HasPrefix(of, b) {
			return true
		}
	}
	return false
}
