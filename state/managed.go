package state

import (
	"encoding/json"
	"time"
)

// Managed is one object of an account that the configuration looks after, such
// as one language of a template.
type Managed struct {
	Address  string `json:"address"`  // "template.spring.en_US"
	Kind     string `json:"kind"`     // "template", "catalog", or that of a singleton such as "business_profile"
	Provider string `json:"provider"` // address of the number that it was managed through
	Account  string `json:"account,omitempty"`
	Key      string `json:"key"`                 // how the account tells it from others: "spring_sale/en_US"
	RemoteID string `json:"remote_id,omitempty"` // the account's id of it; "" where it tells none
	// Declared is what was handed in last, and Observed what the account told of
	// it at ObservedAt; JSON, which the state makes nothing of.
	Declared   json.RawMessage `json:"declared,omitempty"`
	Observed   json.RawMessage `json:"observed,omitempty"`
	ObservedAt time.Time       `json:"observed_at,omitzero"`
	Status     string          `json:"status,omitempty"`
	Category   string          `json:"category,omitempty"`
	// Since is when the account was first known to have it; zero before.
	Since time.Time `json:"since,omitzero"`
	// Edits are when it was edited while it was approved, the last 30 days.
	Edits []time.Time `json:"edits,omitempty"`
	// OnDestroy is what becomes of it in the account when it is no longer declared:
	// "archive", "delete" or "remove"; "" or "keep" for nothing. PreventDestroy refuses these.
	OnDestroy      string `json:"on_destroy,omitempty"`
	PreventDestroy bool   `json:"prevent_destroy,omitempty"`
	// Used is when an apply last began to send messages that name it; zero for never.
	Used time.Time `json:"used,omitzero"`
	// Intent is the change that was about to be made, and of which nothing is
	// known; nil for none.
	Intent *ManagedIntent `json:"intent,omitempty"`
}

// ManagedIntent is the record that a change is about to be made, durable before
// its request leaves.
type ManagedIntent struct {
	Change string    `json:"change"` // "create", "update", "delete", "archive", "batch"
	Digest string    `json:"digest"` // of what is handed in; "" for batches that were all answered
	At     time.Time `json:"at"`
	// Handles are those of batches of products that were taken, and of which nobody knows
	// yet what became of them.
	Handles []string `json:"handles,omitempty"`
}

// KeptProduct is what is known of one product of a managed catalog.
type KeptProduct struct {
	Catalog string `json:"catalog"` // the account's id of it
	ID      string `json:"id"`      // the retailer id
	Digest  string `json:"digest"`  // of what is declared, as the catalog has it; see account.Product.Digest
	Review  string `json:"review,omitempty"`
}

// Known reports whether the account is known to have it.
func (m *Managed) Known() bool { return !m.Since.IsZero() }
