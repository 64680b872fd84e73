package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
)

// table is a table whose rows carry a checksum in their last column. Its number is
// part of the checksum and never changes.
type table int64

// The tables by their numbers. A new table goes to the end.
const (
	tMeta table = iota + 1
	tAddresses
	tNames
	tAttempts
	tOutcomes
	tStatuses
	tPeople
	tErased
	tResources
	tBlobs
	tRuns
	tInbox
	tSeen
	tOrphans
	tInbound
	tNotices
	tFindings
	tDecisions
	tSuperseded
	tBlocks
	tWindows
	tTies
	tUsernames
	tBillings
	tCircles
	tLanes
	tManaged
	tProducts
	tChoices
	tLinks
)

// tables are the names and numbers of columns, the checksum not counted.
var tables = [...]struct {
	name    string
	columns int
}{
	tMeta:       {"meta", 7},       // one row: lineage, serial, epoch, halt
	tAddresses:  {"addresses", 2},  // of resources and sending numbers
	tNames:      {"names", 2},      // user ids, and pseudonyms of who was erased
	tAttempts:   {"attempts", 11},  // one request for one delivery
	tOutcomes:   {"outcomes", 9},   // by the id of the attempt
	tStatuses:   {"statuses", 7},   // by the id of the attempt
	tPeople:     {"people", 12},    // by the integer of a person
	tErased:     {"erased", 3},     // keyed hashes
	tResources:  {"resources", 6},  // of the last apply
	tBlobs:      {"blobs", 3},      // whatever is kept under a name
	tRuns:       {"runs", 8},       // applies
	tInbox:      {"inbox", 5},      // accepted webhooks that wait
	tSeen:       {"seen", 4},       // hashes of accepted webhooks
	tOrphans:    {"orphans", 6},    // events about unknown messages
	tInbound:    {"inbound", 11},   // what people wrote
	tNotices:    {"notices", 7},    // about the account, or not understood
	tFindings:   {"findings", 5},   // contradictions
	tDecisions:  {"decisions", 5},  // who decided what, and why
	tSuperseded: {"superseded", 3}, // accepted attempts that were ordered again
	tBlocks:     {"sheets", 6},     // see block
	tWindows:    {"windows", 5},    // of a person at a sending number
	tTies:       {"ties", 9},       // which id is whose
	tUsernames:  {"usernames", 3},  // by the integer of a person
	tBillings:   {"billings", 7},   // prices, by the id of the attempt
	tCircles:    {"circles", 2},    // what was told about ids
	tLanes:      {"lanes", 7},      // sending numbers as runs and servers took them
	tManaged:    {"managed", 3},    // what the configuration looks after in accounts
	tProducts:   {"products", 5},   // of managed catalogs
	tChoices:    {"choices", 4},    // arms, variants and attributes, by the id of the attempt
	tLinks:      {"links", 6},      // in messages, with a token for each recipient
}

// String is the name of the table in SQL.
func (t table) String() string { return tables[t].name }

// values is "(?, ?, …)" for a row of t with its checksum.
func (t table) values() string {
	return " VALUES (" + strings.Repeat("?, ", tables[t].columns) + "?)"
}

// sumMask bounds checksums and their sums to 48 bits, which SQLite stores in
// six bytes.
const sumMask = 1<<48 - 1

// hasher computes the checksum of a row: SHA-256 over the lineage, the number of
// the table and each column with its type, cut to 48 bits. A row that a disk or a
// person changed keeps its checksum with a chance of one in 2^48.
type hasher struct {
	buf []byte
}

// start begins the checksum of a row of a table.
func (h *hasher) start(key []byte, t table) {
	h.buf = append(append(h.buf[:0], key...), byte(t))
}

// null adds a column that is NULL. Each kind of value begins with a byte of its
// own, so that no two rows give the same bytes.
func (h *hasher) null() { h.buf = append(h.buf, 0) }

// int adds an integer.
func (h *hasher) int(v int64) {
	h.buf = binary.BigEndian.AppendUint64(append(h.buf, 1), uint64(v))
}

// text adds a text with its length.
func (h *hasher) text(v string) {
	h.buf = append(binary.BigEndian.AppendUint32(append(h.buf, 2), uint32(len(v))), v...)
}

// blob adds bytes with their length.
func (h *hasher) blob(v []byte) {
	h.buf = append(binary.BigEndian.AppendUint32(append(h.buf, 3), uint32(len(v))), v...)
}

// sum is the checksum.
func (h *hasher) sum() int64 {
	sum := sha256.Sum256(h.buf)
	return int64(binary.BigEndian.Uint64(sum[:8])) & sumMask
}

// rowWriter binds the columns of one row in order and hashes them on the way.
type rowWriter struct {
	tx    *tx // the transaction that it belongs to
	table table
	id    int64        // of the row
	st    *sqlite.Stmt // bound column by column
	col   int          // the last column that was bound
	err   error        // the first error; the rest does nothing
}

// insert starts a new row; a conflict is an error. An id of 0 lets SQLite
// choose the next, which costs a look-up.
func (t *tx) insert(tab table, id int64) *rowWriter {
	return t.start("INSERT INTO ", tab, id)
}

// replace starts a row that takes the place of the one with the same id, if
// there is one.
func (t *tx) replace(tab table, id int64) *rowWriter {
	if t.err == nil {
		_, t.err = t.forget(tab, id)
	}
	return t.start("INSERT OR REPLACE INTO ", tab, id)
}

// start prepares the statement of a row and binds its id.
func (t *tx) start(verb string, tab table, id int64) *rowWriter {
	w := &t.writer
	*w = rowWriter{tx: t, table: tab, id: id, err: t.err}
	if w.err == nil && w.id == 0 {
		w.id, w.err = t.nextID(tab)
	}
	if w.err != nil {
		return w
	}
	if w.st, w.err = t.c.Prepare(t.c.sql(verb, tab)); w.err != nil {
		return w
	}
	t.hash.start(t.s.key, tab)
	w.int(w.id)
	return w
}

// int, bool, null, text and blob write the next column. After an error they do
// nothing, and done returns it.
func (w *rowWriter) int(v int64) {
	if w.err == nil {
		w.col++
		w.st.BindInt64(w.col, v)
		w.tx.hash.int(v)
	}
}

// bool writes 1 or 0.
func (w *rowWriter) bool(v bool) {
	w.int(asInt(v))
}

// null writes NULL, which the checksum tells from any value.
func (w *rowWriter) null() {
	if w.err == nil {
		w.col++
		w.st.BindNull(w.col)
		w.tx.hash.null()
	}
}

// maybe writes NULL for 0.
func (w *rowWriter) maybe(v int64) {
	if v == 0 {
		w.null()
		return
	}
	w.int(v)
}

// text writes text as it is.
func (w *rowWriter) text(v string) {
	if w.err == nil {
		w.col++
		w.st.BindText(w.col, v)
		w.tx.hash.text(v)
	}
}

// maybeText writes NULL for "".
func (w *rowWriter) maybeText(v string) {
	if v == "" {
		w.null()
		return
	}
	w.text(v)
}

// blob writes bytes as they are.
func (w *rowWriter) blob(v []byte) {
	if w.err == nil {
		w.col++
		w.st.BindBytes(w.col, v)
		w.tx.hash.blob(v)
	}
}

// packed writes what packRef or packID made: a string as text, bytes as a blob, nil
// as NULL.
func (w *rowWriter) packed(v any) {
	switch v := v.(type) {
	case string:
		w.text(v)
	case []byte:
		w.blob(v)
	default:
		w.null()
	}
}

// done writes the row and returns its id.
func (w *rowWriter) done() (int64, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.col != tables[w.table].columns {
		panic(fmt.Sprintf("state: %d columns written to %s, which has %d", w.col, w.table, tables[w.table].columns))
	}
	sum := w.tx.hash.sum()
	w.st.BindInt64(w.col+1, sum)
	_, err := w.st.Step()
	if err == nil {
		err = w.st.Reset()
	}
	if err != nil {
		return 0, fmt.Errorf("writing to %s: %w", w.table, err)
	}
	w.tx.count(w.table, 1, sum)
	return w.id, nil
}

// nextID is a free id of a table.
func (t *tx) nextID(tab table) (int64, error) { return t.c.nextID(tab) }

// nextID is one more than the highest id that a table has, or had where a late
// answer or an event may still name a row that was removed.
func (c *conn) nextID(tab table) (int64, error) {
	query := "SELECT coalesce(max(id), 0) + 1 FROM " + tab.String()
	switch tab {
	case tAttempts:
		// A late answer names its attempt by id, even if that was removed since.
		// Only attempts that were recovered get late answers, and only those that
		// are settled get removed, so ids up to recovered are not used again.
		query = "SELECT max((SELECT coalesce(max(id), 0) FROM attempts), (SELECT recovered FROM meta)) + 1"
	case tInbox, tInbound:
		query = "SELECT max((SELECT coalesce(max(id), 0) FROM " + tab.String() +
			"), (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = '" + tab.String() + "')) + 1"
	}
	id, _, err := c.queryInt(query)
	return id, err
}

// forget takes a row out of the ledger, before it is replaced or deleted, and
// with it the block of the packed index that covers it.
func (t *tx) forget(tab table, id int64) (bool, error) {
	sum, ok, err := t.c.queryInt("SELECT sum FROM "+tab.String()+" WHERE id = ?", id)
	if err != nil || !ok {
		return ok, err
	}
	t.count(tab, -1, -sum)
	if tab == tAttempts || tab == tOutcomes {
		err = t.dropBlocks(id)
	}
	return true, err
}

// remove deletes a row.
func (t *tx) remove(tab table, id int64) error {
	if ok, err := t.forget(tab, id); err != nil || !ok {
		return err
	}
	return t.c.exec("DELETE FROM "+tab.String()+" WHERE id = ?", id)
}

// removeAll deletes the rows that a query of ids gives.
func (t *tx) removeAll(tab table, query string, args ...any) (int, error) {
	ids, err := t.c.queryInts(query, args...)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := t.remove(tab, id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// sumRow computes the checksum of the row that st stands on, its columns being
// those of tab, and compares.
func sumRow(h *hasher, key []byte, tab table, st *sqlite.Stmt) (sum int64, ok bool) {
	h.start(key, tab)
	n := tables[tab].columns
	for i := range n {
		switch st.ColumnType(i) {
		case sqlite.TypeInteger:
			h.int(st.ColumnInt64(i))
		case sqlite.TypeText:
			h.text(st.ColumnText(i))
		case sqlite.TypeBlob:
			h.blob(columnBlob(st, i))
		case sqlite.TypeNull:
			h.null()
		default:
			return 0, false // no column of ours holds a float
		}
	}
	sum = h.sum()
	return sum, st.ColumnType(n) == sqlite.TypeInteger && st.ColumnInt64(n) == sum
}

// columnBlob copies a column, which SQLite reuses.
func columnBlob(st *sqlite.Stmt, col int) []byte {
	b := make([]byte, st.ColumnLen(col))
	st.ColumnBytes(col, b)
	return b
}
