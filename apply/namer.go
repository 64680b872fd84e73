package apply

import (
	"errors"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// namer makes what an attempt is known by outside: its reference, and the tokens of
// its links. It is not safe for concurrent use.
type namer struct {
	refs   *message.References
	tokens *message.Tokens
}

func newNamer(r *Running) *namer {
	return &namer{message.NewReferences(r.plan.Lineage), message.NewTokens(r.opt.LinkKey, r.plan.Lineage)}
}

// link returns a job's values with the tokens of its next attempt, and what the state
// keeps of them.
func (n *namer) link(j *job) (values []string, links []state.TokenLink) {
	c, recipient := j.counts.campaign, j.entry.Recipient.Key()
	values, tokens := j.draft.Linked(j.entry.Values, func(link string) string {
		return n.tokens.Of(c.Address, recipient, c.Revision, j.attempt, link)
	})
	for i, token := range tokens {
		if token != "" {
			links = append(links, state.TokenLink{Token: token, Link: j.draft.Links[i].Link})
		}
	}
	return values, links
}

// linkable refuses a plan with links without the key of their tokens: anybody could
// guess those.
func (r *Running) linkable() error {
	for _, d := range r.plan.Drafts {
		if len(d.Links) > 0 && len(r.opt.LinkKey) == 0 {
			return errors.New("the plan has links, and the key with which their tokens are made is not there")
		}
	}
	return nil
}
