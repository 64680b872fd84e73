package message

import "strings"

// Unserved reports whether an address belongs to a country that WhatsApp's business
// platform does not serve: nothing may be sent to it, whether by a campaign, a
// reply or handbill try. Source: Meta, policy enforcement, "countries under
// sanctions", read 2026-09-11. Crimea, Donetsk and Luhansk are also on the list,
// but have no numbers of their own by which they could be recognised.
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
