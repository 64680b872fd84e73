package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	sqlitedb "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/plan/planfile"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// openPlan reads a saved plan.
func openPlan(path string) (*plan.Plan, *planfile.ConfigSnapshot, *os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, nil, err
	}
	p, snap, err := planfile.Read(f, info.Size())
	return p, snap, f, err
}

// savedPlan copies a saved plan: it reads and writes all of it. Arguments: the
// saved plan and the copy. The result is in seconds.
func savedPlan(args []string) (any, error) {
	started := time.Now()
	p, snap, f, err := openPlan(args[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out, err := os.Create(args[1])
	if err != nil {
		return nil, err
	}
	defer out.Close()
	err = errors.Join(planfile.Write(out, p, *snap), out.Sync())
	return time.Since(started).Seconds(), err
}

// countState is the bare loop to compare with status: it steps through the
// attempts with their outcomes and counts them. Arguments: the state's file.
func countState(args []string) (n any, err error) {
	c, err := sqlitedb.OpenConn(args[0], sqlitedb.OpenReadOnly)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	counts, rows := map[[2]int64]int{}, 0
	err = sqlitex.ExecuteTransient(c, "SELECT campaign, send FROM attempts LEFT JOIN outcomes USING (id)", &sqlitex.ExecOptions{
		ResultFunc: func(st *sqlitedb.Stmt) error {
			counts[[2]int64{st.ColumnInt64(0), st.ColumnInt64(1)}]++
			rows++
			return nil
		},
	})
	return rows, err
}

func openState(path string, clock func() time.Time) (*sqlite.Store, error) {
	return sqlite.Open(context.Background(), sqlite.Options{Path: path, Clock: clock, Rand: rand.Reader})
}

// fillState makes a state in which every recipient of a saved plan was sent to, as
// one apply would leave it. Arguments: the saved plan and the state's file.
func fillState(args []string) (any, error) {
	p, _, f, err := openPlan(args[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ctx := context.Background()
	s, err := openState(args[1], time.Now)
	if err != nil {
		return nil, err
	}
	resources, err := p.StateResources()
	if err != nil {
		return nil, err
	}
	c := &p.Campaigns[0]
	run := state.Run{Lanes: []state.Lane{{Number: c.Provider}}, Started: time.Now(), Plan: p.Digest, Campaigns: []state.CampaignRun{{Campaign: c.Address, Revision: c.Revision, Planned: c.Counts.Sends()}}}
	if run, err = s.Begin(ctx, run, resources); err != nil {
		return nil, err
	}
	n, err := fill(ctx, s, p, run.Lanes[0])
	if err != nil {
		return nil, err
	}
	run.Ended, run.Campaigns[0].Accepted = time.Now(), n
	if err := s.Finish(ctx, run); err != nil {
		return nil, err
	}
	return n, s.Close()
}

// someNumber is a sending number for deliveries of no plan in these benchmarks.
const someNumber = "provider.sandbox.main"

// sentID is the provider's id of an attempt's message.
func sentID(attempt int64) string {
	return fmt.Sprintf("wamid.HBgN%013dFQIAERgS%012dA", attempt*7919, attempt)
}

func fill(ctx context.Context, s *sqlite.Store, p *plan.Plan, lane state.Lane) (n int, err error) {
	c := &p.Campaigns[0]
	var intents []state.Intent
	flush := func() error {
		verdicts, err := s.Intend(ctx, lane, intents)
		if err != nil {
			return err
		}
		outcomes := make([]state.Outcome, 0, len(verdicts))
		for _, v := range verdicts {
			if v.Attempt == 0 {
				return fmt.Errorf("gate %s", v.Gate)
			}
			n++
			outcomes = append(outcomes, state.Outcome{Attempt: v.Attempt, Send: state.Accepted, Proof: state.ProofResponse,
				ID: sentID(v.Attempt), At: time.Now()})
		}
		intents = intents[:0]
		return s.Settle(ctx, lane, outcomes)
	}
	for e, err := range p.Entries() {
		if err != nil {
			return n, err
		}
		if !e.Action.Sends() {
			continue
		}
		key := e.Recipient.Key()
		intents = append(intents, state.Intent{
			Key: state.Key{Campaign: c.Address, Recipient: key, Revision: c.Revision}, To: e.Recipient.Address, Attempt: 1,
			Ref: message.NewRef(p.Lineage, c.Address, key, c.Revision, 1), Message: c.Message, Digest: e.Digest,
			Marketing: true, Window: true, KnownUntil: e.WindowUntil,
		})
		if len(intents) == 2000 {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, flush()
}

// strangers are people who are not in the audience.
func strangers(n, revision int) []state.Intent {
	list := make([]state.Intent, n)
	for i := range list {
		phone := fmt.Sprintf("+4916%09d", i)
		list[i] = state.Intent{Key: state.Key{Campaign: "campaign.spring", Recipient: phone, Revision: revision},
			To: message.Address{Phone: phone}, Attempt: 1, Message: "list_message.browse"}
	}
	return list
}

// dieSending writes intents and is killed before any answer. Arguments: the state's
// file.
func dieSending(args []string) (any, error) {
	ctx := context.Background()
	s, err := openState(args[0], time.Now)
	if err != nil {
		return nil, err
	}
	run, err := s.Begin(ctx, state.Run{Started: time.Now(), Lanes: []state.Lane{{Number: someNumber}}}, nil)
	if err != nil {
		return nil, err
	}
	if _, err := s.Intend(ctx, run.Lanes[0], strangers(flights, 1)); err != nil {
		return nil, err
	}
	return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// takeUp does what the next apply does before it sends. Arguments: the state's
// file. The result is in seconds.
func takeUp(args []string) (any, error) {
	ctx := context.Background()
	started := time.Now()
	s, err := openState(args[0], time.Now)
	if err != nil {
		return nil, err
	}
	if _, err := s.Begin(ctx, state.Run{Started: time.Now(), Lanes: []state.Lane{{Number: someNumber}}}, nil); err != nil {
		return nil, err
	}
	doubts, err := s.Recover(ctx, someNumber)
	took := time.Since(started).Seconds()
	if err == nil && doubts != flights {
		err = fmt.Errorf("%d in doubt of %d", doubts, flights)
	}
	return took, errors.Join(err, s.Close())
}

// pruned is the result of pruning.
type pruned struct {
	Rows    int
	Seconds float64
}

// pruneState prunes all deliveries two months later, when the campaign has another
// revision. Arguments: the state's file.
func pruneState(args []string) (any, error) {
	ctx := context.Background()
	later := func() time.Time { return time.Now().AddDate(0, 2, 0) }
	s, err := openState(args[0], later)
	if err != nil {
		return nil, err
	}
	run, err := s.Begin(ctx, state.Run{Started: later(), Lanes: []state.Lane{{Number: someNumber}}}, nil)
	if err != nil {
		return nil, err
	}
	if _, err := s.Intend(ctx, run.Lanes[0], strangers(1, 2)); err != nil {
		return nil, err
	}
	started := time.Now()
	n, err := s.Prune(ctx, later().Add(-time.Hour))
	out := pruned{Rows: n, Seconds: time.Since(started).Seconds()}
	return out, errors.Join(err, s.Close())
}
