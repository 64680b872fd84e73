package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// Erase implements state.Store. The person's deliveries get a random name. A keyed
// hash of the recipient is kept, by which later sends are refused. Backups that
// were made before still hold the person.
func (s *Store) Erase(ctx context.Context, recipient string) error {
	random := make([]byte, 8)
	if _, err := io.ReadFull(s.opt.Rand, random); err != nil {
		return fmt.Errorf("erasing a recipient: %w", err)
	}
	err := s.write(ctx, func(t *tx) error {
		for { // webhooks that wait may be about the person
			n, err := t.fold(foldAll)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
		return t.erase(recipient, state.ErasedPrefix+hex.EncodeToString(random))
	})
	if err != nil {
		return fmt.Errorf("erasing a recipient: %w", err)
	}
	return s.emptyJournal(ctx)
}

// emptyJournal moves everything from the journal into the file and empties it,
// since the journal still holds what was erased. A process that reads the state
// keeps it from being emptied for a while.
func (s *Store) emptyJournal(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	patience, cancel := context.WithTimeout(ctx, emptyPatience)
	defer cancel()
	// SQLite waits for readers, but not for another process that is emptying the
	// journal, as serve and apply do now and then. So try again until that is done.
	again := time.NewTicker(emptyPause)
	defer again.Stop()
	for {
		busy, _, err := s.writer.queryInt("PRAGMA wal_checkpoint(TRUNCATE)")
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

// foldAll is how many webhooks are joined at a time before somebody is erased.
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

// untie takes a person out of their circle and returns all of their ids; none for
// somebody with one id.
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
	c.Circle = left
	return append(keys, textsOf(theirs)...), t.keep(c)
}

// forgetPerson removes what is known under one or two integers of a person.
func (t *tx) forgetPerson(who, other int64) error {
	_, err := t.removeAll(tWindows, "SELECT id FROM windows WHERE person IN (?, ?)", who, other)
	return errors.Join(err, t.remove(tPeople, who), t.remove(tPeople, other), t.remove(tUsernames, who), t.remove(tUsernames, other))
}

// eraseID forgets what is kept under one id in both spellings, removes raw
// events that hold it, and keeps its hash, so that it is never sent to again.
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
	// The hash is the same in both spellings.
	hash := t.s.erasedHash(recipient)
	if _, known, err := t.c.queryInt("SELECT 1 FROM erased WHERE hash = ?", hash); err != nil || known {
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

// erasePerson removes what is known of a recipient and what they wrote, and
// gives their attempts to a pseudonym.
func (t *tx) erasePerson(who int64, name string) error {
	other := otherID(who)
	if err := t.forgetPerson(who, other); err != nil {
		return err
	}
	if _, err := t.removeAll(tInbound, "SELECT id FROM inbound WHERE recipient IN (?, ?)", who, other); err != nil {
		return err
	}
	ids, err := t.c.queryInts("SELECT id FROM attempts WHERE recipient IN (?, ?) ORDER BY id", who, other)
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		// Made while the old name still has its row, so that it gets another integer.
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

// anonymise gives an attempt to a pseudonym and removes what leads back to the
// person: the message id, since WhatsApp's ids hold the phone number, and the
// hashes of the text, which may hold a name, attributes, and the tokens of links.
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
	if err := errors.Join(t.forgetAttributes(id), t.forgetTokens(id)); err != nil {
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
