package plan

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// ghosts are the deliveries of campaigns that are no longer declared. A new
// campaign that sends the same people the same message is one of them renamed.
type ghosts struct {
	keys      keys
	people    table[ghost]
	messages  map[string]uint32
	campaigns []string
	hits      []int // by campaign, since the last reset
}

// ghost is one delivery, the last one where a person had several.
type ghost struct {
	digest   uint64
	message  uint32
	campaign uint32
}

func loadGhosts(ctx context.Context, snap Snapshot, who *ties, removed []string) (*ghosts, error) {
	g := &ghosts{campaigns: removed, messages: map[string]uint32{}, hits: make([]int, len(removed))}
	for i, campaign := range removed {
		for d, err := range snap.Deliveries(ctx, campaign) {
			if err != nil {
				return nil, fmt.Errorf("reading the deliveries of %s: %w", campaign, err)
			}
			if !mayHaveArrived(d.Send) {
				continue
			}
			to, _ := g.people.put(g.keys.add(who.person(message.Canonical(d.Recipient))))
			*to = ghost{binary.LittleEndian.Uint64(d.Digest[:8]), g.message(d.Message), uint32(i)}
		}
	}
	return g, nil
}

// mayHaveArrived reports whether the person has the message, for all we know.
func mayHaveArrived(s state.Send) bool {
	return s == state.Accepted || s == state.InDoubt || s == state.Sending
}

func (g *ghosts) message(address string) uint32 {
	n, known := g.messages[address]
	if !known {
		n = uint32(len(g.messages) + 1)
		g.messages[address] = n
	}
	return n
}

// had reports whether the recipient got this text, or the message of this
// address, from a campaign that is gone.
func (g *ghosts) had(key string, digest [16]byte, message string) bool {
	if g == nil {
		return false
	}
	id, ok := g.keys.find(key)
	if !ok {
		return false
	}
	old := g.people.at(id)
	if old == nil {
		return false
	}
	same := old.digest == binary.LittleEndian.Uint64(digest[:8]) || old.message == g.messages[message]
	if same {
		g.hits[old.campaign]++
	}
	return same
}

// likeliest is the campaign that most of the hits are from.
func (g *ghosts) likeliest() string {
	best := 0
	for i := range g.hits {
		if g.hits[i] > g.hits[best] {
			best = i
		}
	}
	return g.campaigns[best]
}

func (g *ghosts) reset() {
	if g != nil {
		clear(g.hits)
	}
}
