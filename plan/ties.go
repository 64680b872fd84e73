package plan

import (
	"context"
	"fmt"
	"slices"

	"github.com/handbill/handbill/message"
)

// ties says which ids belong to one person. A nil *ties stands for a state in which
// every person has one id. After loading it is safe for concurrent reading.
type ties struct {
	persons map[string]string   // id → the key of the person who has it
	former  map[string][]string // id → the keys of persons who had it
}

// loadTies reads who has several ids. All keys are canonical.
func loadTies(ctx context.Context, snap Snapshot) (*ties, error) {
	var t *ties
	for tie, err := range snap.Ties(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading who is who from the state: %w", err)
		}
		if t == nil {
			t = &ties{persons: map[string]string{}, former: map[string][]string{}}
		}
		id, person := message.Canonical(tie.Recipient), message.Canonical(tie.Person)
		if tie.Former {
			t.former[id] = append(t.former[id], person)
		} else {
			t.persons[id] = person
		}
	}
	return t, nil
}

// has reports whether an id is or was one of several ids of somebody.
func (t *ties) has(id string) bool {
	if t == nil {
		return false
	}
	_, is := t.persons[id]
	return is || t.former[id] != nil
}

// person returns the key of the person who has an id: the id itself if they have
// no other.
func (t *ties) person(id string) string {
	if t != nil {
		if p, ok := t.persons[id]; ok {
			return p
		}
	}
	return id
}

// earlier returns the keys of persons who had the id before.
func (t *ties) earlier(id string) []string {
	if t == nil {
		return nil
	}
	return slices.Clone(t.former[id])
}
