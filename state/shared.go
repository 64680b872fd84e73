package state

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
)

// Shared is a Store whose runs several machines drive. A run that was begun with a Carried is open until each of its
// lanes is done. A lane has one owner, for as long as its limit: each Turn through it begins the limit anew, and a Turn
// without outcomes and intents does nothing else. Whoever takes a lane over gets a higher epoch, so that the owner before
// is fenced. Limits are measured by the state's clock. Several servers answer at one number, each through a lane of its own.
type Shared interface {
	Store
	// OpenRuns lists the runs that are open, oldest first.
	OpenRuns(ctx context.Context) ([]OpenRun, error)
	// Carried writes the plan that an open run was begun with.
	Carried(ctx context.Context, run int64, w io.Writer) error
	// TakeOver makes a process the owner of a lane of an open run, and puts in doubt what was left open in that lane, doubts
	// of them. It fails with ErrOwned when the lane has an owner whose limit is not over, when it is done, and when the run
	// is stopped or over; and with a *HaltError while the whole state is halted.
	TakeOver(ctx context.Context, run int64, number string, by Owner) (lane Lane, doubts int, err error)
	// SoFar says what a run came to in one campaign, of which its first and its last answers are asked for.
	SoFar(ctx context.Context, run int64, campaign string, revision, first, last int) (SoFar, error)
	// GiveBack ends the limit of a lane at once, so that somebody else can take it. A lane that was taken already stays so.
	GiveBack(ctx context.Context, lane Lane) error
	// StopRun stops an open run, or lets a stopped one go on: of a stopped run no lane can be taken over. It fails with
	// ErrUnknown when no such run is open.
	StopRun(ctx context.Context, run int64, stop bool, who string) error
	// JoinReplies takes a lane of a sending number for a server that answers there beside others. The lane has a limit, which
	// Renew begins anew too. Claims of the lane are its own: nobody else gets these events, nor later ones of the same
	// person, before they are answered. Servers that took the number by RecoverReplies are fenced.
	JoinReplies(ctx context.Context, number string, by Owner) (Lane, error)
	// Answering lists the sending numbers, in order, at which servers answer beside each other now.
	Answering(ctx context.Context) ([]string, error)
	// Renew begins the limits of lanes of replies anew. It fails with ErrFenced when one of them is over.
	Renew(ctx context.Context, lanes ...Lane) error
	// RecoverServers ends the lanes of replies whose limit is over: what they left open is in doubt, doubts of them, and what
	// they had claimed is free. It returns whose lanes those were. Lanes of others are left alone. GiveBack does the same for
	// one lane at once.
	RecoverServers(ctx context.Context) (owners []Owner, doubts int, err error)
	// SweepOrphans joins events that wait for a message which the state knows by now, and returns of how many messages. Each
	// call looks at the events that came since the call before the last one; the first one at all.
	SweepOrphans(ctx context.Context) (int, error)
	// Announce says for AnnounceLife that a worker is there, and Retire that it is gone.
	Announce(ctx context.Context, w Worker) error
	Retire(ctx context.Context, id string) error
	// Now is the time by the state's clock.
	Now(ctx context.Context) (time.Time, error)
	// Workers lists the workers that are there, by their id.
	Workers(ctx context.Context) ([]Worker, error)
}

// LaneLimit is how long a lane of an open run belongs to its owner after the owner's last Turn.
const LaneLimit = 10 * time.Second

// AnnounceLife is how long a worker counts as there after it announced itself.
const AnnounceLife = 15 * time.Second

// Carried is what a run leaves in the state, so that any process can carry it on.
type Carried struct {
	// Plan writes the plan. It may be called again.
	Plan func(w io.Writer) error
	// Hold are the campaigns whose templates are not sent in the run, and why.
	Hold map[string]delivery.Reason
	// Owner takes the run's lanes at once; with Detach nobody does, and they wait for workers.
	Owner  Owner
	Detach bool
}

// SoFar is what a run came to in one campaign, for a process that carries it on. An attempt that was surely not taken is
// no answer.
type SoFar struct {
	Answers int       // how many there are
	First   time.Time // when the last of the first answers came; zero while there are fewer
	Last    []bool    // of the last answers, oldest first: was it a failure. What an owner before left in doubt is not among them
	Failed  int       // accepted deliveries that failed since
}

// Owner is a process that drives lanes.
type Owner struct {
	ID      string `json:"id"` // random
	Kind    string `json:"kind"`
	Who     string `json:"who"`
	Host    string `json:"host"`
	PID     int    `json:"pid"`
	Version string `json:"version"`
}

// The kinds of Owner.
const (
	OwnerApply  = "apply"
	OwnerWorker = "worker"
	OwnerServe  = "serve"
)

// String names the process for people.
func (o Owner) String() string { return fmt.Sprintf("%s on %s (pid %d)", o.Kind, o.Host, o.PID) }

// OpenRun is a run of which lanes are not done.
type OpenRun struct {
	Run
	Hold     map[string]delivery.Reason
	Detached bool // it was left to workers
	Stopped  bool
	Lanes    []OpenLane // all of them, in the order of their numbers
}

// OpenLane is a lane of an open run.
type OpenLane struct {
	Number string
	Done   bool
	Owner  Owner         // the last one; zero for none, also after a GiveBack
	Since  time.Time     // when the owner took it; zero for none
	Left   time.Duration // of the owner's limit; not above 0 when it is over
}

// Owned reports whether somebody has the lane now.
func (l *OpenLane) Owned() bool { return !l.Done && l.Left > 0 && l.Owner.ID != "" }

// Worker is a process that drives runs of others.
type Worker struct {
	Owner
	// Numbers are the sending numbers for which it has the credentials, under the configuration with the digest Config.
	Numbers []string `json:"numbers"`
	Config  string   `json:"config"`
}

// Owned reports whether somebody owns one of the run's lanes now.
func (r *OpenRun) Owned() bool {
	return slices.ContainsFunc(r.Lanes, func(l OpenLane) bool { return l.Owned() })
}

// Driven reports whether somebody drives the run or will: an owner of one of its lanes, or a worker for one of them. A run
// that was left to workers waits for them, unless it is stopped.
func (r *OpenRun) Driven(workers []Worker) bool {
	for i := range r.Lanes {
		l := &r.Lanes[i]
		if l.Owned() {
			return true
		}
		if !l.Done && !r.Stopped && (r.Detached || slices.ContainsFunc(workers, func(w Worker) bool { return slices.Contains(w.Numbers, l.Number) })) {
			return true
		}
	}
	return false
}

// Shares lists the sending numbers and campaigns that only one of an open run and a run that is about to begin can have:
// numbers of lanes that are not done, and campaigns of both of which one of them has something to send.
func (r *OpenRun) Shares(with *Run) (both []string) {
	for i := range r.Lanes {
		if l := &r.Lanes[i]; !l.Done && slices.ContainsFunc(with.Lanes, func(o Lane) bool { return o.Number == l.Number }) {
			both = append(both, l.Number)
		}
	}
	// An older handbill did not say which campaigns are open.
	old := !slices.ContainsFunc(r.Campaigns, func(c CampaignRun) bool { return c.Open })
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		if slices.ContainsFunc(with.Campaigns, func(o CampaignRun) bool { return o.Campaign == c.Campaign && (o.Open || c.Open || old) }) {
			both = append(both, c.Campaign)
		}
	}
	return both
}

// OpenRunError says that a run is open and driven, so that what it has belongs to it: with Shares, these numbers and
// campaigns, which another run would have too.
type OpenRunError struct {
	Run    OpenRun
	Shares []string
}

func (e *OpenRunError) Error() string {
	var by []string
	for i := range e.Run.Lanes {
		if l := &e.Run.Lanes[i]; l.Owned() {
			by = append(by, fmt.Sprintf("%s drives %s since %s", l.Owner, l.Number, l.Since.UTC().Format(time.RFC3339)))
		}
	}
	who := "it waits for workers"
	if len(by) > 0 {
		who = strings.Join(by, ", ")
	}
	has := ""
	if len(e.Shares) > 0 {
		has = ", and has " + strings.Join(e.Shares, ", ")
	}
	return fmt.Sprintf("run %d is not over%s: %s. \"handbill run follow %d\" shows how far it is, and \"handbill run stop %d\" stops it", e.Run.ID, has, who, e.Run.ID, e.Run.ID)
}
