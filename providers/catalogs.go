package providers

import (
	"context"
	"time"

	"github.com/handbill/handbill/account"
)

// CatalogWriter is a number whose credentials may read and change catalogs. Each
// method but EachProduct makes at most one request, repeats nothing, and puts no
// credential into what it returns.
type CatalogWriter interface {
	// CatalogAbility says why this number can't change catalogs; "" if it can.
	CatalogAbility() string
	// Catalog returns what a catalog tells of itself.
	Catalog(ctx context.Context, id string) (account.Catalog, error)
	// EachProduct reads all products of a catalog, page by page, and calls each with
	// every one; a product can come twice if the catalog changes meanwhile. Without an
	// error it was read whole.
	EachProduct(ctx context.Context, catalog string, each func(*account.Product) error) error
	// PostProducts hands in a batch; see account.Batch. It is not known whether a batch
	// that was taken succeeds until ProductBatch says so.
	PostProducts(ctx context.Context, catalog string, batch []byte) BatchAnswer
	// ProductBatch says how far a batch is.
	ProductBatch(ctx context.Context, catalog, handle string) (BatchStatus, error)
	// CatalogLink says whether messages of this number's account may name a catalog.
	CatalogLink(ctx context.Context, catalog string) (account.CatalogLink, error)
}

// BatchOutcome is what an answer to a batch means.
type BatchOutcome uint8

// The outcomes.
const (
	BatchUnknown BatchOutcome = iota // it may have been taken, or not
	BatchTaken                       // it was taken, and is worked on
	BatchRefused                     // nothing of it was taken
	BatchBusy                        // nothing of it was taken; a later request may be
)

// BatchAnswer is what an answer to a batch means.
type BatchAnswer struct {
	Outcome BatchOutcome
	Handle  string            // with BatchTaken
	Invalid map[string]string // what is wrong with products that were not taken, by retailer id
	Code    string            // "80014"; "" for none
	Detail  string            // a sentence; the provider's own words stand in quotes
	Wait    time.Duration     // with BatchBusy: how long; 0 if not reported
}

// BatchStatus is how far a batch is.
type BatchStatus struct {
	Final  bool
	Status string // the provider's word
	// Failed says of a final one that it ended as a whole with an error.
	Failed bool
	// Invalid are the products that were not changed, by retailer id, and why; "" where
	// no reason is told.
	Invalid map[string]string
}
