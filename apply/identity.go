package apply

import (
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/providers"
)

// check puts an answer that belongs to another message in doubt, makes the sender
// use new connections, and halts the number after a few such answers.
func (l *lane) check(a *answered) {
	doubted, halt := l.identity.Doubt(a.job.entry.Recipient.Address, &a.answer)
	if doubted {
		providers.Distrust(l.sender)
	}
	if halt {
		l.haltNumber(&Halt{Reason: delivery.HaltMixedAnswers, Title: a.answer.Title,
			Advice: "Answers of the provider, or of a proxy before it, belong to other messages, so nobody can tell what was taken. " +
				"Look at the proxy, compare with the provider's own list, and settle who is in doubt with handbill resolve."})
	}
}
