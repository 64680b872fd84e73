package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// The gates of a Verdict.
const (
	GateOptedOut      = "opted_out"
	GateCooldown      = "cooldown"
	GateWindowClosed  = "window_closed"
	GateWindowUnknown = "window_unknown"
	GateCap           = "frequency_cap"
	GateSent          = "already_sent"
	GateDoubt         = "in_doubt"
	// GateRefused says that the delivery was refused, and the intent is no retry.
	GateRefused = "refused_before"
	// GateAttempt says that the attempt's number, and so its reference, was
	// used already: the plan is older than the state. Verdict.Next is the next
	// free number.
	GateAttempt = "attempt"
)

// WindowMargin is how long before its end a window counts as closed, so that a
// message on its way does not miss it.
const WindowMargin = time.Minute

// Intend implements apply.Recorder. Run 0 is for replies, whose intents name
// what they answer in Inbound; no other process's apply fences them.
func (s *Store) Intend(ctx context.Context, run int64, intents []Intent) ([]Verdict, error) {
	out := make([]Verdict, len(intents))
	err := s.write(ctx, func(t *tx) error {
		if err := t.fence(run); err != nil {
			return err
		}
		next, err := t.nextID(tAttempts)
		if err != nil {
			return err
		}
		for i := range intents {
			in := &intents[i]
			if run == 0 && in.Inbound == 0 {
				return errors.New("an intent outside a run must answer an inbound event; this is a bug in handbill")
			}
			if out[i], err = t.intend(run, next, in); err != nil {
				return err
			}
			if out[i].Attempt != 0 {
				next++
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recording %d intents: %w", len(intents), err)
	}
	return out, nil
}

// fence refuses a run that another apply has overtaken.
func (t *tx) fence(run int64) error {
	if run == 0 {
		return nil
	}
	mine, ok := t.s.runs[run]
	if !ok {
		var err error
		if mine, ok, err = t.c.one("SELECT epoch FROM runs WHERE id = ? AND ended IS NULL", run); err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("run %d is not open; this is a bug in handbill", run)
		}
		t.s.runs[run] = mine
	}
	if now, _, err := t.c.one("SELECT epoch FROM meta"); err != nil || now != mine {
		return errors.Join(err, ErrFenced)
	}
	return nil
}

func (t *tx) intend(run, id int64, in *Intent) (Verdict, error) {
	campaign, err := t.address(in.Campaign)
	if err != nil {
		return Verdict{}, err
	}
	text, err := t.address(in.Message)
	if err != nil {
		return Verdict{}, err
	}
	who, err := t.recipient(in.Recipient)
	if err != nil {
		return Verdict{}, err
	}
	if v, err := t.gates(who, campaign, in); err != nil || v.Gate != "" {
		return v, err
	}
	w := t.insert(tAttempts, id)
	w.int(who)
	w.int(campaign)
	w.int(int64(in.Revision))
	w.int(int64(in.Attempt))
	w.int(run)
	w.int(text)
	w.int(t.now)
	w.blob(in.Digest[:])
	w.blob(in.Body[:16])
	w.packed(packRef(t.s.refHead, in.Ref))
	_, err = w.done()
	return Verdict{Attempt: id}, err
}

// gates re-checks in the transaction what may have changed since the plan.
func (t *tx) gates(who, campaign int64, in *Intent) (Verdict, error) {
	if v, err := t.once(who, campaign, in); err != nil || v.Gate != "" {
		return v, err
	}
	p, known, err := t.c.person(who)
	if err != nil {
		return Verdict{}, err
	}
	if in.Marketing {
		if v, err := t.marketing(&p, known, in); err != nil || v.Gate != "" {
			return v, err
		}
	}
	if in.Window {
		if gate := window(&p, in, t.now); gate != "" {
			return Verdict{Gate: gate}, nil
		}
	}
	if in.CapCount > 0 {
		return t.frequency(who, in)
	}
	return Verdict{}, nil
}

// once lets a delivery through that has no attempt that might have reached the
// person. One that was refused goes again only as a retry.
func (t *tx) once(who, campaign int64, in *Intent) (v Verdict, err error) {
	last := 0
	refused := false
	err = t.c.each(`SELECT a.attempt, o.send FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
		WHERE a.recipient = ? AND a.campaign = ? AND a.revision = ? ORDER BY a.attempt`,
		func(st *sqlite.Stmt) error {
			last = st.ColumnInt(0)
			send := Sending
			if st.ColumnType(1) != sqlite.TypeNull {
				send = Send(st.ColumnInt(1))
			}
			refused = send == Rejected || send == Cancelled
			switch send {
			case Accepted:
				v.Gate = GateSent
			case Sending, InDoubt:
				if v.Gate == "" {
					v.Gate = GateDoubt
				}
			}
			return nil
		}, who, campaign, in.Revision)
	if err != nil || v.Gate != "" {
		return v, err
	}
	switch {
	case refused && !in.Retry:
		v.Gate = GateRefused
	case in.Attempt != last+1:
		v.Gate, v.Next = GateAttempt, last+1
	}
	return v, nil
}

func (t *tx) marketing(p *personRow, known bool, in *Intent) (Verdict, error) {
	if known && p.opt == optOut {
		return Verdict{Gate: GateOptedOut}, nil
	}
	erased, err := t.s.isErased(t.c, in.Recipient)
	if err != nil || erased {
		return Verdict{Gate: GateOptedOut}, err
	}
	if p.cooldown > t.now {
		return Verdict{Gate: GateCooldown, Until: fromMillis(p.cooldown)}, nil
	}
	return Verdict{}, nil
}

// window says why a session message may not go; "" when it may.
func window(p *personRow, in *Intent, now int64) string {
	ends := p.windowEnds()
	// What the audience claims stands unless we found the window closed later
	// than the claim began.
	if claim := millis(in.KnownUntil); claim > ends && p.shut < claim-windowLength {
		ends = claim
	}
	switch {
	case ends > now+WindowMargin.Milliseconds():
		return ""
	case ends == 0 && in.AssumeOpen:
		return ""
	case ends == 0:
		return GateWindowUnknown
	}
	return GateWindowClosed
}

// frequency counts what reached or may have reached the person within the
// cap's time, by any campaign.
func (t *tx) frequency(who int64, in *Intent) (Verdict, error) {
	since := t.now - in.CapPer.Milliseconds()
	var times []int64
	err := t.c.each(`SELECT a.intended FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
		WHERE a.recipient = ? AND a.intended > ? AND a.run <> 0 AND (o.send IS NULL OR o.send IN (2, 4))
		ORDER BY a.intended DESC`,
		func(st *sqlite.Stmt) error {
			times = append(times, st.ColumnInt64(0))
			return nil
		}, who, since)
	if err != nil || len(times) < in.CapCount {
		return Verdict{}, err
	}
	return Verdict{Gate: GateCap, Until: fromMillis(times[in.CapCount-1] + in.CapPer.Milliseconds())}, nil
}

// Recover implements apply.Recorder. Whoever calls it holds the lock: no
// other apply has an attempt open.
func (s *Store) Recover(ctx context.Context) (int, error) {
	return s.recover(ctx, "id > (SELECT recovered FROM meta) AND run > 0", true)
}

// RecoverReplies is Recover for replies, for the start of the one process that
// answers; what it had claimed is to be claimed again.
func (s *Store) RecoverReplies(ctx context.Context) (int, error) {
	n, err := s.recover(ctx, "run = 0", false)
	if err != nil {
		return n, err
	}
	return n, s.write(ctx, func(t *tx) error {
		ids, err := t.c.ints("SELECT id FROM inbound WHERE state = 1")
		if err != nil {
			return err
		}
		return t.setInbound(ids, inboundNew)
	})
}

func (s *Store) recover(ctx context.Context, which string, mark bool) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		last, _, err := t.c.one("SELECT coalesce(max(id), 0) FROM attempts")
		if err != nil {
			return err
		}
		open, err := t.c.ints("SELECT id FROM attempts WHERE " + which + " AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.id = attempts.id)")
		if err != nil {
			return err
		}
		n = len(open)
		for _, id := range open {
			o := outcomeRow{id: id, send: InDoubt, settled: t.now, cause: "interrupted"}
			if err := t.putOutcome(&o, false); err != nil {
				return err
			}
		}
		if !mark {
			return nil
		}
		return t.changeMeta(func(m *metaRow) error { m.recovered = last; return nil })
	})
	if err != nil {
		return 0, fmt.Errorf("settling what an earlier process left open: %w", err)
	}
	return n, nil
}
