package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// Resolve settles a delivery that is in doubt, as Accepted or, when a person is
// sure that it was not sent, as Pending. Who and why are written down.
func (s *Store) Resolve(ctx context.Context, key state.Key, as state.Send, who, why string) error {
	err := s.write(ctx, func(t *tx) error {
		// What its provider has told already says more than a person can.
		if err := t.foldWaiting(); err != nil {
			return err
		}
		id, err := t.attemptAt(key)
		if err != nil {
			return err
		}
		o, exists, err := t.c.outcome(id)
		switch {
		case err != nil:
			return err
		case !exists:
			return errors.New("it is being sent now; after a crash, the next apply puts it in doubt")
		case o.send != state.InDoubt:
			return fmt.Errorf("it is %s: %w", o.send, state.ErrSettled)
		}
		if err := delivery.Transition(o.send, as, state.ProofOperator); err != nil {
			return err
		}
		o.send, o.proof, o.settled = as, state.ProofOperator, t.now
		if err := t.putOutcome(&o, true); err != nil {
			return err
		}
		return t.decided(who, fmt.Sprintf("resolved attempt %d as %s", id, as), why)
	})
	if err != nil {
		return fmt.Errorf("resolving a delivery of %s: %w", key.Campaign, err)
	}
	return nil
}

// attemptAt is the newest attempt at a delivery; ErrUnknown for none.
func (t *tx) attemptAt(key state.Key) (int64, error) {
	campaign, err := t.c.addressID(key.Campaign)
	if err != nil {
		return 0, err
	}
	who, err := t.c.recipientID(key.Recipient)
	if err != nil {
		return 0, err
	}
	last, err := t.c.lastAttempt(who, campaign, key.Revision)
	if err == nil && last.id == 0 {
		err = state.ErrUnknown
	}
	return last.id, err
}

// Move gives what is kept under one address to another, which must be free:
// the resource and its deliveries.
func (s *Store) Move(ctx context.Context, from, to string) error {
	err := s.write(ctx, func(t *tx) error {
		moved := 0
		for _, move := range []func(from, to string) (bool, error){t.moveAddress, t.moveResource} {
			ok, err := move(from, to)
			if err != nil {
				return err
			}
			if ok {
				moved++
			}
		}
		if moved == 0 {
			return state.ErrUnknown
		}
		if err := t.readdress(from, to); err != nil {
			return err
		}
		if err := t.moveHalt(from, to); err != nil {
			return err
		}
		t.s.forgetCaches()
		return t.decided("", "moved "+from+" to "+to, "")
	})
	if err != nil {
		return fmt.Errorf("moving %s to %s: %w", from, to, err)
	}
	return nil
}

// moveAddress renames: rows name addresses by number.
func (t *tx) moveAddress(from, to string) (bool, error) {
	id, err := t.c.addressID(from)
	if err != nil {
		return false, err
	}
	if used, err := t.used(id); err != nil || !used {
		return false, err
	}
	taken, err := t.c.addressID(to)
	if err != nil {
		return false, err
	}
	if taken != 0 {
		used, err := t.used(taken)
		if err != nil {
			return false, err
		}
		if used {
			return false, fmt.Errorf("there are deliveries of %s already", to)
		}
		// Nothing hangs on the name; it only stands in the way.
		if err := t.putAddress(taken, fmt.Sprintf("%s (before %d)", to, t.now)); err != nil {
			return false, err
		}
	}
	return true, t.putAddress(id, to)
}

// used reports whether deliveries name an address.
func (t *tx) used(address int64) (bool, error) {
	used, _, err := t.c.one("SELECT EXISTS (SELECT 1 FROM attempts WHERE campaign = ?1 OR message = ?1)", address)
	return used == 1, err
}

func (t *tx) putAddress(id int64, a string) error {
	w := t.replace(tAddresses, id)
	w.text(a)
	_, err := w.done()
	return err
}

func (t *tx) moveResource(from, to string) (bool, error) {
	id, ok, err := t.c.one("SELECT id FROM resources WHERE address = ?", from)
	if err != nil || !ok {
		return false, err
	}
	if _, taken, err := t.c.one("SELECT 1 FROM resources WHERE address = ?", to); err != nil || taken {
		return false, errors.Join(err, fmt.Errorf("there is a %s already", to))
	}
	var r state.Resource
	var refs string
	err = t.c.each("SELECT type, tree, refs FROM resources WHERE id = ?", func(st *sqlite.Stmt) error {
		r = state.Resource{Type: st.ColumnText(0), Tree: columnBlob(st, 1)}
		refs = st.ColumnText(2)
		return nil
	}, id)
	if err != nil {
		return false, err
	}
	w := t.replace(tResources, id)
	w.text(to)
	w.text(r.Type)
	w.text(to[strings.LastIndexByte(to, '.')+1:])
	w.blob(r.Tree)
	w.text(refs)
	_, err = w.done()
	return true, err
}

// Remove forgets a resource and, with a campaign, its deliveries: what was sent
// would be sent again. It returns how many deliveries were forgotten, and
// refuses while one is being sent.
func (s *Store) Remove(ctx context.Context, address string) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		known, err := t.removeAll(tResources, "SELECT id FROM resources WHERE address = ?", address)
		if err != nil {
			return err
		}
		id, err := t.c.addressID(address)
		if err != nil {
			return err
		}
		if n, err = t.removeAttempts("campaign = ?", id); err != nil {
			return err
		}
		if known == 0 && n == 0 {
			return state.ErrUnknown
		}
		if err := t.readdress(address, ""); err != nil {
			return err
		}
		if err := t.moveHalt(address, ""); err != nil {
			return err
		}
		return t.decided("", fmt.Sprintf("removed %s with %d attempts", address, n), "")
	})
	if err != nil {
		return 0, fmt.Errorf("removing %s from the state: %w", address, err)
	}
	return n, nil
}

// importBatch is how many deliveries one transaction takes over.
const importBatch = 500

// Import takes over deliveries that were made elsewhere, as accepted, so that
// they are not made again. Those that the state knows already are left as they
// are. It returns how many were added; after an error, those before it are in.
func (s *Store) Import(ctx context.Context, ds iter.Seq2[state.Delivery, error]) (added int, err error) {
	batch := make([]state.Delivery, 0, importBatch)
	flush := func() error {
		n, err := s.importSome(ctx, batch)
		added += n
		batch = batch[:0]
		return err
	}
	for d, err := range ds {
		if err != nil {
			return added, errors.Join(err, flush())
		}
		if batch = append(batch, d); len(batch) == importBatch {
			if err := flush(); err != nil {
				return added, err
			}
		}
	}
	if err := flush(); err != nil {
		return added, err
	}
	var last int64
	err = s.write(ctx, func(t *tx) (err error) {
		last, _, err = t.c.one("SELECT coalesce(max(id), 0) FROM attempts")
		if err != nil {
			return err
		}
		return t.decided("", fmt.Sprintf("imported %d deliveries", added), "")
	})
	if err == nil && added > 0 {
		s.pack(ctx, last-int64(added))
	}
	return added, err
}

func (s *Store) importSome(ctx context.Context, batch []state.Delivery) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		n = 0
		for i := range batch {
			ok, err := t.importOne(&batch[i])
			if err != nil {
				return err
			}
			if ok {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("importing deliveries: %w", err)
	}
	return n, nil
}

func (t *tx) importOne(d *state.Delivery) (bool, error) {
	_, err := t.attemptAt(d.Key)
	if !errors.Is(err, state.ErrUnknown) {
		return false, err
	}
	campaign, err := t.address(d.Campaign)
	if err != nil {
		return false, err
	}
	text, err := t.address(d.Message)
	if err != nil {
		return false, err
	}
	who, err := t.recipient(d.Recipient)
	if err != nil {
		return false, err
	}
	at := millis(d.Settled)
	if at == 0 {
		at = t.now
	}
	w := t.insert(tAttempts, 0)
	w.int(who)
	w.int(campaign)
	w.int(int64(d.Revision))
	w.int(1)
	w.int(laneImport)
	w.int(text)
	w.int(at)
	w.blob(d.Digest[:])
	w.blob(make([]byte, 16))
	w.packed(packRef(t.s.refHead, d.Ref))
	id, err := w.done()
	if err != nil {
		return false, err
	}
	o := outcomeRow{id: id, send: state.Accepted, proof: state.ProofOperator, settled: at, cause: "import", hash: hash48(d.ID), sentID: packID(d.ID)}
	return true, t.accept(&o, false, d.ID)
}

// Erase forgets a person everywhere: what was written, known and received. The
// deliveries stay for the counts, under a random name and without their ids.
// What is kept is a keyed hash, so that nothing is ever sent to that recipient
// again. Backups that were made before still hold the person.
func (s *Store) Erase(ctx context.Context, recipient string) error {
	random := make([]byte, 8)
	if _, err := io.ReadFull(s.opt.Rand, random); err != nil {
		return fmt.Errorf("erasing a recipient: %w", err)
	}
	err := s.write(ctx, func(t *tx) error {
		for { // what is in the inbox may be about the person
			n, err := t.fold(foldAll)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
		return t.erase(recipient, erasedPrefix+hex.EncodeToString(random))
	})
	if err != nil {
		return fmt.Errorf("erasing a recipient: %w", err)
	}
	return s.emptyJournal(ctx)
}

// emptyJournal writes everything into the one file: the journal holds old pages
// until then. Whoever reads the state may keep it from being emptied for a
// while.
func (s *Store) emptyJournal(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	patience, cancel := context.WithTimeout(ctx, emptyPatience)
	defer cancel()
	// SQLite waits for readers by itself, and for another process that empties
	// the journal, as serve and apply do now and then, not at all.
	again := time.NewTicker(emptyPause)
	defer again.Stop()
	for {
		busy, _, err := s.writer.one("PRAGMA wal_checkpoint(TRUNCATE)")
		if err != nil {
			return fmt.Errorf("emptying the journal: %w", err)
		}
		if busy == 0 {
			return nil
		}
		select {
		case <-again.C:
		case <-patience.Done():
			return errors.New("the person is erased, and nothing is sent to them again; but another process reads the state, so that its journal still holds what was there. Run the command again when that process has ended")
		}
	}
}

// emptyPatience is how long emptying the journal is tried, and emptyPause how
// long until it is tried again.
const (
	emptyPatience = 2 * busyTimeout
	emptyPause    = 5 * time.Millisecond
)

const foldAll = 1000

// erase forgets a person under every id of theirs.
func (t *tx) erase(recipient, name string) error {
	who, err := t.c.recipientID(recipient)
	if err != nil {
		return err
	}
	keys, err := t.untie(who)
	if err != nil {
		return err
	}
	if err := t.eraseID(recipient, name); err != nil {
		return err
	}
	for i, key := range keys {
		if message.Canonical(key) == message.Canonical(recipient) {
			continue
		}
		if err := t.eraseID(key, fmt.Sprintf("%s.%d", name, i+1)); err != nil {
			return err
		}
	}
	return nil
}

// untie forgets all that was told of a person and their ids, and returns those.
func (t *tx) untie(who int64) (keys []string, err error) {
	person, err := t.c.tiedTo(who)
	if err != nil || person == 0 {
		return nil, err
	}
	key, err := t.c.recipientText(canonicalID(who))
	if err != nil {
		return nil, err
	}
	c, err := t.gather(key)
	if err != nil {
		return nil, err
	}
	left, theirs := c.Without(delivery.ID(key))
	for _, id := range theirs {
		keys = append(keys, string(id))
	}
	c.Circle = left
	return keys, t.keep(c)
}

// forgetPerson removes what is kept under the one or two numbers of a person.
func (t *tx) forgetPerson(who, other int64) error {
	_, err := t.removeAll(tWindows, "SELECT id FROM windows WHERE person IN (?, ?)", who, other)
	return errors.Join(err, t.remove(tPeople, who), t.remove(tPeople, other), t.remove(tUsernames, who), t.remove(tUsernames, other))
}

func (t *tx) eraseID(recipient, name string) error {
	who, err := t.c.recipientID(recipient)
	if err != nil {
		return err
	}
	spellings := []string{recipient}
	if other := message.OtherSpelling(recipient); other != "" {
		spellings = append(spellings, other)
	}
	if who != 0 {
		if err := t.erasePerson(who, name); err != nil {
			return err
		}
	}
	// Events that are kept as they came name people in their own ways.
	for _, spelling := range spellings {
		needle := strings.TrimPrefix(spelling, "+")
		for tab, col := range map[table]string{tOrphans: "event", tNotices: "raw"} {
			if _, err := t.removeAll(tab, "SELECT id FROM "+tab.String()+" WHERE instr("+col+", CAST(? AS BLOB)) > 0", needle); err != nil {
				return err
			}
		}
	}
	hash := t.s.erasedHash(recipient)
	if _, known, err := t.c.one("SELECT 1 FROM erased WHERE hash = ?", hash); err != nil || known {
		return err
	}
	w := t.insert(tErased, 0)
	w.blob(hash)
	w.int(t.now)
	if _, err := w.done(); err != nil {
		return err
	}
	return t.decided("", "erased a recipient", "")
}

func (t *tx) erasePerson(who int64, name string) error {
	other := otherID(who)
	if err := t.forgetPerson(who, other); err != nil {
		return err
	}
	if _, err := t.removeAll(tInbound, "SELECT id FROM inbound WHERE recipient IN (?, ?)", who, other); err != nil {
		return err
	}
	ids, err := t.c.ints("SELECT id FROM attempts WHERE recipient IN (?, ?) ORDER BY id", who, other)
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		// Beside the old name, whose number it must not have.
		pseudonym, err := t.recipient(name)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := t.anonymise(id, pseudonym); err != nil {
				return err
			}
		}
	}
	if who < 0 {
		return t.remove(tNames, -who)
	}
	return nil
}

// anonymise gives an attempt to another recipient and takes away what leads
// back: WhatsApp's ids hold the phone number, and the hash of the body is one
// of a text with a name in it.
func (t *tx) anonymise(id, to int64) error {
	var campaign, revision, attempt, lane, text, intended int64
	var ref any
	err := t.c.each("SELECT campaign, revision, attempt, lane, message, intended, ref FROM attempts WHERE id = ?", func(st *sqlite.Stmt) error {
		campaign, revision, attempt = st.ColumnInt64(0), st.ColumnInt64(1), st.ColumnInt64(2)
		lane, text, intended, ref = st.ColumnInt64(3), st.ColumnInt64(4), st.ColumnInt64(5), columnPacked(st, 6)
		return nil
	}, id)
	if err != nil {
		return err
	}
	if err := t.remove(tAttempts, id); err != nil {
		return err
	}
	o, settled, err := t.c.outcome(id)
	if err != nil {
		return err
	}
	if settled {
		if err := t.remove(tOutcomes, id); err != nil {
			return err
		}
	}
	w := t.insert(tAttempts, id)
	for _, v := range [...]int64{to, campaign, revision, attempt, lane, text, intended} {
		w.int(v)
	}
	w.blob(make([]byte, 16))
	w.blob(make([]byte, 16))
	w.packed(ref)
	if _, err := w.done(); err != nil || !settled {
		return err
	}
	o.hash, o.sentID = 0, nil
	return t.putOutcome(&o, false)
}
