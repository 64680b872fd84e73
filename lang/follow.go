package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// sourceCampaign is the Kind of a source whose rows are what became of a campaign's
// messages.
const sourceCampaign = "campaign"

// The columns of such a source.
const (
	ColumnSentAt      = "sent_at"
	ColumnDeliveredAt = "delivered_at"
	ColumnReadAt      = "read_at"
	ColumnAttributes  = "attributes"
)

// OutcomeColumns are the columns of a source of kind "campaign", in the order in which
// planning gives them.
func OutcomeColumns() []string {
	return []string{"phone", "user_id", ColumnSentAt, ColumnDeliveredAt, ColumnReadAt, "replied_at", "clicked_at", "delivered", "read", "replied",
		"clicked", "ordered", "failed", "code", "arm", "variant", ColumnAttributes}
}

// followed is what an audience reads of a campaign, before campaigns are decoded.
type followed struct {
	address string
	rng     hcl.Range                // of the argument "of"
	names   map[string]hcl.Traversal // row.attributes.NAME, by NAME
	all     bool                     // row.attributes is used as a whole
	filter  hclsyntax.Expression     // nil for none
}

// decodeFollowed reads a source "campaign".
func (d *decoder) decodeFollowed(a *Audience, c *content) {
	f := &followed{filter: exprOf(c, "filter"), names: map[string]hcl.Traversal{}}
	a.Source.After, a.Source.followed = d.duration(c, "after"), f
	if arg := c.args["of"]; arg != nil {
		f.address, _ = d.refer(arg, rootCampaign)
		f.rng = arg.expr.Range()
	}
	a.Columns = OutcomeColumns()
}

// note keeps which of the attributes that were sent an expression reads.
func (f *followed) note(e hclsyntax.Expression) {
	for _, t := range e.Variables() {
		if column, ok := stepName(t, 1); rootName(t) != rootRow || ok && column != ColumnAttributes {
			continue
		}
		name, ok := stepName(t, 2)
		if !ok {
			f.all = true
			continue
		}
		if _, had := f.names[name]; !had {
			f.names[name] = t
		}
	}
}

// follow gives each audience that is made of outcomes its campaign, and each campaign the
// names of the attributes that such audiences read.
func (l *loader) follow() {
	kept := map[*Campaign]map[string]bool{}
	for _, a := range l.cfg.Audiences {
		f := a.Source.followed
		if f == nil {
			continue
		}
		l.diags.in = l.cfg.modules[a.Module]
		if a.Source.Of = l.cfg.campaign(f.address); a.Source.Of == nil || a.Source.Of.Audience == nil {
			continue // reported
		}
		known := a.Source.Of.Audience.Attributes
		for _, name := range slices.Sorted(maps.Keys(f.names)) {
			if !slices.Contains(known, name) {
				l.diags.err("unknown_attribute", stepRange(f.names[name], 2), "%s has no attribute %q, so no message of %s was made with one.%s",
					a.Source.Of.Audience.Address(), name, f.address, didYouMean(name, known))
			}
		}
		if kept[a.Source.Of] == nil {
			kept[a.Source.Of] = map[string]bool{}
		}
		for _, name := range known {
			if _, named := f.names[name]; named || f.all {
				kept[a.Source.Of][name] = true
			}
		}
	}
	l.diags.in = nil
	for cm, names := range kept {
		cm.Kept = slices.Sorted(maps.Keys(names))
	}
}

func (c *Config) campaign(address string) *Campaign {
	for _, cm := range c.Campaigns {
		if cm.Address() == address {
			return cm
		}
	}
	return nil
}
