package plan

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

var testAt = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// savedPlan is a plan of one campaign with the given entries.
func savedPlan(t testing.TB, list []Entry) *Plan {
	t.Helper()
	p := &Plan{
		FormatVersion: FormatVersion, Version: "0.1.0", At: testAt, Expires: testAt.Add(MaxAge), Lineage: "abc", Serial: 3,
		Resources: []ResourceChange{{Address: "text_message.hello", Type: "text_message", Name: "hello", Change: Create, Refs: []string{},
			After: &lang.Tree{Attributes: []lang.Attribute{{Name: "body", Value: `"Hello"`}}}}},
		Campaigns: []Campaign{{Address: "campaign.spring", Revision: 1, Message: "text_message.hello", Audience: "audience.all",
			Provider: "provider.sandbox.main", Change: Create, Source: "contacts.csv", Draft: 0, FallbackDraft: -1, MaxAttempts: 3,
			Counts:  Counts{Skip: map[string]int{}, Defer: map[string]int{}},
			Samples: []Sample{}, Notes: []string{}, Quiet: &Quiet{From: 1200, Until: 540, Timezone: "Europe/Berlin", Attribute: 0}}},
		Drafts: []*message.Draft{{Message: &message.Text{}, Slots: []string{"recipient.name", "recipient.city"},
			Bindings: []message.Binding{{Path: "body", Parts: []message.Part{{Text: "Hello ", Slot: -1}, {Slot: 0}, {Text: " in ", Slot: -1}, {Slot: 1}}}}}},
		Checks: []Check{}, Outputs: []Output{}, Inputs: []Input{}, Diagnostics: []Diagnostic{}, spool: &MemorySpool{},
	}
	c := &p.Campaigns[0]
	h := sha256.New()
	for i := range list {
		e := &list[i]
		core := appendCore(nil, e)
		if _, err := p.spool.Write(appendEntry(nil, e, c.Source, core)); err != nil {
			t.Fatal(err)
		}
		h.Write(appendDecided(nil, e, c, core))
		c.Recipients++
		c.Counts.add(e)
	}
	var err error
	if p.Digest, err = digest(p, h); err != nil {
		t.Fatal(err)
	}
	p.Entries = entries(p.spool.Open, p.Campaigns)
	return p
}

func genEntry(t *rapid.T) Entry {
	e := Entry{Action: Action(rapid.IntRange(0, int(Replace)).Draw(t, "action")), Draft: -1}
	e.Recipient.Place = message.Place{File: rapid.SampledFrom([]string{"contacts.csv", "other.csv"}).Draw(t, "file"), Line: rapid.IntRange(0, 1e6).Draw(t, "line")}
	if !e.Action.Sends() {
		e.Reason = rapid.SampledFrom([]string{"", "opted_out", "duplicate"}).Draw(t, "reason")
		if rapid.Bool().Draw(t, "keyed") {
			e.Recipient.Phone = "+4915112345678"
		}
		return e
	}
	if rapid.Bool().Draw(t, "user") {
		e.Recipient.UserID = "US." + rapid.StringMatching(`[0-9]{1,20}`).Draw(t, "id")
	} else {
		e.Recipient.Phone = rapid.StringMatching(`\+[1-9][0-9]{6,14}`).Draw(t, "phone")
	}
	if e.Action == Defer {
		e.Reason = "quiet_hours"
	}
	e.Draft, e.Attempt = 0, rapid.IntRange(1, 5).Draw(t, "attempt")
	e.Values = []string{rapid.String().Draw(t, "name"), rapid.String().Draw(t, "city")}
	copy(e.Digest[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "digest"))
	if rapid.Bool().Draw(t, "window") {
		e.WindowUntil = time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "until"), 0).UTC()
	}
	if rapid.Bool().Draw(t, "zone") {
		e.Recipient.Attributes = []message.Value{message.Str(rapid.String().Draw(t, "tz"))}
	}
	return e
}

func collect(t testing.TB, p *Plan) []Entry {
	t.Helper()
	var list []Entry
	for e, err := range p.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func save(t testing.TB, p *Plan) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Write(&buf, p, ConfigSnapshot{Files: map[string][]byte{"main.hcl": []byte("# hi")}}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestSavedPlanRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(genEntry), 0, 40).Draw(rt, "entries")
		p := savedPlan(t, list)
		if diff := cmp.Diff(list, collect(t, p), cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("the spool gives other entries (-want +got):\n%s", diff)
		}
		data := save(t, p)
		got, snap, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			rt.Fatal(err)
		}
		for i := range list {
			if !list[i].Action.Sends() {
				list[i].Recipient.Address = message.Address{} // not in the file
			}
		}
		if diff := cmp.Diff(list, collect(t, got), cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("the file gives other entries (-want +got):\n%s", diff)
		}
		opts := cmp.Options{cmpopts.IgnoreUnexported(Plan{}), cmpopts.IgnoreFields(Plan{}, "Entries"), cmpopts.EquateEmpty()}
		if diff := cmp.Diff(p, got, opts); diff != "" {
			rt.Fatalf("the plan differs (-want +got):\n%s", diff)
		}
		if string(snap.Files["main.hcl"]) != "# hi" {
			rt.Fatal("the configuration is not in the file")
		}
		again := save(t, got)
		if !bytes.Equal(data, again) {
			rt.Fatal("saving what was read gives other bytes")
		}
	})
}

func TestSavedPlanLeavesOutWhoIsNotSentTo(t *testing.T) {
	p := savedPlan(t, []Entry{{Action: Skip, Reason: "opted_out", Draft: -1, Recipient: message.Recipient{Address: message.Address{UserID: "US.canary"}}}})
	data := save(t, p)
	got, _, err := Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if list := collect(t, got); list[0].Recipient.Key() != "" || list[0].Reason != "opted_out" {
		t.Errorf("the entry is %+v", list[0])
	}
}

func send(i int) Entry {
	return Entry{Action: Send, Attempt: 1, Values: []string{fmt.Sprintf("Name %d", i), "Köln"}, Digest: sha16(i),
		WindowUntil: testAt.Add(time.Hour),
		Recipient:   message.Recipient{Address: message.Address{Phone: fmt.Sprintf("+4915%09d", i)}, Place: message.Place{File: "contacts.csv", Line: i + 2}}}
}

func sha16(i int) [16]byte {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return [16]byte(sum[:16])
}

func sendsOf(n int) []Entry {
	list := make([]Entry, n)
	for i := range list {
		list[i] = send(i)
	}
	return list
}

func TestEntrySize(t *testing.T) {
	p := savedPlan(t, sendsOf(1000))
	if n := p.spool.(*MemorySpool).size / 1000; n > 120 {
		t.Errorf("an entry takes %d bytes; at most 120 are promised", n)
	}
}

// TestReadRefuses changes every part of a saved plan.
func TestReadRefuses(t *testing.T) {
	data := save(t, savedPlan(t, sendsOf(3)))
	for n := range len(data) {
		refuse(t, data[:n], fmt.Sprintf("cut after %d bytes", n))
		flipped := bytes.Clone(data)
		flipped[n] ^= 1 << (n % 8)
		refuse(t, flipped, fmt.Sprintf("a bit of byte %d flipped", n))
	}
	refuse(t, append(bytes.Clone(data), 0), "a byte behind the end")
	refuse(t, append(bytes.Clone(data), data...), "two files in one")
}

func refuse(t *testing.T, data []byte, what string) {
	t.Helper()
	_, _, err := Read(bytes.NewReader(data), int64(len(data)))
	var known *FileError
	if !errors.As(err, &known) {
		t.Fatalf("%s: error is %v, want a *FileError", what, err)
	}
}

func TestReadReasons(t *testing.T) {
	data := save(t, savedPlan(t, sendsOf(3)))
	newer := bytes.Clone(data)
	newer[7] = 9
	for _, c := range []struct {
		name, reason string
		data         []byte
	}{
		{"empty", "not_a_plan", nil},
		{"something else", "not_a_plan", []byte(`{"format_version":"1.0"}`)},
		{"from the future", "version", newer},
		{"cut", "torn", data[:len(data)-5]},
		{"a frame that claims a gigabyte", "too_large", append([]byte(fileMagic), "H\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x00"...)},
		{"encrypted", "encrypted", []byte(ageMagic + "-> X25519 …")},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Read(bytes.NewReader(c.data), int64(len(c.data)))
			var known *FileError
			if !errors.As(err, &known) || known.Reason != c.reason {
				t.Errorf("error is %v, want reason %q", err, c.reason)
			}
		})
	}
}

// TestReadHoldsEntriesAgainstTheHeader writes files whose checksums are right
// and whose parts contradict each other.
func TestReadHoldsEntriesAgainstTheHeader(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Plan)
		want   string
	}{
		{"counts", func(p *Plan) { p.Campaigns[0].Counts.Send = 2 }, "counts"},
		{"recipients", func(p *Plan) { p.Campaigns[0].Recipients = 9 }, "counts"},
		{"digest", func(p *Plan) { p.Campaigns[0].Message = "text_message.other" }, "digest"},
		{"text", func(p *Plan) { p.Drafts[0].Bindings[0].Parts[0].Text = "Bye " }, "digest"},
		{"slots", func(p *Plan) { p.Drafts[0].Slots = append(p.Drafts[0].Slots, "recipient.zip") }, "values"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := savedPlan(t, sendsOf(3))
			c.change(p)
			data := save(t, p)
			_, _, err := Read(bytes.NewReader(data), int64(len(data)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one about %s", err, c.want)
			}
		})
	}
}

func TestEncryptedPlan(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	p := savedPlan(t, sendsOf(2000))
	var buf bytes.Buffer
	if err := WriteEncrypted(&buf, p, ConfigSnapshot{}, id.Recipient()); err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(buf.Bytes())
	if _, _, err := Read(r, r.Size()); err == nil || !strings.Contains(err.Error(), "encrypted") {
		t.Errorf("Read says %v of an encrypted plan", err)
	}
	got, _, err := ReadEncrypted(r, r.Size(), id)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(collect(t, p), collect(t, got)); diff != "" {
		t.Error(diff)
	}
	other, _ := age.GenerateX25519Identity()
	if _, _, err := ReadEncrypted(r, r.Size(), other); err == nil {
		t.Error("somebody else's identity opens the plan")
	}
}

func TestStale(t *testing.T) {
	meta := state.Meta{Lineage: "abc", Serial: 3}
	for _, c := range []struct {
		name, want string
		meta       state.Meta
		now        time.Time
		version    string
	}{
		{"fresh", "", meta, testAt.Add(23 * time.Hour), "0.1.0"},
		{"another handbill", StaleVersion, meta, testAt, "0.2.0"},
		{"another state", StaleLineage, state.Meta{Lineage: "def", Serial: 3}, testAt, "0.1.0"},
		{"no state", StaleLineage, state.Meta{}, testAt, "0.1.0"},
		{"too old", StaleExpired, meta, testAt.Add(24*time.Hour + 1), "0.1.0"},
		{"decided since", StaleSerial, state.Meta{Lineage: "abc", Serial: 4}, testAt, "0.1.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := savedPlan(t, nil).Stale(c.meta, c.now, c.version)
			var stale *StaleError
			if c.want == "" && err == nil {
				return
			}
			if !errors.As(err, &stale) || stale.Reason != c.want {
				t.Errorf("got %v, want reason %q", err, c.want)
			}
		})
	}
}

func TestSpools(t *testing.T) {
	for name, s := range map[string]Spool{"memory": &MemorySpool{}, "small": NewSpool(t.TempDir()), "large": NewSpool(t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			var want bytes.Buffer
			line := bytes.Repeat([]byte("entry "), 10_000)
			for range map[string]int{"memory": 3, "small": 3, "large": 700}[name] {
				want.Write(line)
				if _, err := s.Write(line); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				r, err := s.Open()
				if err != nil {
					t.Fatal(err)
				}
				var got bytes.Buffer
				if _, err := got.ReadFrom(r); err != nil || !bytes.Equal(want.Bytes(), got.Bytes()) {
					t.Fatalf("read %d bytes (%v), want %d", got.Len(), err, want.Len())
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// FuzzRead: whatever the bytes are, Read ends in an error or in a plan whose
// entries can be read and saved again.
func FuzzRead(f *testing.F) {
	data := save(f, savedPlan(f, append(sendsOf(3), Entry{Action: Skip, Reason: "duplicate", Draft: -1})))
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte(fileMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, _, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		save(t, p)
	})
}

// FuzzEntries does the same below the checksums.
func FuzzEntries(f *testing.F) {
	p := savedPlan(f, append(sendsOf(3), Entry{Action: Skip, Reason: "duplicate", Draft: -1}))
	f.Add(p.spool.(*MemorySpool).chunks[0])
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &MemorySpool{}
		_, _ = s.Write(data)
		var again []byte
		err := eachEntry(s.Open, p.Campaigns, func(e *Entry, _ []byte) bool {
			again = appendEntry(again, e, "contacts.csv", appendCore(nil, e))
			return true
		})
		if err != nil {
			return
		}
		second := &MemorySpool{}
		_, _ = second.Write(again)
		n := 0
		if err := eachEntry(second.Open, p.Campaigns, func(*Entry, []byte) bool { n++; return true }); err != nil {
			t.Fatalf("what was decoded does not encode: %v", err)
		}
	})
}
