package plan

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// renamed holds the deliveries of campaigns that are no longer declared. A new
// campaign that sends the same message to the same people is likely one of them
// under another name.
type renamed struct {
	ids       recipientIDs
	people    openmap.Map[oldDelivery]
	messages  map[string]uint32
	campaigns []string
	hits      []int // how often the method had found each campaign since the last reset
}

// oldDelivery is one person's delivery; the last one where there were several.
type oldDelivery struct {
	digest   uint64
	message  uint32
	campaign uint32
}

// loadRenamed reads the deliveries of campaigns that are gone from the
// configuration.
func loadRenamed(ctx context.Context, snap Snapshot, who *ties, removed []string) (*renamed, error) {
	g := &renamed{campaigns: removed, messages: map[string]uint32{}, hits: make([]int, len(removed))}
	for i, campaign := range removed {
		for d, err := range snap.Deliveries(ctx, campaign) {
			if err != nil {
				return nil, fmt.Errorf("reading the deliveries of %s: %w", campaign, err)
			}
			if !mayHaveArrived(d.Send) {
				continue
			}
			to, _ := g.people.Put(g.ids.add(who.person(message.Canonical(d.Recipient))))
			*to = oldDelivery{binary.LittleEndian.Uint64(d.Digest[:8]), g.message(d.Message), uint32(i)}
		}
	}
	return g, nil
}

// mayHaveArrived reports whether the person may have the message.
func mayHaveArrived(s state.Send) bool {
	return s == state.Accepted || s == state.InDoubt || s == state.Sending
}

// message gives the address of a message a small number, which the table keeps
// instead of the text.
func (g *renamed) message(address string) uint32 {
	n, known := g.messages[address]
	if !known {
		n = uint32(len(g.messages) + 1)
		g.messages[address] = n
	}
	return n
}

// had reports whether a campaign that is no longer declared sent the recipient
// this text, or any text of the message at this address.
func (g *renamed) had(key string, digest [16]byte, message string) bool {
	if g == nil {
		return false
	}
	id, ok := g.ids.find(key)
	if !ok {
		return false
	}
	old := g.people.At(id)
	if old == nil {
		return false
	}
	same := old.digest == binary.LittleEndian.Uint64(digest[:8]) || old.message == g.messages[message]
	if same {
		g.hits[old.campaign]++
	}
	return same
}

// likeliest returns the campaign that the method had found most often.
func (g *renamed) likeliest() string {
	best := 0
	for i := range g.hits {
		if g.hits[i] > g.hits[best] {
			best = i
		}
	}
	return g.campaigns[best]
}

func (g *renamed) reset() {
	if g != nil {
		clear(g.hits)
	}
}
