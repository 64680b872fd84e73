package delivery

// Marketing says why no marketing may go to a person now, and when that ends; 0
// when it does not by itself. noCooldown lifts cool-downs, which are about
// marketing templates and not about other messages.
func Marketing(o Opt, cooldown, now int64, noCooldown bool) (g Gate, until int64) {
	switch {
	case o.Choice == OptedOut:
		return GateOptedOut, 0
	case Cooling(cooldown, now) && !noCooldown:
		return GateCooldown, cooldown
	}
	return GateNone, 0
}
