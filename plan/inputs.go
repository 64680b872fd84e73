package plan

import (
	"context"
	"io"
	"iter"
	"os"
	"time"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Inputs are what a plan is made from besides the configuration.
type Inputs struct {
	// At is the moment that the plan is for; required.
	At time.Time
	// Version is handbill's own and Build its identity, for the plan's header.
	Version, Build string
	// State is what was done before; nil stands for an empty state.
	State Snapshot
	// Limits are the bounds of messages at a type of provider; nil stands for
	// message.DefaultLimits.
	Limits func(providerType string) message.Limits
	// Supports says what a sending number can do; the zero value can do
	// everything.
	Supports Supports
	// Outdated says in sentences what is wrong with a provider's version at At;
	// "" for nothing. Nil finds nothing.
	Outdated func(*lang.Provider) string
	// Messaging returns what is known of the messaging limit of a sending number;
	// nil checks no limits.
	Messaging MessagingLimits
	// Templates are those of the accounts that data blocks name. With the zero value
	// every data block is an error.
	Templates Templates
	// Catalogs are where managed catalogs are read. With the zero value each is an error.
	Catalogs Catalogs
	// Singletons are where singletons are read. With the zero value each is an error.
	Singletons Singletons
	// Managed is what the state knows about template blocks, managed catalogs and singletons.
	Managed []state.Managed
	// Throughput is a sending number's own rate in messages per second, for
	// campaigns that declare none; nil stands for no known rate.
	Throughput func(*lang.Provider) float64
	// Root is the configuration's directory: files of audiences are read
	// below it.
	Root *os.Root
	// Web is how audiences ask web services.
	Web audience.Web
	// Outputs are the values of outputs at the last apply, as JSON by name; "" for
	// a sensitive one, whose value is not kept.
	Outputs map[string]string
	// Halts are the campaigns that earlier runs halted. Nothing of them is planned
	// for now, except for those that Options.Resume names.
	Halts []state.Halt
	// Options narrow or widen what is planned.
	Options Options
	// Spool keeps the entries while they are made; nil stands for a
	// MemorySpool.
	Spool Spool
	// Progress is called with how far planning is, one call at a time; may be nil.
	Progress func(Progress)
	// Parallelism is how many goroutines evaluate recipients; 0 for one per
	// processor. The plan does not depend on it.
	Parallelism int
}

// Supports says what a sending number can do. For message.Doubted, planning warns
// with the note; message.No is an error. A nil function stands for message.Yes.
type Supports struct {
	// Message is about a message as it is declared. The draft shows which texts it
	// has and what goes with it.
	Message func(p *lang.Provider, d *message.Draft) (support message.Support, note string)
	// Feature is about what a reply rule asks for besides its message, by the
	// argument's name: "mark_read", "typing".
	Feature func(p *lang.Provider, name string) (support message.Support, note string)
}

// Options are the choices of a person for one plan.
type Options struct {
	// Target and Exclude are addresses of resources, or of one recipient of a
	// campaign (campaign.spring["+4915112345678"]).
	Target, Exclude []string
	// Replace are addresses of campaigns, or of recipients of a campaign, who get the
	// message again although they had it.
	Replace []string
	// Retry plans refused recipients again: "failed" for all, or one code of a
	// provider; "" for none.
	Retry string
	// Resume are addresses of halted campaigns that are to go on.
	Resume []string
	// ForceDeleteTemplates deletes templates although messages that name them were
	// sent lately or are declared.
	ForceDeleteTemplates bool
	// MaxAge is how long the plan may be applied once it is saved; 0 for the
	// constant MaxAge.
	MaxAge time.Duration
	// Prices is a price file (CSV: prefix, category, price, currency) or Meta's file
	// of rates, read for the estimate of the cost; nil for none. Tiers are the volume
	// tiers that belong to Meta's rates; nil for none.
	Prices, Tiers io.Reader
}

// Snapshot is the state as planning reads it: one consistent moment, such as
// a snapshot of a store.
type Snapshot interface {
	Meta(ctx context.Context) (state.Meta, error)
	Resources(ctx context.Context) ([]state.Resource, error)
	// Compact returns what happened to everybody in one revision of a campaign.
	Compact(ctx context.Context, campaign string, revision int) (state.SentIndex, error)
	// Deliveries returns all of a campaign, whatever their revision.
	Deliveries(ctx context.Context, campaign string) iter.Seq2[state.Delivery, error]
	People(ctx context.Context) iter.Seq2[state.Person, error]
	// Ties returns the ids of everybody who has several.
	Ties(ctx context.Context) iter.Seq2[state.Tie, error]
	// Windows returns the 24-hour windows of everybody at one sending number.
	Windows(ctx context.Context, number string) iter.Seq2[state.PersonWindow, error]
	// RecentSends returns the messages sent since a moment, by any campaign.
	RecentSends(ctx context.Context, since time.Time) iter.Seq2[state.RecentSend, error]
	// Orders returns the orders of everybody, in no order.
	Orders(ctx context.Context) iter.Seq2[state.PlacedOrder, error]
	// Erased returns a function that reports who was erased and must never be sent to.
	Erased(ctx context.Context) (func(recipient string) bool, error)
}

// Progress is how far planning is.
type Progress struct {
	Stage    string // "reading" (the state), "planning"
	Campaign string // address; "" while reading
	Rows     int    // rows of the source done
	Position int64  // bytes of the source done
	Size     int64  // bytes of the source; 0 when unknown
	Done     bool   // the stage is over for the campaign
}
