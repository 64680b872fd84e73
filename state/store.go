package state

import (
	"context"
	"iter"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
)

// Store keeps one state. Package statetest holds every store to what is said
// here; whoever sends, serves or plans needs a part of it and says which, as
// apply.Recorder and serve.Store do.
//
// All methods are safe for concurrent use. Each that writes is one transaction:
// it is durable when it returns nil, and where it fails nothing of it is there,
// unless its comment says otherwise. Times are kept in milliseconds. Recipients
// are named by message.Address.Key, and either spelling of a phone number finds
// the person (message.OtherSpelling). Errors wrap ErrDamaged where the store
// holds something else than what was written to it.
type Store interface {
	Sends
	Events
	Conversations
	People
	Decisions
	Reports

	// Meta is the identity of the state.
	Meta(ctx context.Context) (Meta, error)
	// Latest is the newest moment that this machine's clock wrote into the
	// state; zero in a new one. A clock that shows less was put back since.
	Latest(ctx context.Context) (time.Time, error)
	// Snapshot is the state at this moment. It is to be closed.
	Snapshot(ctx context.Context) (Snapshot, error)

	// Put keeps data under a name, and PutAll under several; nil removes a name.
	Put(ctx context.Context, name string, data []byte) error
	PutAll(ctx context.Context, blobs map[string][]byte) error
	// Get is what is kept under a name; nil for nothing.
	Get(ctx context.Context, name string) ([]byte, error)
	// Blobs are those whose names begin with prefix.
	Blobs(ctx context.Context, prefix string) (map[string][]byte, error)

	// Close ends the use of the store. Whoever calls another method after it gets
	// an error.
	Close() error
}

// Sends is the part of a Store in which runs send.
//
// A run sends through lanes: a Lane is one sending number as one run has it. A
// number is one run's at a time. Whoever takes it next overtakes the one before,
// which records no intents from then on. Runs that have different numbers go on
// side by side, and know nothing of each other.
type Sends interface {
	// Begin opens a run, takes the numbers of r.Lanes for it, and returns the run
	// with its id and its lanes whole. It raises the serial and the state's epoch,
	// keeps the resources in their order in place of those of the run before,
	// keeps r.Blobs, and lifts the halts of r.Resume. While the state as a whole is
	// halted it fails with a *HaltError.
	Begin(ctx context.Context, r Run, resources []Resource) (Run, error)
	// Unsettled are the sending numbers at which a run may have left an attempt
	// open, in their order; "" stands for attempts whose number an older format
	// did not keep. Numbers whose lanes were all recovered since are left out.
	Unsettled(ctx context.Context) ([]string, error)
	// Recover turns every attempt that runs left open at a sending number into a
	// doubt with the cause "interrupted", and returns how many there were. Whoever
	// calls it knows that no other run has an attempt open there: the number is
	// theirs, or they hold a lock for the state as a whole. Attempts at other
	// numbers and replies are left alone; those without a known number count as
	// being at every number.
	Recover(ctx context.Context, number string) (int, error)
	// Turn records outcomes of attempts and then new intents, which go out from
	// the lane's number. The intents see the outcomes, and every webhook that was
	// accepted before.
	//
	// No slot of a sending number is given twice, whoever asks, and no intent is
	// recorded within its Spacing of another message to the person.
	//
	// The verdicts are in the order of the intents: each is durable and has an
	// Attempt, or a Gate says why it was not recorded. An outcome for an attempt
	// that is settled is joined by the rules of delivery.Joins; a move that is
	// forbidden fails with a *delivery.TransitionError.
	//
	// An attempt's handle is the store's own: it is not used again, and its order
	// says nothing. An outcome for an attempt that was removed changes nothing.
	// Where somebody has taken the lane's number since, the error wraps ErrFenced:
	// then the outcomes are recorded and the intents are not. It fails for a lane
	// of a run that is over. In a lane of replies each intent names what it
	// answers.
	Turn(ctx context.Context, lane Lane, outcomes []Outcome, intents []Intent) ([]Verdict, error)
	// Intend is Turn without outcomes, and Settle without intents.
	Intend(ctx context.Context, lane Lane, intents []Intent) ([]Verdict, error)
	Settle(ctx context.Context, lane Lane, outcomes []Outcome) error
	// Slots gives many slots of a sending number to messages whose intents are
	// durable and that missed theirs. It returns the first; the others follow
	// a.Gap apart.
	Slots(ctx context.Context, number string, a pace.Ask, many int) (first time.Time, err error)
	// Finish closes a run, with its counts, and its lanes. It fails for a run that
	// is over, and with ErrFenced when somebody has taken a number of its lanes
	// since.
	Finish(ctx context.Context, r Run) error
	// Tally counts the deliveries of one campaign revision that have an attempt.
	Tally(ctx context.Context, campaign string, revision int) (Tally, error)

	// Halt keeps that a campaign sends nothing before a person has looked; the
	// first reason stands.
	Halt(ctx context.Context, h Halt) error
	// Halts are the campaigns that are halted, by address.
	Halts(ctx context.Context) ([]Halt, error)
	// Halted is why the state as a whole is not sent from before Acknowledge; nil
	// when it may be.
	Halted(ctx context.Context) (*HaltError, error)
}

// Events is the part of a Store that takes what providers tell. Any order and
// any repetition of the same events end in the same state: who is who, and what
// holds of it, is decided by the times at which things happened
// (delivery.Circle). What came first is kept of two things only: the numbers of
// inbound events, with which of a person's was the first, and the spelling of a
// number under which somebody without other ids became known.
type Events interface {
	// Append accepts webhook bodies. For each it says whether it is new: a body
	// that the same provider sent within 45 days is not accepted again.
	Append(ctx context.Context, in []Inbox) ([]bool, error)
	// Fold joins the oldest accepted bodies, up to limit, and returns how many
	// there were. A body without events is kept as a notice.
	Fold(ctx context.Context, limit int) (int, error)
	// FoldAll joins all of them, in as many transactions as it likes.
	FoldAll(ctx context.Context) error
	// InboxWaits reports whether an accepted body waits to be joined.
	InboxWaits(ctx context.Context) (bool, error)
	// Waiting is how many accepted bodies wait to be joined, and how many inbound
	// events no rule has answered.
	Waiting(ctx context.Context) (inbox, inbound int, err error)
	// Events joins events that were asked for, as by a poll, at once.
	Events(ctx context.Context, provider string, evs []message.Event) error
}

// Conversations is the part of a Store that serve answers from.
type Conversations interface {
	// Unanswered are the sending numbers with inbound events that no rule has
	// answered, in their order.
	Unanswered(ctx context.Context) ([]string, error)
	// RecoverReplies takes a sending number for whoever answers at it, as Begin
	// does for a run; replies and runs do not overtake each other. What was left
	// open by whoever answered there before is in doubt, with the cause
	// "interrupted"; n is how many attempts there were.
	RecoverReplies(ctx context.Context, number string) (lane Lane, n int, err error)
	// Claim looks at up to n of the inbound events at the lane's number that no
	// rule has answered, from the one after the event after, oldest first. It
	// returns those that are the oldest of their person, so that a person is
	// answered in the order in which they wrote, and the last one that it looked
	// at; after itself where there was none. Events that come later are after it.
	// It fails with ErrFenced when somebody
	// has taken the lane since.
	Claim(ctx context.Context, lane Lane, after int64, n int) (refs []InboundRef, upto int64, err error)
	// ClaimNext is Claim for one person: their oldest inbound event at the lane's
	// number that no rule has answered. It is for whoever has answered the one
	// before it; ok is false when there is none.
	ClaimNext(ctx context.Context, lane Lane, recipient string) (ref InboundRef, ok bool, err error)
	// Inbound is the inbound event of that number; ok is false when there is
	// none, as after its sender was erased.
	Inbound(ctx context.Context, seq int64) (ev InboundEvent, ok bool, err error)
	// Answered says that the rules are done with inbound events, whatever they
	// answered.
	Answered(ctx context.Context, seqs ...int64) error
	// RepliedBy are the addresses of the rules that have an attempt at answering
	// an inbound event, whatever became of it, in the order of the attempts.
	RepliedBy(ctx context.Context, recipient string, seq int64) ([]string, error)
	// Exchanges are the answers to a recipient since a time, the newest first and
	// up to n, without those to the inbound event seq. Doubts count.
	Exchanges(ctx context.Context, recipient string, seq int64, since time.Time, n int) ([]Exchange, error)
	// LastReply is when a rule last answered a recipient; zero for never. Doubts
	// count.
	LastReply(ctx context.Context, rule, recipient string) (time.Time, error)
}

// People is the part of a Store about persons.
type People interface {
	// Person is what is known of a recipient; of one that was erased, only that
	// nothing may be sent.
	Person(ctx context.Context, number, recipient string) (Person, error)
	// SetAttributes sets attributes of a recipient; "" removes one. Nothing is
	// kept of somebody who was erased.
	SetAttributes(ctx context.Context, recipient string, set map[string]string) error
	// Handover silences the rules for a recipient, or gives the person back.
	Handover(ctx context.Context, recipient string, on bool) error
	// OptOut records that a person wants no marketing. The reason is a word, such
	// as "stop_word"; the evidence says where it is from. It holds whatever was
	// recorded before.
	OptOut(ctx context.Context, recipient, reason, evidence string) error
	// OptIn records that a person wants marketing again.
	OptIn(ctx context.Context, recipient, evidence string) error
	// OptOuts are all who must not get marketing, under every id of theirs, those
	// who were erased excepted.
	OptOuts(ctx context.Context) iter.Seq2[OptOutEntry, error]
	// Erase forgets a person everywhere: what was written, known and received,
	// also in accepted webhooks. The deliveries stay for the counts, under a name
	// that tells nothing and without their ids. Nothing is sent to that recipient
	// again.
	Erase(ctx context.Context, recipient string) error
}

// Decisions is the part of a Store that people decide with. Each raises the
// serial, which makes saved plans stale; an address or a key of which nothing is
// known fails with ErrUnknown.
type Decisions interface {
	// Resolve settles a delivery that is in doubt, as Accepted or, when a person
	// is sure that it was not sent, as Pending. What providers have told already
	// is joined first. It fails with ErrSettled when the delivery is not in doubt.
	Resolve(ctx context.Context, key Key, as Send, who, why string) error
	// Move gives what is kept under one address to another: the resource, its
	// deliveries and its halt. It fails where the other has any.
	Move(ctx context.Context, from, to string) error
	// Remove forgets a resource and, with a campaign, its deliveries: what was
	// sent would be sent again. It returns how many attempts were forgotten, and
	// fails while one is open.
	Remove(ctx context.Context, address string) (int, error)
	// Import takes over deliveries that were made elsewhere, as accepted, so that
	// they are not made again; those that are known already stay as they are. It
	// returns how many were added; after an error, those before it may be in.
	Import(ctx context.Context, ds iter.Seq2[Delivery, error]) (int, error)
	// Prune forgets what nothing depends on any more and that is older than
	// before: answered inbound events, notices, and revisions of a campaign that
	// has a newer one; events younger than 45 days stay. It takes many
	// transactions, returns how many records are gone, also with an error, and
	// leaves the serial.
	Prune(ctx context.Context, before time.Time) (int, error)
	// Acknowledge lifts what Halted tells.
	Acknowledge(ctx context.Context, who, why string) error
	// AcknowledgeClock has Latest leave out what was written before: a person
	// says that the clock was ahead then, and is right now.
	AcknowledgeClock(ctx context.Context, who, why string) error
}

// Reports is the part of a Store that people read.
type Reports interface {
	// Runs are all applies, oldest first.
	Runs(ctx context.Context) ([]Run, error)
	// Funnel counts the deliveries of a campaign by how they stand, of every
	// campaign for "", ordered by all that they are counted by.
	Funnel(ctx context.Context, campaign string) ([]FunnelRow, error)
	// InDoubt are the deliveries of a campaign that are in doubt, of every
	// campaign for "".
	InDoubt(ctx context.Context, campaign string) iter.Seq2[Delivery, error]
	// Orders sums the orders that came, by the campaign that they answer and by
	// currency.
	Orders(ctx context.Context) ([]OrderCount, error)
	// Findings are the contradictions that were seen, each once, oldest first.
	Findings(ctx context.Context) ([]Finding, error)
	// Notices are the account's events and those that were not understood, since
	// a moment, oldest first.
	Notices(ctx context.Context, since time.Time) iter.Seq2[Notice, error]
	// NoticeCounts counts all notices by kind, in the order of kinds.
	NoticeCounts(ctx context.Context) ([]NoticeCount, error)
}

// Snapshot is a state at one moment, whatever is written meanwhile. It is used
// by one goroutine at a time. After Close its methods fail.
type Snapshot interface {
	Meta(ctx context.Context) (Meta, error)
	// Resources are those of the last apply, in the order in which Begin got them.
	Resources(ctx context.Context) ([]Resource, error)
	// Compact is what became of everybody in one revision of a campaign. It may
	// be used after Close.
	Compact(ctx context.Context, campaign string, revision int) (SentIndex, error)
	// Deliveries are all deliveries of a campaign, of every campaign for "", by
	// the time of their last attempt.
	Deliveries(ctx context.Context, campaign string) iter.Seq2[Delivery, error]
	// People are all persons of whom something is known.
	People(ctx context.Context) iter.Seq2[Person, error]
	// Ties are the ids of everybody who has several.
	Ties(ctx context.Context) iter.Seq2[Tie, error]
	// Windows are the 24-hour windows of everybody at the sending number of a
	// provider block's address.
	Windows(ctx context.Context, number string) iter.Seq2[PersonWindow, error]
	// RecentSends are the messages of campaigns that reached or may have reached
	// somebody since a moment.
	RecentSends(ctx context.Context, since time.Time) iter.Seq2[RecentSend, error]
	// Erased returns a function that tells who was erased and must never be sent
	// to again. It is safe for concurrent use, also after Close.
	Erased(ctx context.Context) (func(recipient string) bool, error)
	// Halts are the campaigns that were halted, by address.
	Halts(ctx context.Context) ([]Halt, error)
	// Get is what was kept under a name; nil for nothing.
	Get(ctx context.Context, name string) ([]byte, error)
	// Close ends the snapshot; a second time does nothing.
	Close() error
}
