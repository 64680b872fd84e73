package planfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

var testAt = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// savedPlan returns a plan of one campaign with the given entries.
func savedPlan(t testing.TB, list []plan.Entry) *plan.Plan {
	t.Helper()
	p := &plan.Plan{
		FormatVersion: plan.FormatVersion, Version: "0.1.0", Build: "commit:a", At: testAt, Expires: testAt.Add(plan.MaxAge), Lineage: "abc", Serial: 3,
		Resources: []plan.ResourceChange{{Address: "text_message.hello", Type: "text_message", Name: "hello", Change: plan.Create, Refs: []string{},
			After: &lang.Tree{Attributes: []lang.Attribute{{Name: "body", Value: `"Hello"`}}}}},
		Campaigns: []plan.Campaign{{Address: "campaign.spring", Revision: 1, Message: "text_message.hello", Audience: "audience.all",
			Provider: "provider.sandbox.main", Change: plan.Create, Source: "contacts.csv", Draft: 0, FallbackDraft: -1, MaxAttempts: 3,
			Counts:  plan.Counts{Skip: map[delivery.Reason]int{}, Defer: map[delivery.Reason]int{}},
			Samples: []plan.Sample{}, Notes: []string{}, Quiet: &plan.Quiet{From: 1200, Until: 540, Timezone: "Europe/Berlin", Attribute: 0}}},
		Drafts: []*message.Draft{{Message: &message.Text{}, Slots: []string{"recipient.name", "recipient.city"},
			Bindings: []message.Binding{{Path: "body", Parts: []message.Part{{Text: "Hello ", Slot: -1}, {Slot: 0}, {Text: " in ", Slot: -1}, {Slot: 1}}}}}},
		Checks: []plan.Check{}, Outputs: []plan.Output{}, Inputs: []plan.Input{}, Diagnostics: []plan.Diagnostic{},
	}
	var spool plan.MemorySpool
	for i := range list {
		if _, err := spool.Write(plan.AppendEntry(nil, &list[i], &p.Campaigns[0])); err != nil {
			t.Fatal(err)
		}
	}
	p.Attach(&spool)
	sums, err := p.Sum()
	if err != nil {
		t.Fatal(err)
	}
	p.Digest, p.Campaigns[0].Recipients, p.Campaigns[0].Counts = sums.Digest, sums.Recipients[0], sums.Counts[0]
	return p
}

func genEntry(t *rapid.T) plan.Entry {
	e := plan.Entry{Action: plan.Action(rapid.IntRange(0, int(plan.Replace)).Draw(t, "action")), Draft: -1}
	e.Recipient.Place = message.Place{File: rapid.SampledFrom([]string{"contacts.csv", "other.csv"}).Draw(t, "file"), Line: rapid.IntRange(0, 1e6).Draw(t, "line"), Element: rapid.IntRange(0, 1e6).Draw(t, "element")}
	if !e.Action.Sends() {
		e.Reason = rapid.SampledFrom([]delivery.Reason{delivery.ReasonNone, delivery.GateOptedOut.Reason(), delivery.ReasonDuplicate}).Draw(t, "reason")
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
	if e.Action == plan.Defer {
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

func collect(t testing.TB, p *plan.Plan) []plan.Entry {
	t.Helper()
	var list []plan.Entry
	for e, err := range p.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func save(t testing.TB, p *plan.Plan) []byte {
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
				list[i].Recipient.Address = message.Address{} // it is not in the file
			}
		}
		if diff := cmp.Diff(list, collect(t, got), cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("the file gives other entries (-want +got):\n%s", diff)
		}
		opts := cmp.Options{cmpopts.IgnoreUnexported(plan.Plan{}), cmpopts.IgnoreFields(plan.Plan{}, "Entries"), cmpopts.EquateEmpty()}
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

func TestSavedPlanOmitsPeopleWhoAreNotSentTo(t *testing.T) {
	p := savedPlan(t, []plan.Entry{{Action: plan.Skip, Reason: "opted_out", Draft: -1, Recipient: message.Recipient{Address: message.Address{UserID: "US.canary"}}}})
	data := save(t, p)
	got, _, err := Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if list := collect(t, got); list[0].Recipient.Key() != "" || list[0].Reason != "opted_out" {
		t.Errorf("the entry is %+v", list[0])
	}
}

func send(i int) plan.Entry {
	return plan.Entry{Action: plan.Send, Attempt: 1, Values: []string{fmt.Sprintf("Name %d", i), "Köln"}, Digest: sha16(i),
		WindowUntil: testAt.Add(time.Hour),
		Recipient:   message.Recipient{Address: message.Address{Phone: fmt.Sprintf("+4915%09d", i)}, Place: message.Place{File: "contacts.csv", Line: i + 2}}}
}

func sha16(i int) [16]byte {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return [16]byte(sum[:16])
}

func sendsOf(n int) []plan.Entry {
	list := make([]plan.Entry, n)
	for i := range list {
		list[i] = send(i)
	}
	return list
}

// TestReadRefuses cuts a saved plan at every byte and flips a bit of every
// byte.
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
	var known *fileError
	if !errors.As(err, &known) {
		t.Fatalf("%s: error is %v, want a *fileError", what, err)
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
			var known *fileError
			if !errors.As(err, &known) || known.Reason != c.reason {
				t.Errorf("error is %v, want reason %q", err, c.reason)
			}
		})
	}
}

// TestReadChecksEntriesAgainstTheHeader writes files with correct checksums
// whose parts contradict each other.
func TestReadChecksEntriesAgainstTheHeader(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*plan.Plan)
		want   string
	}{
		{"counts", func(p *plan.Plan) { p.Campaigns[0].Counts.Send = 2 }, "counts"},
		{"recipients", func(p *plan.Plan) { p.Campaigns[0].Recipients = 9 }, "counts"},
		{"digest", func(p *plan.Plan) { p.Campaigns[0].Message = "text_message.other" }, "digest"},
		{"text", func(p *plan.Plan) { p.Drafts[0].Bindings[0].Parts[0].Text = "Bye " }, "digest"},
		{"slots", func(p *plan.Plan) { p.Drafts[0].Slots = append(p.Drafts[0].Slots, "recipient.zip") }, "values"},
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
	at := func(serial int64) state.Meta { return state.Meta{Lineage: "abc", Serial: serial} }
	maker := Maker{"0.1.0", "commit:a"}
	own, other := state.Run{}, state.Run{Plan: "sha256:other"}
	for _, c := range []struct {
		name, want string
		meta       state.Meta
		runs       []state.Run
		now        time.Time
		build      string // of handbill when it made the plan
		by         Maker
	}{
		{"fresh", "", meta, nil, testAt.Add(23 * time.Hour), "commit:a", maker},
		{"another version", staleVersion, meta, nil, testAt, "commit:a", Maker{"0.2.0", "commit:a"}},
		{"another build of the version", staleVersion, meta, nil, testAt, "commit:a", Maker{"0.1.0", "commit:b"}},
		{"a plan of an unknown build", staleVersion, meta, nil, testAt, "", Maker{"0.1.0", "commit:a"}},
		{"a build that is unknown", staleVersion, meta, nil, testAt, "commit:a", Maker{"0.1.0", ""}},
		{"both unknown", staleVersion, meta, nil, testAt, "", Maker{"0.1.0", ""}},
		{"another state", staleLineage, state.Meta{Lineage: "def", Serial: 3}, nil, testAt, "commit:a", maker},
		{"no state", staleLineage, state.Meta{}, nil, testAt, "commit:a", maker},
		{"too old", staleExpired, meta, nil, testAt.Add(24*time.Hour + 1), "commit:a", maker},
		{"decided since", staleSerial, at(4), nil, testAt, "commit:a", maker},
		{"applied before", "", at(4), []state.Run{other, own}, testAt, "commit:a", maker},
		{"applied twice before", "", at(5), []state.Run{own, own}, testAt, "commit:a", maker},
		{"applied, and then something else", staleSerial, at(5), []state.Run{own, other}, testAt, "commit:a", maker},
		{"applied, and changed by hand", staleSerial, at(5), []state.Run{own}, testAt, "commit:a", maker},
		{"planned again after a run of the same", "", at(3), []state.Run{own}, testAt, "commit:a", maker},
		{"planned again and applied", "", at(4), []state.Run{own, own}, testAt, "commit:a", maker},
		{"from a newer state", staleSerial, at(2), []state.Run{own}, testAt, "commit:a", maker},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := savedPlan(t, nil)
			p.Build = c.build
			for i := range c.runs {
				if c.runs[i].Plan == "" {
					c.runs[i].Plan = p.Digest
				}
			}
			err := Stale(p, c.meta, c.runs, c.now, c.by)
			var stale *staleError
			if c.want == "" && err == nil {
				return
			}
			if !errors.As(err, &stale) || stale.Reason != c.want {
				t.Errorf("got %v, want reason %q", err, c.want)
			}
		})
	}
}

// TestStaleAfterAMove checks the serials at which a plan with a moved resource
// is still current. Its own first run raises the serial twice, so a state whose
// serial is only one higher was changed by something else.
func TestStaleAfterAMove(t *testing.T) {
	p := savedPlan(t, nil)
	p.Resources[0].From = "text_message.hi"
	runs := []state.Run{{Plan: p.Digest}}
	for serial, stale := range map[int64]bool{3: false, 4: true, 5: false, 6: true} {
		err := Stale(p, state.Meta{Lineage: "abc", Serial: serial}, runs, testAt, Maker{"0.1.0", "commit:a"})
		if (err != nil) != stale {
			t.Errorf("with serial %d the error is %v", serial, err)
		}
	}
}

func TestSpools(t *testing.T) {
	for name, s := range map[string]plan.Spool{"memory": &plan.MemorySpool{}, "small": NewSpool(t.TempDir()), "large": NewSpool(t.TempDir())} {
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

// The sending numbers open a large plan concurrently (run with -race).
func TestSpoolIsOpenedSideBySide(t *testing.T) {
	s := NewSpool(t.TempDir())
	defer s.Close()
	block := make([]byte, 1<<20)
	for written := 0; written <= spoolMemory; written += len(block) {
		if _, err := s.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Write([]byte("not flushed")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := s.Open(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// FuzzRead checks that, for any bytes, Read returns an error or a plan whose
// entries can be read and saved again.
func FuzzRead(f *testing.F) {
	data := save(f, savedPlan(f, append(sendsOf(3), plan.Entry{Action: plan.Skip, Reason: "duplicate", Draft: -1})))
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
