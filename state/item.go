package state

import (
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/delivery"
)

// Item is one thing that a state holds, in a form that every store reads and writes: what moves a state from one kind of
// store to another is a stream of them. Times are in milliseconds since 1970, in UTC.
//
// A stream begins with an Identity. Runs, lanes and attempts come in the order of their ids, and before what names them.
// What a store works out from the rest, such as an index for planning, is no item.
type Item interface{ item() }

// Identity is what a state is. A state that was moved keeps it, so that its references and saved plans stay valid.
type Identity struct {
	Lineage       string
	Serial, Epoch int64
	Latest        int64 // see Store.Latest
	// The highest handles that were ever given out, since none is used twice: of attempts, of accepted webhooks, and of
	// inbound events.
	Attempts, Bodies, Inbound int64
}

// Blob is what Store.Put keeps.
type Blob struct {
	Name string
	Data []byte
}

// Pace holds the slots of a sending number, as pace.Slots writes them.
type Pace struct {
	Number string
	Data   []byte
}

// TakenLane says that a run, or the server that answers, took a sending number.
type TakenLane struct {
	Number  string // "" where an old format did not keep it
	Replies bool
	Epoch   int64
	Run     int64 // 0 for replies
	Over    bool  // nothing of it is open, and it gets no more attempts
}

// Attempt is one request for one delivery, with everything that became of it.
type Attempt struct {
	ID int64
	Key
	Choice
	Number    int    // from 1
	Run       int64  // 0 for replies, -1 for imports and for who is held out
	From      string // the sending number; "" where an old format did not keep it
	Intended  int64
	Message   string
	Digest    [16]byte
	Body      [16]byte // of the SHA-256 of the request's body
	Ref       string
	Settled   *Settled // nil while it is open
	Again     *Again   // that a person ordered the delivery again after it
	Status    delivery.Status
	Billed    delivery.Billed
	RepliedAt int64
}

// Settled is what an attempt came to.
type Settled struct {
	Send               Send
	Proof              Proof
	At                 int64
	Code, Title, Cause string
	ID                 string // the provider's
}

// Again says when and why an accepted delivery was ordered again.
type Again struct {
	At  int64
	Why string
}

// Told is all that was told about ids that were seen together.
type Told struct {
	delivery.Circle
	Spelled map[delivery.ID]string // as the recipients were spelled first, where that is known
}

// ErasedHash is what is kept of an id that was erased: 16 bytes of a hash with the lineage as key.
type ErasedHash struct {
	Hash []byte
	At   int64
}

// SeenBody is the hash of a webhook that was accepted, 16 bytes of its SHA-256.
type SeenBody struct {
	Provider string
	Hash     []byte
	Received int64
}

// WaitingBody is an accepted webhook that is not joined yet. Events is JSON of its events.
type WaitingBody struct {
	ID       int64
	Provider string
	Received int64
	Raw      []byte
	Events   json.RawMessage
}

// WaitingEvent is an event about a message that is not known, or not yet. Event is JSON of a message.Event.
type WaitingEvent struct {
	Provider string
	Received int64
	Event    json.RawMessage
}

// KeptInbound is something that a person wrote. Event is JSON of a message.Event.
type KeptInbound struct {
	Seq                      int64
	Provider, Recipient      string
	Received                 int64
	Answered, First, Stopped bool
	Attempt                  int64 // of ours, that it answers; 0 for none
	Event                    json.RawMessage
}

// KeptFinding is a Finding; Attempt is 0, or names no attempt any more, where it is about none.
type KeptFinding struct {
	ID, At  int64
	Kind    string
	Attempt int64
	Detail  string
}

// KeptNotice is a Notice.
type KeptNotice struct {
	Provider            string
	At                  int64
	Kind, Field, Reason string
	Raw                 []byte
}

// Decision says who decided what, and why.
type Decision struct {
	At             int64
	Who, What, Why string
}

func (Identity) item()     {}
func (Resource) item()     {}
func (Managed) item()      {}
func (KeptProduct) item()  {}
func (Blob) item()         {}
func (Halt) item()         {}
func (Pace) item()         {}
func (Run) item()          {}
func (TakenLane) item()    {}
func (Attempt) item()      {}
func (Told) item()         {}
func (ErasedHash) item()   {}
func (SeenBody) item()     {}
func (WaitingBody) item()  {}
func (WaitingEvent) item() {}
func (KeptInbound) item()  {}
func (KeptFinding) item()  {}
func (KeptNotice) item()   {}
func (Decision) item()     {}

// OrderedIn is the Why of an Again: in which run the delivery was ordered again.
func OrderedIn(run int64) string { return fmt.Sprintf("ordered again in run %d", run) }
