package delivery

// Marketing says why no marketing may go to a person now, and until when; until is
// 0 if the reason does not end by itself. noCooldown ignores cool-downs, which
// apply to marketing templates and not to other messages.
func Marketing(o Opt, cooldown, now int64, noCooldown bool) (g Gate, until int64) {
	switch {
	case o.Choice == OptedOut:
		return GateOptedOut, 0
	case Cooling(cooldown, now) && !noCooldown:
		return GateCooldown, cooldown
	}
	return GateNone, 0
}
