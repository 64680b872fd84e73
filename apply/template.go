package apply

import (
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
)

// templateFault handles an answer about a template that the plan has read: it holds
// for every message of the campaign, and not for one recipient alone. The delivery
// stays pending. It reports whether a was such an answer. Source: Meta, error codes,
// 2026-09-11.
func (l *lane) templateFault(a *answered) bool {
	if !a.job.template() {
		return false
	}
	n, ans := a.job.counts, &a.answer
	switch ans.Code {
	case "132015": // paused, for hours: the rest waits for another apply
		n.waits, a.held = delivery.ReasonTemplatePaused, delivery.ReasonTemplatePaused
	case "132001", "132016": // gone in this language, or disabled
		l.halt(n, &Halt{Reason: delivery.HaltTemplate, Code: ans.Code, Title: ans.Title,
			Advice: "Look at the template in WhatsApp Manager, then plan again, which reads it anew."})
	default:
		return false
	}
	ans.Class, a.left = message.AccountFault, true // by its code alone it is a refusal of one recipient
	l.canaryLeft(a.job)
	return true
}

// Told is what was reported about a campaign's template during a run. Without Halt
// and Hold nothing changes.
type Told struct {
	Hold delivery.Reason // its messages wait for another run
	Halt *Halt           // the campaign stops
}

// heed follows what was reported about templates. It is not asked for each message:
// see watchEvery.
func (l *lane) heed(now time.Time) {
	for address, told := range l.r.watch.templates(now) {
		if l.r.opt.Await.waits(address) {
			continue // whoever waits for its templates says how that ends
		}
		for _, n := range l.r.counts {
			if n.campaign.Address != address || n.campaign.Provider != l.provider {
				continue
			}
			if told.Halt != nil {
				l.halt(n, told.Halt)
			} else if told.Hold != delivery.ReasonNone {
				n.waits = told.Hold
			}
		}
	}
}
