package plan

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// Carried checks every campaign's messages and every reply rule against what their
// numbers can do: an error if a number can't, a warning if that is not certain.
// Build reports the same; Carried needs no contacts and no state.
func Carried(cfg *lang.Config, can Supports) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, decl := range cfg.Campaigns {
		main, fallback, failed := cfg.CompileCampaign(decl)
		if failed.HasErrors() || main == nil || decl.Provider == nil {
			continue // reported by lang.Load
		}
		diags = append(diags, can.carried(decl.Provider, decl.Message, main.Draft, decl.DeclRange)...)
		if fallback != nil {
			diags = append(diags, can.carried(decl.Provider, decl.Fallback, fallback.Draft, decl.DeclRange)...)
		}
		for i, arm := range cfg.CompileArms(decl) {
			for _, t := range arm {
				at := decl.Experiment.Arms[i].DeclRange
				diags = append(diags, can.carried(decl.Provider, t.Message, t.Main.Draft, at)...)
				if t.Fallback != nil {
					diags = append(diags, can.carried(decl.Provider, t.FallbackMessage, t.Fallback.Draft, at)...)
				}
			}
		}
		for i, v := range cfg.CompileVariants(decl) {
			diags = append(diags, can.carried(decl.Provider, decl.Variants[i].Message, v.Main.Draft, decl.Variants[i].DeclRange)...)
			if v.Fallback != nil {
				diags = append(diags, can.carried(decl.Provider, decl.Variants[i].Fallback, v.Fallback.Draft, decl.Variants[i].DeclRange)...)
			}
		}
	}
	return append(diags, can.rules(cfg)...)
}

// rules checks the reply rules against the numbers from which they answer: their
// own, or every one.
func (can Supports) rules(cfg *lang.Config) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, r := range cfg.ReplyRules {
		p, failed := cfg.CompileReply(r)
		if failed.HasErrors() || p == nil {
			continue // reported by lang.Load
		}
		numbers := cfg.Providers
		if r.Provider != nil {
			numbers = []*lang.Provider{r.Provider}
		}
		for _, n := range numbers {
			if p.Reply != nil {
				diags = append(diags, can.carried(n, r.Reply, p.Reply.Draft, r.DeclRange)...)
			}
			switch {
			case r.Typing: // marks as read, too
				diags = append(diags, can.feature(n, r, "typing")...)
			case r.MarkRead:
				diags = append(diags, can.feature(n, r, "mark_read")...)
			}
		}
	}
	return diags
}

// carried checks one message against a number.
func (can Supports) carried(n *lang.Provider, m *lang.Message, d *message.Draft, at hcl.Range) hcl.Diagnostics {
	if can.Message == nil {
		return nil
	}
	switch support, note := can.Message(n, d); support {
	case message.No:
		return hcl.Diagnostics{fail("capability", at, "%s can't carry %s. %s", n.Address(), m.Address(), ended(note))}
	case message.Doubted:
		return hcl.Diagnostics{warn("capability_doubted", at, "It is not certain that %s carries %s. %s", n.Address(), m.Address(), ended(note))}
	}
	return nil
}

// feature checks what a reply rule asks for against a number.
func (can Supports) feature(n *lang.Provider, r *lang.ReplyRule, name string) hcl.Diagnostics {
	if can.Feature == nil {
		return nil
	}
	switch support, note := can.Feature(n, name); support {
	case message.No:
		return hcl.Diagnostics{fail("capability", r.DeclRange, "%s has no %s, which %s asks for. %s", n.Address(), name, r.Address(), ended(note))}
	case message.Doubted:
		return hcl.Diagnostics{warn("capability_doubted", r.DeclRange, "It is not certain that %s has %s, which %s asks for. %s", n.Address(), name, r.Address(), ended(note))}
	}
	return nil
}
