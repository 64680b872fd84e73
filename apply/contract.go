package apply

import (
	"context"
	"time"

	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// Recorder is the state as apply needs it. It is safe for concurrent use.
type Recorder interface {
	// Begin opens a run: it raises the epoch and the serial, records the
	// resources and the planned counts, takes the sending numbers of r.Lanes, and
	// returns the run with its id and lanes.
	Begin(ctx context.Context, r state.Run, resources []state.Resource) (state.Run, error)
	// Recover turns every Sending that earlier runs left at a sending number into
	// InDoubt, durably, and returns how many it found.
	Recover(ctx context.Context, number string) (int, error)
	// Turn records, in one durable transaction, the outcomes of answers that
	// came and then the intents of what goes next.
	//
	// An outcome for an attempt that an event has already settled is joined, never
	// overwritten. For each intent, Turn checks again that no gate closed since the
	// plan: opt-outs, cool-downs, windows, caps, a delivery that exists already,
	// another message to the person a moment ago, the slots of the lane's number;
	// the verdicts are in the order of the intents. After an error nothing may be
	// sent, and it is not known whether the outcomes are recorded. If the error
	// wraps state.ErrFenced, another run has taken the lane's number: then the
	// outcomes are recorded and the intents are not. Turn keeps neither slice.
	Turn(ctx context.Context, lane state.Lane, outcomes []state.Outcome, intents []state.Intent) ([]state.Verdict, error)
	// HoldOut records durably that recipients get nothing of a campaign, and returns
	// how many of them are held out now. Those whose delivery is recorded stay as they
	// are. It fails as Turn does; an error that wraps state.ErrFenced has the same cause.
	HoldOut(ctx context.Context, lane state.Lane, who []state.Key) (int, error)
	// Slots takes many slots of a sending number, for messages that missed theirs
	// and whose intents are durable. It returns the first; the others follow a.Gap
	// apart. After an error those messages must not leave.
	Slots(ctx context.Context, number string, a pace.Ask, many int) (first time.Time, err error)
	// Tally counts what the state holds of one campaign revision now.
	Tally(ctx context.Context, campaign string, revision int) (state.Tally, error)
	// Halt records durably that a campaign sends nothing until a person has looked.
	// The first reason stands. Another run may have begun since ours.
	Halt(ctx context.Context, h state.Halt) error
	// Halts returns the campaigns that are halted, without those that Begin was
	// told to resume.
	Halts(ctx context.Context) ([]state.Halt, error)
	// Finish closes the run with its final counts.
	Finish(ctx context.Context, r state.Run) error
}
