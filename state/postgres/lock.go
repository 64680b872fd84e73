package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

const (
	// lockLife is how long a lock holds if it is not renewed. After a process was
	// killed, the next one waits that long.
	lockLife = 15 * time.Second
	// lockPoll is how often a held lock is tried again.
	lockPoll = 250 * time.Millisecond
)

// Locked is a held lock. It is renewed until Unlock, by the database's clock.
type Locked struct {
	s        *Store
	name, id string
	lost     atomic.Bool
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// Lock takes a lock of the state, waiting up to timeout. When somebody else holds it
// the error is a *state.LockedError.
func Lock(ctx context.Context, o Options, name string, info state.LockInfo, timeout time.Duration) (*Locked, error) {
	return lock(ctx, o, name, info, timeout)
}

// LockShared takes a lock of the state that many may hold at once, and nobody while
// somebody has the name by Lock.
func LockShared(ctx context.Context, o Options, name string, info state.LockInfo) (*Locked, error) {
	return lock(ctx, o, name+"/"+info.ID, info, 0)
}

func lock(ctx context.Context, o Options, name string, info state.LockInfo, timeout time.Duration) (*Locked, error) {
	s, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	l := &Locked{s: s, name: name, id: info.ID}
	if err := l.take(ctx, info, timeout); err != nil {
		s.Close()
		return nil, err
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	l.done.Go(func() { l.renew(ctx) })
	return l, nil
}

// besides chooses locks under other names that keep a lock from being taken: those
// that many hold of its name, or the one that somebody has of theirs alone.
const besides = "o.until > clock_timestamp() AND (starts_with(o.name, $1 || '/') OR starts_with($1, o.name || '/'))"

func (l *Locked) take(ctx context.Context, info state.LockInfo, timeout time.Duration) error {
	data, err := json.Marshal(info)
	if err != nil {
		return err
	}
	const sql = `INSERT INTO locks (name, id, info, until) SELECT $1::text, $2, $3::bytea, clock_timestamp() + $4 * interval '1 millisecond'
		WHERE NOT EXISTS (SELECT FROM locks o WHERE ` + besides + `)
		ON CONFLICT (name) DO UPDATE SET id = excluded.id, info = excluded.info, until = excluded.until WHERE locks.until < clock_timestamp()`
	for waited := time.Duration(0); ; waited += lockPoll {
		n := 0
		err := l.s.write(ctx, func(t *tx) error { // one after another, so that nobody misses a row that is just written
			t.exec("DELETE FROM locks WHERE strpos(name, '/') > 0 AND until < clock_timestamp()")
			n = t.exec(sql, l.name, l.id, data, lockLife.Milliseconds())
			return nil
		})
		if err != nil {
			return named(err, "locking the state")
		}
		if n == 1 {
			return nil
		}
		if waited >= timeout {
			return l.heldBy(ctx)
		}
		if err := pace.Sleep(ctx, lockPoll); err != nil {
			return err
		}
	}
}

// heldBy returns the error that says who holds the lock.
func (l *Locked) heldBy(ctx context.Context) error {
	held := &state.LockedError{Path: l.s.Name()}
	err := l.s.read(ctx, func(t *tx) error {
		var data []byte
		if t.one("SELECT info FROM locks o WHERE o.name = $1 OR "+besides+" ORDER BY o.name LIMIT 1", args(l.name), &data) {
			_ = json.Unmarshal(data, &held.Info) // the lock is held even if the info is unreadable
		}
		return nil
	})
	return errors.Join(err, held)
}

// renew renews the lock. It counts as lost only if another process has it or it was
// broken, not if the database does not answer.
func (l *Locked) renew(ctx context.Context) {
	for pace.Sleep(ctx, lockLife/3) == nil {
		n, err := l.s.change(ctx, "UPDATE locks SET until = clock_timestamp() + $3 * interval '1 millisecond' WHERE name = $1 AND id = $2", l.name, l.id, lockLife.Milliseconds())
		if err == nil && n == 0 {
			l.lost.Store(true)
			return
		}
	}
}

// Held reports whether the lock was still ours at the last check, which is made
// every lockLife/3.
func (l *Locked) Held() bool { return !l.lost.Load() }

// Unlock gives the lock back.
func (l *Locked) Unlock() error {
	l.stop()
	l.done.Wait()
	_, err := l.s.change(context.Background(), "DELETE FROM locks WHERE name = $1 AND id = $2", l.name, l.id)
	return errors.Join(named(err, "unlocking the state"), l.s.Close())
}

// ForceUnlock breaks the lock with the given id. Whoever holds it is fenced by the
// next run: its intents fail.
func (s *Store) ForceUnlock(ctx context.Context, id string) error {
	err := s.write(ctx, func(t *tx) error {
		if t.exec("DELETE FROM locks WHERE id = $1", id) > 0 || t.err != nil {
			return t.err
		}
		if ids := t.texts("SELECT id FROM locks WHERE until > clock_timestamp() ORDER BY name"); len(ids) > 0 {
			return fmt.Errorf("the lock of the state %s has the id %s, not %s", s.Name(), strings.Join(ids, " or "), id)
		}
		return fmt.Errorf("the state %s is not locked", s.Name())
	})
	return err
}

// Name returns where the state is, without the connection string.
func (s *Store) Name() string { return s.opt.Name() }

// Name returns where a state is, without the connection string.
func (o *Options) Name() string {
	schema := o.Schema
	if schema == "" {
		schema = defaultSchema
	}
	return "PostgreSQL, schema " + schema
}
