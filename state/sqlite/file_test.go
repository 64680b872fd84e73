package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
	"pgregory.net/rapid"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// closed makes a state with one accepted delivery, closes it and returns its
// options.
func closed(t *testing.T) Options {
	t.Helper()
	o := options(filepath.Join(t.TempDir(), "handbill.state"))
	s, err := Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(1)))[0], "x"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCloseLeavesOneFileOfOurOwn(t *testing.T) {
	o := closed(t)
	entries, err := os.ReadDir(filepath.Dir(o.Path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "handbill.state" && e.Name() != "handbill.state.mark" {
			t.Errorf("%s is left", e.Name())
		}
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestRefusedFilesStayAsTheyAre(t *testing.T) {
	newer := closed(t)
	data, err := os.ReadFile(newer.Path)
	if err != nil {
		t.Fatal(err)
	}
	from := func(change func([]byte) []byte) []byte { return change(bytes.Clone(data)) }
	for _, tc := range []struct {
		name string
		data []byte
		want error
	}{
		{"a newer format", from(func(b []byte) []byte { binary.BigEndian.PutUint32(b[60:], format+1); return b }), state.ErrFormat},
		{"another program's", from(func(b []byte) []byte { binary.BigEndian.PutUint32(b[68:], 7); return b }), state.ErrForeign},
		{"a text", []byte(strings.Repeat("hello\n", 40)), state.ErrForeign},
		{"empty", nil, state.ErrForeign},
		{"cut", from(func(b []byte) []byte { return b[:len(b)/2] }), state.ErrDamaged},
		{"with another lineage", from(func(b []byte) []byte {
			return bytes.ReplaceAll(b, lineageIn(t, b), []byte(strings.Repeat("ab", 16)))
		}), state.ErrDamaged},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := options(filepath.Join(t.TempDir(), "handbill.state"))
			if err := os.WriteFile(o.Path, tc.data, 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := Open(t.Context(), o); !errors.Is(err, tc.want) {
				t.Errorf("%v, %v; want %v", s, err, tc.want)
			}
			if after, err := os.ReadFile(o.Path); err != nil || !bytes.Equal(tc.data, after) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
	if _, err := Open(t.Context(), options(t.TempDir())); err == nil {
		t.Error("a directory was opened")
	}
	if _, err := Create(t.Context(), newer); err == nil {
		t.Error("a state was created over another")
	}
}

// lineageIn finds the 32 hex digits of a state's lineage.
func lineageIn(t *testing.T, b []byte) []byte {
	t.Helper()
	o := options(filepath.Join(t.TempDir(), "x"))
	o.ReadOnly = true
	if err := os.WriteFile(o.Path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return []byte(s.lineage)
}

func TestReadOnlyDirectory(t *testing.T) {
	o := closed(t)
	dir := filepath.Dir(o.Path)
	if os.Getuid() == 0 {
		target := t.TempDir()
		if err := syscall.Mount(dir, target, "", syscall.MS_BIND, ""); err != nil {
			t.Skip("a bind mount cannot be made here: ", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(target, 0) })
		if err := syscall.Mount("", target, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Skip("a mount cannot be made read-only here: ", err)
		}
		o.Path = filepath.Join(target, "handbill.state")
	} else {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	}
	if s, err := Open(t.Context(), o); err == nil {
		t.Error("a state that cannot be written was opened for writing")
		s.Close()
	}
	o.ReadOnly = true
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if d := oneDelivery(t, s); d.Send != state.Accepted {
		t.Errorf("the delivery is %s", d.Send)
	}
	if err := s.OptOut(t.Context(), phone(1), "operator", ""); err == nil {
		t.Error("a state opened for reading was written")
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=600k"); err != nil {
		t.Skip("a small file system cannot be mounted here: ", err)
	}
	// A state that could not be closed because the disk was full stays open
	// until the process ends.
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	o := options(filepath.Join(dir, "handbill.state"))
	s, err := Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	run := begin(t, s)
	durable := 0
	for i := 0; i < 10_000 && err == nil; i++ {
		if _, err = s.Intend(t.Context(), run, []state.Intent{intent(s, phone(i))}); err == nil {
			durable++
		}
	}
	if err == nil {
		t.Fatal("10,000 intents fit into 600 KB")
	}
	if free, err := FreeSpace(o.Path); err != nil || free > 200_000 {
		t.Errorf("%d bytes are free, %v", free, err)
	}
	_ = s.Close() // it may fail because it needs space too
	o.ReadOnly = true
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := len(deliveries(t, s)); got != durable {
		t.Errorf("%d intents, and %d were durable", got, durable)
	}
	verify(t, s)
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handbill.state")
	mine := state.LockInfo{ID: "1", Operation: "apply", Who: "ann", Host: "here", PID: os.Getpid(), Created: noon, Version: "test"}
	l, err := Lock(t.Context(), path, mine, 0)
	if err != nil {
		t.Fatal(err)
	}
	var locked *state.LockedError
	if _, err := Lock(t.Context(), path, state.LockInfo{ID: "2"}, 120*time.Millisecond); !errors.As(err, &locked) {
		t.Fatalf("%v, want a *LockedError", err)
	}
	if diff := cmp.Diff(mine, locked.Info); diff != "" {
		t.Errorf("who holds it (-want +got):\n%s", diff)
	}
	if err := ForceUnlock(path, "9", "here"); err == nil {
		t.Error("a lock was broken by a wrong id")
	}
	if err := ForceUnlock(path, "1", "here"); err == nil {
		t.Error("the lock of a living process was broken")
	}
	if err := ForceUnlock(path, "1", "elsewhere"); err != nil {
		t.Error(err)
	}
	if l.Held() {
		t.Error("a broken lock is held")
	}
	heir, err := Lock(t.Context(), path, state.LockInfo{ID: "2"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Unlock(); err != nil {
		t.Error(err)
	}
	if info, err := readLockInfo(path); info.ID != "2" || err != nil {
		t.Errorf("the heir's info is %+v, %v", info, err)
	}
	if err := heir.Unlock(); err != nil {
		t.Error(err)
	}
	if _, err := readLockInfo(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an info is left: %v", err)
	}
}

func TestBackupAndRestore(t *testing.T) {
	o := closed(t)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	backup, err := s.AutoBackup(t.Context(), "apply")
	if err != nil {
		t.Fatal(err)
	}
	begin(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Restore(t.Context(), backup, o); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	oneDelivery(t, s)
	var halt *state.HaltError
	if _, err := s.Begin(t.Context(), state.Run{}, nil); !errors.As(err, &halt) {
		t.Fatalf("a restored state sends: %v", err)
	}
	if err := s.Acknowledge(t.Context(), "ann", "nothing was sent since"); err != nil {
		t.Fatal(err)
	}
	begin(t, s)
	verify(t, s)
}

func TestBackupsOfOneMoment(t *testing.T) {
	o := closed(t)
	o.Clock = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	made := map[string]bool{}
	for range 3 {
		path, err := s.AutoBackup(t.Context(), "apply")
		if err != nil {
			t.Fatal(err)
		}
		made[path] = true
	}
	if len(made) != 3 {
		t.Errorf("three backups of a clock that stands still are %v", made)
	}
}

func TestAnOldCopyPutBackIsNoticed(t *testing.T) {
	o := closed(t)
	old, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	begin(t, s)
	if err := errors.Join(s.Close(), os.WriteFile(o.Path, old, 0o600)); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var halt *state.HaltError
	if _, err := s.Begin(t.Context(), state.Run{}, nil); !errors.As(err, &halt) {
		t.Errorf("a state that was put back sends: %v", err)
	}
	if err := s.Acknowledge(t.Context(), "ann", "known"); err != nil {
		t.Fatal(err)
	}
	begin(t, s)
}

func TestAMissingStateIsNotRecreated(t *testing.T) {
	s, _ := create(t)
	o := s.opt
	if err := errors.Join(s.Close(), os.Remove(o.Path)); err != nil {
		t.Fatal(err)
	}
	s, err := Create(t.Context(), o) // nothing was sent from it
	if err != nil {
		t.Fatal(err)
	}
	begin(t, s)
	if err := errors.Join(s.Close(), os.Remove(o.Path)); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), o); err == nil || Exists(o.Path) {
		t.Errorf("a new state was made in the place of one that was sent from: %v", err)
	}
	if err := os.Remove(o.Path + ".mark"); err != nil {
		t.Fatal(err)
	}
	if s, err = Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEraseLeavesNothing(t *testing.T) {
	s, _ := create(t)
	run := begin(t, s)
	v := intend(t, s, run, intent(s, phone(1)), intent(s, phone(2)))
	settle(t, s, run, accepted(v[0], wamidOf(1)), accepted(v[1], wamidOf(2)))
	s.blockSize = packed.Size{Least: 1, Most: 8}
	if err := s.packRevision(t.Context(), "campaign.spring", 1); err != nil || blockCount(t, s) != 1 {
		t.Fatalf("%d blocks, %v; want 1", blockCount(t, s), err)
	}
	ev := message.Event{Kind: message.EventInbound, ID: "in", At: noon, From: message.Address{Phone: phone(1)}, Text: "canary text", ProfileName: "Canary Name"}
	if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Received: noon, Raw: []byte("canary body " + phone(1)), Events: []message.Event{ev,
		{Kind: message.EventOther, Raw: []byte(phone(1) + " canary raw")}}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Erase(t.Context(), phone(1)); err != nil {
		t.Fatal(err)
	}
	// Late events do not restore the erased data.
	events(t, s, ev, status(wamidOf(1), intent(s, phone(1)).Ref, message.RankRead, noon))
	if p := person(t, s, phone(1)); !p.OptedOut || p.OptOut != "erased" || p.ProfileName != "" {
		t.Errorf("of the person is known: %+v", p)
	}
	if got, err := s.Tally(t.Context(), "campaign.spring", 1); err != nil || got.Accepted != 2 || got.Delivered != 1 {
		t.Errorf("the counts are %+v, %v", got, err)
	}
	verify(t, s)
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	erased, err := snap.Erased(t.Context())
	if err != nil || !erased(phone(1)) || erased(phone(2)) {
		t.Errorf("who was erased is not known, %v", err)
	}
	if err := errors.Join(snap.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.opt.Path)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := packed.PhoneID(phone(1))
	packed, _ := packID(wamidOf(1)).([]byte)
	for name, trace := range map[string][]byte{"a text": []byte("canary"), "a name": []byte("Canary"), "the number": []byte(phone(1)[1:]),
		"the id": packed, "the number as an integer": binary.BigEndian.AppendUint64(nil, uint64(id))[2:],
		"the number in a block": binary.LittleEndian.AppendUint64(nil, uint64(id))} {
		if bytes.Contains(data, trace) {
			t.Errorf("the file still holds %s", name)
		}
	}
}

// TestEraseInTheMiddle erases a person whose message is in flight, and one who
// is known only by a user id and would be sent to next.
func TestEraseInTheMiddle(t *testing.T) {
	s, _ := create(t)
	const user = "US.canary13491208655302741918"
	run := begin(t, s)
	v := intend(t, s, run, intent(s, phone(1)))
	for _, who := range []string{phone(1), user} {
		if err := s.Erase(t.Context(), who); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, s, run, accepted(v[0], wamidOf(1)))
	in := intent(s, user)
	in.Marketing = false
	for _, v := range intend(t, s, run, intent(s, phone(1)), in) {
		if v.Gate != delivery.GateOptedOut {
			t.Errorf("an erased person is sent to: %+v", v)
		}
	}
	answer := intent(s, user)
	answer.Inbound = 1
	lane, _, err := s.RecoverReplies(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	if v := intend(t, s, lane, answer); v[0].Gate != delivery.GateOptedOut {
		t.Errorf("an erased person is answered: %+v", v)
	}
	if got, err := s.Tally(t.Context(), "campaign.spring", 1); err != nil || got.Accepted != 1 {
		t.Errorf("the counts are %+v, %v", got, err)
	}
	verify(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.opt.Path)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := packed.PhoneID(phone(1))
	packed, _ := packID(wamidOf(1)).([]byte)
	for name, trace := range map[string][]byte{"the user id": []byte("canary"), "the number": []byte(phone(1)[1:]), "the message's id": packed,
		"the number as an integer": binary.BigEndian.AppendUint64(nil, uint64(id))[2:]} {
		if bytes.Contains(data, trace) {
			t.Errorf("the file still holds %s", name)
		}
	}
}

func TestTransition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from := state.Send(rapid.IntRange(0, 5).Draw(rt, "from"))
		to := state.Send(rapid.IntRange(0, 5).Draw(rt, "to"))
		proof := rapid.SampledFrom([]state.Proof{"", state.ProofResponse, state.ProofEcho, state.ProofPoll, state.ProofOperator}).Draw(rt, "proof")
		err := delivery.Transition(from, to, proof)
		switch {
		case err == nil && (from == state.Accepted || from > state.InDoubt || to > state.InDoubt || from == to):
			rt.Errorf("%s can be left for %s", from, to)
		case err == nil && to == state.Sending && from != state.Pending:
			rt.Errorf("an attempt starts from %s", from)
		case err == nil && to == state.Accepted && proof == "":
			rt.Errorf("%s is accepted without a proof", from)
		case err == nil && from == state.InDoubt && to == state.Pending && proof != state.ProofOperator:
			rt.Error("a doubt ends without a person")
		}
		var typed *delivery.TransitionError
		if err != nil && !errors.As(err, &typed) {
			rt.Errorf("%v is no *TransitionError", err)
		}
	})
}

func TestPackedValuesComeBack(t *testing.T) {
	s, _ := create(t)
	head := s.refHead
	rapid.Check(t, func(rt *rapid.T) {
		phoneKey := rapid.StringMatching(`\+[0-9]{1,20}`).Draw(rt, "phone")
		if id, ok := packed.PhoneID(phoneKey); ok && packed.PhoneText(id) != phoneKey {
			rt.Errorf("%s comes back as %s", phoneKey, packed.PhoneText(id))
		}
		ref := message.NewRef(s.lineage, "campaign.a", phoneKey, 1, rapid.IntRange(1, 9).Draw(rt, "attempt"))
		if b, ok := packRef(head, ref).([]byte); !ok || string(joinRef([]byte(head), b)) != ref {
			rt.Errorf("%s is packed as %v", ref, packRef(head, ref))
		}
		forged := ref[:len(ref)-1] + "="
		if same(packRef(head, forged), packRef(head, ref)) {
			rt.Errorf("%s is packed like %s", forged, ref)
		}
	})
}

func TestTheRestOfABackupIsNoBackup(t *testing.T) {
	o := closed(t)
	o.Backups = 2
	o.Clock = time.Now
	rest := []string{
		filepath.Join(filepath.Dir(o.Path), ".handbill.state.backup-20260301T120000.000-apply.123"),
		filepath.Join(filepath.Dir(o.Path), ".handbill.state.backup-20260301T120000.000-apply.123-journal"),
		o.Path + ".backup-20260301T120000.000-apply.4567", // the name that earlier versions gave
	}
	young := o.Path + ".backup-20360301T120000.000-apply.89"
	for _, path := range append(rest, young) {
		if err := os.WriteFile(path, []byte("cut off"), 0o600); err != nil {
			t.Fatal(err)
		}
		if path != young {
			if err := os.Chtimes(path, noon, noon); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var made []string
	for range 3 {
		path, err := s.AutoBackup(t.Context(), "apply")
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, path)
	}
	for _, path := range append(rest, made[0]) {
		if Exists(path) {
			t.Errorf("%s is left", filepath.Base(path))
		}
	}
	for _, path := range append(made[1:], young) { // another process may be writing it
		if !Exists(path) {
			t.Errorf("%s is gone", filepath.Base(path))
		}
	}
}

func TestABackupOfAnotherStateIsRefused(t *testing.T) {
	o := closed(t)
	other := options(filepath.Join(t.TempDir(), "other.state"))
	other.Rand = rand.NewChaCha8([32]byte{2})
	s, err := Create(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	named := s.lineage[:8]
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var refused *state.OtherStateError
	check := func(what string) {
		t.Helper()
		if err := Restore(t.Context(), other.Path, o); !errors.As(err, &refused) || refused.Backup != named || refused.Here == named {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("over a state")
	if err := os.WriteFile(o.Path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("over a damaged one")
	if err := os.Remove(o.Path); err != nil {
		t.Fatal(err)
	}
	check("where one was")
	o.Lineage = "00000000"
	check("by another name")
	o.Lineage = named
	if err := Restore(t.Context(), other.Path, o); err != nil {
		t.Fatal(err)
	}
	if why := halted(t, o); why == "" {
		t.Error("it is not halted")
	}
	acknowledge(t, o)
	if why := halted(t, o); why != "" {
		t.Errorf("once acknowledged: %s", why)
	}
}
