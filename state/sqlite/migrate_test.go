package sqlite

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/handbill/handbill/internal/golden"
	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
)

// oldState is the state that the last handbill of format 1 wrote. It has
// deliveries in every state of the send axis, a halted run, a finished one and
// one that was killed, statuses, replies, opt-outs, an erasure, orphans, and an
// event that waits.
func oldState(t *testing.T) Options {
	t.Helper()
	return stateOf(t, 1)
}

// stateOf is a state of an older format.
//
// Format 2 has people who wrote to two numbers, windows that were found closed
// by an answer and by a status, a message that was pruned, one that waits, and
// a person who wrote under a number and a user id and stopped under the user
// id.
//
// Format 3 has people of Benin under both of their numbers.
//
// Format 4 has statuses with prices: joined ones, one that waits for its
// message's id, and one in a body that waits.
//
// Format 5 has a number that was passed on after its first holder stopped, a
// person who changed their number and has ids of two portfolios, attributes and
// a handover, and an erasure.
//
// Format 6 has a run that ended and one that was killed, each through two
// numbers, an open reply, and a message that a server had begun to answer.
//
// Format 7 has a killed run at two numbers.
//
// Format 8 has deliveries in every state of the send axis, and a
// template.
//
// Format 9 has a product too.
//
// Format 10 has a killed run with arms, a variant and kept attributes, and somebody
// who is held out.
func stateOf(t *testing.T, format int) Options {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("testdata/format%d.state.gz", format))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	o := options(filepath.Join(t.TempDir(), "handbill.state"))
	if err := os.WriteFile(o.Path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// content lists every stored value of every table that format 1 has.
func content(t *testing.T, path string) string {
	t.Helper()
	c, err := openConn(path, sqlite.OpenReadOnly, "immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b strings.Builder
	for tab := tMeta; tab < tBlocks; tab++ {
		err := c.eachNested("SELECT * FROM "+tab.String()+" ORDER BY id", func(st *sqlite.Stmt) error {
			fmt.Fprint(&b, tab)
			for i := range st.ColumnCount() {
				fmt.Fprintf(&b, " %v:%x", st.ColumnType(i), columnBlob(st, i))
			}
			b.WriteByte('\n')
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func exported(t *testing.T, s *Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Export(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnOlderFormatIsMigratedAfterABackup(t *testing.T) {
	o := oldState(t)
	before := content(t, o.Path)
	told, err := os.ReadFile("testdata/format1.export.golden")
	if err != nil {
		t.Fatal(err)
	}
	readOnly := o
	readOnly.ReadOnly = true
	if s, err := Open(t.Context(), readOnly); err == nil {
		t.Errorf("%v was opened for reading without its migration", s)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	verify(t, s)
	want := strings.Replace(string(told), `"format":1`, fmt.Sprintf(`"format":%d`, format), 1)
	// Since format 3, windows belong to a sending number; TestGoldenMigrations
	// checks them.
	want = regexp.MustCompile(`,"window_ends":"[^"]*"`).ReplaceAllString(want, "")
	got := regexp.MustCompile(`(?m)^{"kind":"window".*\n`).ReplaceAllString(exported(t, s), "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the migration changed what the state says (-before +after):\n%s", diff)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, content(t, o.Path)); diff != "" {
		t.Errorf("the migration changed rows (-before +after):\n%s", diff)
	}
	backups, err := filepath.Glob(o.Path + ".backup-*-format-1")
	if err != nil || len(backups) != 1 {
		t.Fatalf("backups %q, %v; want one", backups, err)
	}
	if diff := cmp.Diff(before, content(t, backups[0])); diff != "" {
		t.Errorf("the backup has other rows (-before +backup):\n%s", diff)
	}
	if data, err := os.ReadFile(backups[0]); err != nil || binary.BigEndian.Uint32(data[60:]) != 1 {
		t.Errorf("the backup is not of the old format, %v", err)
	}
}

// TestGoldenMigrations compares migrated states with golden files. A person's
// message opens a window only at the number to which it was written, and an old
// correction closes all windows.
func TestGoldenMigrations(t *testing.T) {
	for version := 1; version < format; version++ {
		s, err := Open(t.Context(), stateOf(t, version))
		if err != nil {
			t.Fatal(err)
		}
		verify(t, s)
		golden.Assert(t, []byte(exported(t, s)), fmt.Sprintf("testdata/format%d.migrated.golden", version))
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A migrated state can be used: what a kill left open is settled, the next run
// is recorded, and its sends are packed.
func TestAMigratedStateCanBeUsed(t *testing.T) {
	s, err := Open(t.Context(), oldState(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.blockSize = packed.Size{Least: 4, Most: 8}
	if n, err := s.Recover(t.Context(), number); err != nil || n != 3 {
		t.Errorf("%d attempts were left open, %v; want 3", n, err)
	}
	if blockCount(t, s) == 0 {
		t.Error("what was sent before the kill was not packed")
	}
	sameTables(t, s)
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(80)))[0], wamidOf(80)))
	if err := s.Finish(t.Context(), state.Run{ID: run.Run, Campaigns: []state.CampaignRun{{Campaign: "campaign.spring", Revision: 1}}}); err != nil {
		t.Fatal(err)
	}
	sameTables(t, s)
	verify(t, s)
}

// A price that waits in an older state is recorded when its message's id
// arrives.
func TestPricesThatWaitAreMigrated(t *testing.T) {
	s, err := Open(t.Context(), stateOf(t, 4))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	settle(t, s, begin(t, s), state.Outcome{Attempt: 4, Send: state.Accepted, ID: wamidOf(4), Proof: state.ProofResponse, At: noon})
	if err := s.FoldAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if told := exported(t, s); strings.Count(told, `"billing":{"billable":true,"category":"marketing","type":"regular"}`) != 1 {
		t.Errorf("the price is not in\n%s", told)
	}
	verify(t, s)
}

// A migration that is interrupted before its backup changes nothing. The next
// process that opens the state performs it.
func TestAMigrationThatIsStoppedChangesNothing(t *testing.T) {
	o := oldState(t)
	before, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := Open(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", s, err)
	}
	after := content(t, o.Path)
	if err := os.WriteFile(o.Path+".before", before, 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(content(t, o.Path+".before"), after); diff != "" {
		t.Errorf("rows changed (-before +after):\n%s", diff)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	verify(t, s)
}

// sameTables compares the packed index, which a plan reads, with the rows.
func sameTables(t *testing.T, s *Store) {
	t.Helper()
	for revision := 1; revision <= 2; revision++ {
		got, err := snapshot(t, s).Compact(t.Context(), "campaign.spring", revision)
		if err != nil {
			t.Fatal(err)
		}
		want := indexOfRows(t, s, "campaign.spring", revision)
		if diff := cmp.Diff(maps.Collect(want.All()), maps.Collect(got.All())); diff != "" {
			t.Errorf("revision %d (-rows +blocks):\n%s", revision, diff)
		}
	}
}

// A backup from before the migration can be restored.
func TestABackupOfAnOlderFormatIsRestored(t *testing.T) {
	backup := oldState(t)
	before, err := os.ReadFile(backup.Path)
	if err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile("testdata/format1.export.golden")
	if err != nil {
		t.Fatal(err)
	}
	o := closed(t)
	if err := Restore(t.Context(), backup.Path, o); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(backup.Path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the backup was changed, %v", err)
	}
	if left, err := filepath.Glob(o.Path + ".migrating*"); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	verify(t, s)
	deliveries := func(text string) (out []string) {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, `{"kind":"delivery"`) {
				out = append(out, line)
			}
		}
		return out
	}
	if diff := cmp.Diff(deliveries(string(told)), deliveries(exported(t, s))); diff != "" {
		t.Errorf("deliveries (-before +restored):\n%s", diff)
	}
	var halt *state.HaltError
	if _, err := s.Begin(t.Context(), state.Run{}, nil); !errors.As(err, &halt) {
		t.Errorf("a restored state sends: %v", err)
	}
}

// Format 6 did not record the number of an attempt: what a kill left open is
// settled at whichever number is recovered first. An open reply is in doubt,
// and a message that an older server had begun to answer is handed out again.
func TestLanesOfFormat6(t *testing.T) {
	s, err := Open(t.Context(), stateOf(t, 6))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Unsettled(t.Context()); err != nil || !slices.Equal(got, []string{""}) {
		t.Errorf("unsettled at %q, %v", got, err)
	}
	if d := sendOf(t, s, "reply_rule.hello", phone(4)); d != state.InDoubt {
		t.Errorf("the reply that was open is %s", d)
	}
	if n, err := s.Recover(t.Context(), "provider.cloud.new"); n != 3 || err != nil {
		t.Errorf("recovered %d, %v; want 3", n, err)
	}
	if got, err := s.Unsettled(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("unsettled at %q, %v", got, err)
	}
	lane, n, err := s.RecoverReplies(t.Context(), number)
	if n != 0 || err != nil {
		t.Errorf("recovered %d replies, %v", n, err)
	}
	refs, _, err := s.Claim(t.Context(), lane, 0, 9)
	if want := []state.InboundRef{{Seq: 3, Provider: number, Recipient: phone(1)}, {Seq: 4, Provider: number, Recipient: phone(6)}}; err != nil || !slices.Equal(refs, want) {
		t.Errorf("claimed %+v, %v", refs, err)
	}
	lanes := beginAt(t, s, number, "provider.cloud.other")
	for i, lane := range lanes {
		settle(t, s, lane, accepted(intend(t, s, lane, intent(s, phone(80+i)))[0], wamidOf(80+i)))
	}
	if err := s.Finish(t.Context(), state.Run{ID: lanes[0].Run}); err != nil {
		t.Error(err)
	}
	verify(t, s)
}

func sendOf(t *testing.T, s *Store, campaign, recipient string) state.Send {
	t.Helper()
	for _, d := range deliveries(t, s) {
		if d.Campaign == campaign && d.Recipient == recipient {
			return d.Send
		}
	}
	t.Fatalf("no delivery of %s", campaign)
	return 0
}
