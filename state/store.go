package state

import (
	"context"
	"iter"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
)

// Store keeps one state. Package statetest holds every store to these comments. Callers ask for the part that they need,
// as apply.Recorder and serve.Store do.
//
// Methods are safe for concurrent use. Each write is one transaction, unless its comment says otherwise: durable when it
// returns nil, and without effect when it fails. Times are kept in milliseconds. Recipients are named by
// message.Address.Key, and either spelling of a phone number finds the person (message.OtherSpelling). Errors wrap
// ErrDamaged where the store holds something else than what was written to it.
type Store interface {
	Sends
	Events
	Conversations
	Forwards
	Links
	People
	Decisions
	Reports

	// Manage keeps objects of accounts, each in place of the one at its address, and forgets those at other addresses, in
	// one transaction. An address of which nothing is kept is no error. The serial stays: what an account holds is compared
	// each time.
	Manage(ctx context.Context, keep []Managed, forget []string) error

	// KeepProducts keeps what is known of products of the account's catalog with that id, each in place of the one with its
	// retailer id, and forgets others, in one transaction. One of which nothing is kept is no error. The serial stays.
	KeepProducts(ctx context.Context, catalog string, keep []KeptProduct, forget []string) error

	Meta(ctx context.Context) (Meta, error)
	// Latest is the newest moment that a clock wrote into the state; zero in a new one. A clock that shows less went back.
	Latest(ctx context.Context) (time.Time, error)
	// Snapshot is the state at this moment. The caller closes it.
	Snapshot(ctx context.Context) (Snapshot, error)

	// Put keeps data under a name, and PutAll under several; nil removes a name.
	Put(ctx context.Context, name string, data []byte) error
	PutAll(ctx context.Context, blobs map[string][]byte) error
	// Get returns what is kept under a name; nil for nothing.
	Get(ctx context.Context, name string) ([]byte, error)
	// Blobs returns everything whose name begins with prefix.
	Blobs(ctx context.Context, prefix string) (map[string][]byte, error)

	Close() error
}

// Sends is the part of a Store that runs send through.
//
// A Lane is one sending number as one run has it. A number belongs to one run at a time: the run that takes it next
// overtakes the one before, which records no intents from then on. Runs with different numbers go on side by side.
type Sends interface {
	// Begin opens a run and takes the numbers of r.Lanes for it. It returns the run with its id and its lanes filled in.
	// It raises the serial and the state's epoch, replaces the resources of the run before, keeps r.Blobs, and lifts the
	// halts of r.Resume. While the whole state is halted it fails with a *HaltError.
	Begin(ctx context.Context, r Run, resources []Resource) (Run, error)
	// Unsettled lists, in order, the sending numbers at which a run may have left an attempt open; "" for unknown ones.
	Unsettled(ctx context.Context) ([]string, error)
	// Recover puts every attempt in doubt that runs left open at a sending number, with the cause "interrupted", and
	// returns how many there were. The caller knows that no other run has an attempt open there: it has taken the number,
	// or holds a lock for the whole state. Replies and attempts at other numbers are left alone; attempts without a known
	// number count as being at every number.
	Recover(ctx context.Context, number string) (int, error)
	// Turn records outcomes of attempts and then new intents, which go out from the lane's number. The intents see the
	// outcomes and every webhook accepted before.
	//
	// Verdicts are in the order of the intents: each is durable and has an Attempt, or a Gate says why it was not
	// recorded. No slot of a sending number is given twice, and no intent is recorded within its Spacing of another
	// message to the person. In a lane of replies each intent names the event that it answers.
	//
	// An outcome for an attempt that is settled is joined by the rules of delivery.Joins; a forbidden move fails with a
	// *delivery.TransitionError. An outcome for an attempt that was removed changes nothing. An attempt's handle is the
	// store's own; it is never used again, and its order says nothing.
	//
	// When somebody has taken the lane's number since, the error wraps ErrFenced: the outcomes are recorded, the intents
	// are not. Turn fails for a lane of a run that is over.
	Turn(ctx context.Context, lane Lane, outcomes []Outcome, intents []Intent) ([]Verdict, error)
	// HoldOut records that recipients get nothing of a campaign revision, since they are in the holdout of its experiment.
	// A delivery that is recorded already stays as it is, and so does somebody who was erased. It returns how many of the
	// recipients are held out now, newly or before. It fails for lanes for which Turn does, with the same errors.
	HoldOut(ctx context.Context, lane Lane, who []Key) (int, error)
	// Intend is Turn without outcomes, and Settle without intents.
	Intend(ctx context.Context, lane Lane, intents []Intent) ([]Verdict, error)
	Settle(ctx context.Context, lane Lane, outcomes []Outcome) error
	// Slots gives new slots to messages with durable intents that missed theirs: the first, and the others a.Gap apart.
	Slots(ctx context.Context, number string, a pace.Ask, many int) (first time.Time, err error)
	// Finish closes a run that is not over, with its counts. It fails with ErrFenced when one of its numbers was taken. Of a
	// run that others can carry on (Shared) it closes the lanes of r.Lanes, with the counts of r.Campaigns; the run is over
	// when its last lane is.
	Finish(ctx context.Context, r Run) error
	// Tally counts the deliveries of one campaign revision that are recorded.
	Tally(ctx context.Context, campaign string, revision int) (Tally, error)

	// Halt keeps a campaign from sending before a person has looked. The first reason stands.
	Halt(ctx context.Context, h Halt) error
	// Halts lists the halted campaigns by address.
	Halts(ctx context.Context) ([]Halt, error)
	// Halted says why the whole state sends nothing before Acknowledge; nil when it may.
	Halted(ctx context.Context) (*HaltError, error)
}

// Events is the part of a Store that takes what providers tell. The same events lead to the same state in any order and
// with any repetition, since the times at which things happened decide (delivery.Circle). Two things keep what came
// first: the numbers of inbound events, with which of a person's was the first, and the spelling of a number under which
// somebody without other ids became known.
type Events interface {
	// Append accepts webhook bodies, and says which are new: a provider's body is accepted once within 45 days.
	Append(ctx context.Context, in []Inbox) ([]bool, error)
	// Fold joins up to limit of the oldest accepted bodies, and returns how many. A body without events becomes a notice.
	Fold(ctx context.Context, limit int) (int, error)
	// FoldAll joins all of them, in any number of transactions.
	FoldAll(ctx context.Context) error
	InboxWaits(ctx context.Context) (bool, error)
	// Waiting counts the accepted bodies that wait to be joined, and the inbound events that no rule has answered.
	Waiting(ctx context.Context) (inbox, inbound int, err error)
	// Events joins events at once that were asked for, as by a poll.
	Events(ctx context.Context, provider string, evs []message.Event) error
}

// Conversations is the part of a Store that serve answers from.
type Conversations interface {
	// Unanswered lists the sending numbers, in order, that have inbound events which no rule has answered.
	Unanswered(ctx context.Context) ([]string, error)
	// RecoverReplies takes a sending number for a server that answers there, as Begin does for a run. Replies and runs do
	// not overtake each other. The attempts that the server before left open, n of them, are put in doubt with the cause
	// "interrupted".
	RecoverReplies(ctx context.Context, number string) (lane Lane, n int, err error)
	// Claim looks at up to n unanswered inbound events at the lane's number, oldest first, beginning behind the event
	// after. It returns those that are the oldest of their person, so that people are answered in the order in which they
	// wrote, and the last event that it looked at; after itself for none. Events that come later are behind it. It fails
	// with ErrFenced when somebody has taken the lane since.
	Claim(ctx context.Context, lane Lane, after int64, n int) (refs []InboundRef, upto int64, err error)
	// ClaimNext is Claim for one person whose event before was answered: their oldest unanswered one at the number.
	ClaimNext(ctx context.Context, lane Lane, recipient string) (ref InboundRef, ok bool, err error)
	// Inbound returns an inbound event by its number; ok is false when there is none, as after its sender was erased.
	Inbound(ctx context.Context, seq int64) (ev InboundEvent, ok bool, err error)
	// Answered says that the rules are done with inbound events that the lane claimed, whatever they answered. It fails with
	// ErrFenced when somebody has taken the lane since.
	Answered(ctx context.Context, lane Lane, seqs ...int64) error
	// RepliedBy lists the addresses of the rules that tried to answer an inbound event, in order, whatever came of it.
	RepliedBy(ctx context.Context, recipient string, seq int64) ([]string, error)
	// Exchanges returns up to n answers to a recipient since a time, newest first, in doubt or not, but none to event seq.
	Exchanges(ctx context.Context, recipient string, seq int64, since time.Time, n int) ([]Exchange, error)
	// LastReply is when a rule last answered a recipient; zero for never. Answers in doubt count.
	LastReply(ctx context.Context, rule, recipient string) (time.Time, error)
}

// People is the part of a Store about persons.
type People interface {
	// Person returns what is known of a recipient; of one who was erased, only that nothing may be sent.
	Person(ctx context.Context, number, recipient string) (Person, error)
	// SetAttributes sets attributes of a recipient; "" removes one. Nothing is kept of somebody who was erased.
	SetAttributes(ctx context.Context, recipient string, set map[string]string) error
	// Handover silences the rules for a recipient, or gives the person back to them.
	Handover(ctx context.Context, recipient string, on bool) error
	// OptOut records that a person wants no marketing, whatever was recorded before. The reason is a word, such as
	// "stop_word"; the evidence says where it is from.
	OptOut(ctx context.Context, recipient, reason, evidence string) error
	OptIn(ctx context.Context, recipient, evidence string) error
	// OptOuts lists everybody who must not get marketing, under every id of theirs, without those who were erased.
	OptOuts(ctx context.Context) iter.Seq2[OptOutEntry, error]
	// Erase forgets what a person wrote, and what is known and was received of them, also in accepted webhooks. Their
	// deliveries keep counting, under a name that tells nothing and without ids. Nothing is sent to that recipient again.
	Erase(ctx context.Context, recipient string) error
}

// Decisions is the part of a Store that people decide with. Each raises the serial, which makes saved plans stale. An
// address or a key of which nothing is known fails with ErrUnknown.
type Decisions interface {
	// Resolve settles a delivery in doubt as Accepted or, when a person is sure that it was not sent, as Pending. What
	// providers have told already is joined first. It fails with ErrSettled when the delivery is not in doubt.
	Resolve(ctx context.Context, key Key, as Send, who, why string) error
	// Move gives the resource, deliveries and halt of one address to another. It fails where the other has any.
	Move(ctx context.Context, from, to string) error
	// Remove forgets a resource and, with a campaign, its deliveries, so that they would be sent again. It returns how
	// many attempts were forgotten, and fails while one is open.
	Remove(ctx context.Context, address string) (int, error)
	// Import records deliveries that were made elsewhere as accepted, so that they are not made again. Deliveries that
	// are known stay as they are. It returns how many were added. After an error, those before it may be in.
	Import(ctx context.Context, ds iter.Seq2[Delivery, error]) (int, error)
	// Prune forgets records older than before that nothing depends on: answered inbound events, notices, and revisions of
	// a campaign that has a newer one. Events younger than 45 days stay. It takes many transactions, returns how many
	// records are gone, also with an error, and leaves the serial.
	Prune(ctx context.Context, before time.Time) (int, error)
	// Acknowledge lifts the halt that Halted tells.
	Acknowledge(ctx context.Context, who, why string) error
	// AcknowledgeClock has Latest leave out everything written before, when the clock was ahead, as a person says.
	AcknowledgeClock(ctx context.Context, who, why string) error
}

// Reports is the part of a Store that people read. A campaign of "" stands for every campaign.
type Reports interface {
	// Runs lists all applies, oldest first.
	Runs(ctx context.Context) ([]Run, error)
	// Funnel counts a campaign's deliveries by how they stand, ordered by everything that they are counted by.
	Funnel(ctx context.Context, campaign string) ([]FunnelRow, error)
	// InDoubt lists a campaign's deliveries in doubt.
	InDoubt(ctx context.Context, campaign string) iter.Seq2[Delivery, error]
	// Orders adds up the orders by the campaign that they answer and by currency.
	Orders(ctx context.Context) ([]OrderCount, error)
	// Findings lists the contradictions that were seen, each once, oldest first.
	Findings(ctx context.Context) ([]Finding, error)
	// Notices lists the account's events and those that were not understood, since a moment, oldest first.
	Notices(ctx context.Context, since time.Time) iter.Seq2[Notice, error]
	// NoticeCounts counts all notices by kind, in the order of kinds.
	NoticeCounts(ctx context.Context) ([]NoticeCount, error)
}

// Snapshot is a state at one moment, whatever is written meanwhile. It is for one goroutine; after Close methods fail.
type Snapshot interface {
	Meta(ctx context.Context) (Meta, error)
	// Resources lists those of the last apply, in the order in which Begin got them.
	Resources(ctx context.Context) ([]Resource, error)
	// Compact returns what became of everybody in one revision of a campaign. It may be used after Close.
	Compact(ctx context.Context, campaign string, revision int) (SentIndex, error)
	// Deliveries lists a campaign's deliveries, every campaign's for "", by the time of their last attempt.
	Deliveries(ctx context.Context, campaign string) iter.Seq2[Delivery, error]
	// People lists all persons of whom something is known.
	People(ctx context.Context) iter.Seq2[Person, error]
	Ties(ctx context.Context) iter.Seq2[Tie, error]
	// Windows lists everybody's 24-hour windows at the sending number of a provider block's address.
	Windows(ctx context.Context, number string) iter.Seq2[PersonWindow, error]
	// RecentSends lists the campaign messages since a moment that reached or may have reached somebody.
	RecentSends(ctx context.Context, since time.Time) iter.Seq2[RecentSend, error]
	// Orders lists the orders of everybody, in no order, whatever they answer.
	Orders(ctx context.Context) iter.Seq2[PlacedOrder, error]
	// Erased returns a function that tells who must never be sent to again; safe for concurrent use, also after Close.
	Erased(ctx context.Context) (func(recipient string) bool, error)
	// Halts lists the halted campaigns by address.
	Halts(ctx context.Context) ([]Halt, error)
	// Managed lists the objects of accounts that are kept, by address.
	Managed(ctx context.Context) ([]Managed, error)
	// Products lists what is kept of a catalog's products, every catalog's for "", by catalog and retailer id.
	Products(ctx context.Context, catalog string) iter.Seq2[KeptProduct, error]
	// Get returns what was kept under a name; nil for nothing.
	Get(ctx context.Context, name string) ([]byte, error)
	// Close ends the snapshot; a second time does nothing.
	Close() error
}
