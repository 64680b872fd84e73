package state

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Destination is where a link leads in the messages of one campaign, as the last apply that had the campaign says. It
// decides for messages that were sent before, too.
type Destination struct {
	Campaign string `json:"campaign"`
	Link     string `json:"link"` // address of the link block
	Base     string `json:"base"` // what stands before "/" and a token
	URL      string `json:"url"`
}

// destinationsBlob is the name under which a state keeps the destinations, and linkKeyBlob that of the secret key with
// which tokens are made.
const (
	destinationsBlob = "links"
	linkKeyBlob      = "link_key"
)

// DestinationsBlob returns the destinations under the name by which a run keeps them: nothing where there are none.
func DestinationsBlob(list []Destination) (name string, data []byte, err error) {
	if len(list) == 0 {
		return destinationsBlob, nil, nil
	}
	slices.SortFunc(list, func(a, b Destination) int {
		return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Link, b.Link))
	})
	data, err = json.Marshal(list)
	return destinationsBlob, data, err
}

// getter is a state, or a snapshot of one.
type getter interface {
	Get(ctx context.Context, name string) ([]byte, error)
}

// Destinations returns the destinations of the last apply.
func Destinations(ctx context.Context, s getter) (list []Destination, err error) {
	data, err := s.Get(ctx, destinationsBlob)
	if err != nil || data == nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%w: the destinations of links: %w", ErrDamaged, err)
	}
	return list, nil
}

// RenameDestinations follows a resource that Move gave another address, so that links work before the next apply.
func RenameDestinations(ctx context.Context, s Store, from, to string) error {
	list, err := Destinations(ctx, s)
	if err != nil {
		return err
	}
	changed := false
	for i := range list {
		for _, address := range []*string{&list[i].Campaign, &list[i].Link} {
			if *address == from {
				*address, changed = to, true
			}
		}
	}
	if !changed {
		return nil
	}
	name, data, err := DestinationsBlob(list)
	if err != nil {
		return err
	}
	return s.Put(ctx, name, data)
}

// LinkKey returns the secret key with which tokens are made; nil where no apply has made one.
func LinkKey(ctx context.Context, s getter) ([]byte, error) { return s.Get(ctx, linkKeyBlob) }

// LinkKeyBlob returns a key under the name by which a run keeps it.
func LinkKeyBlob(key []byte) (name string, data []byte) { return linkKeyBlob, key }
