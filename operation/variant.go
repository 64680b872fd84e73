package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

// VariantRow counts the deliveries of one campaign variant that have the same
// status.
type VariantRow struct {
	// Variant is its name, "" for recipients who match none, or all names if
	// several variants send the same message. It is the message's address if no
	// variant of the last apply sends it.
	Variant string
	Row     state.FunnelRow
}

// readTexts counts the variants and experiments of the last apply's campaigns; campaign
// names one, "" all.
func (s *Status) readTexts(ctx context.Context, store state.Store, campaign string) error {
	snap, err := store.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	resources, err := snap.Resources(ctx)
	if err != nil {
		return err
	}
	for i := range resources {
		r := &resources[i]
		if r.Type != "campaign" || campaign != "" && r.Address != campaign {
			continue
		}
		var tree lang.Tree
		if err := json.Unmarshal(r.Tree, &tree); err != nil {
			return fmt.Errorf("reading %s from the state: %w", r.Address, err)
		}
		if err := errors.Join(s.readVariants(ctx, snap, r.Address, &tree), s.readExperiment(ctx, snap, r.Address, &tree)); err != nil {
			return err
		}
	}
	return nil
}

// readVariants counts the deliveries of a campaign by variant, if it has some. The
// message that was sent shows which variant it was.
func (s *Status) readVariants(ctx context.Context, snap state.Snapshot, campaign string, tree *lang.Tree) error {
	order, names := variantNames(tree)
	experiment := slices.ContainsFunc(tree.Blocks, func(b lang.Block) bool { return b.Type == "experiment" })
	if len(order) < 2 {
		return nil
	}
	counts := map[VariantRow]int{}
	for d, err := range snap.Deliveries(ctx, campaign) {
		if err != nil {
			return err
		}
		if d.Send == state.HeldOut {
			continue
		}
		name, known := names[d.Message]
		switch {
		case experiment:
			name = d.Variant // arms send other messages
		case !known:
			name = d.Message
		}
		counts[VariantRow{name, state.FunnelRow{Campaign: d.Campaign, Revision: d.Revision, Send: d.Send, Rank: d.Rank, Failed: d.Failed, Replied: !d.Replied.IsZero()}}]++
	}
	s.addVariants(order, counts)
	return nil
}

// addVariants adds the counts of one campaign, with its variants in order.
func (s *Status) addVariants(order []string, counts map[VariantRow]int) {
	var rows []VariantRow
	for r, n := range counts {
		r.Row.Count = n
		rows = append(rows, r)
	}
	at := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(rows, func(a, b VariantRow) int {
		if d := at(a.Variant) - at(b.Variant); d != 0 {
			return d
		}
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	s.Variants = append(s.Variants, rows...)
}

// variantNames returns the names of a campaign's variants by the messages that they
// send, and in order, with the one for recipients who match none last.
func variantNames(campaign *lang.Tree) (order []string, byMessage map[string]string) {
	sends := map[string][]string{} // message → variants
	note := func(name string, t *lang.Tree) {
		for _, a := range t.Attributes {
			if a.Name == "message" || a.Name == "fallback" {
				sends[a.Value] = append(sends[a.Value], name)
			}
		}
	}
	for i := range campaign.Blocks {
		if b := &campaign.Blocks[i]; b.Type == "variant" && len(b.Labels) == 1 {
			note(b.Labels[0], &b.Tree)
			order = append(order, b.Labels[0])
		}
	}
	if len(order) == 0 {
		return nil, nil
	}
	note("", campaign)
	order = append(order, "")
	byMessage = map[string]string{}
	for address, list := range sends {
		byMessage[address] = joined(list)
		if name := byMessage[address]; !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	return order, byMessage
}

// joined is the names of variants that send the same message.
func joined(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	out := make([]string, len(list))
	for i, name := range list {
		if out[i] = name; name == "" {
			out[i] = "others"
		}
	}
	return strings.Join(slices.Compact(out), ", ")
}
