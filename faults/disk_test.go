package faults

import (
	bits "encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
)

// diskErrors are the calls that fail, with which errors, and at which call. A
// failed disk may stay failed or recover; the latter is no better, since nobody
// knows what a failed sync dropped.
var diskErrors = []struct {
	calls  string
	errnos []string
	whens  []int
	fired  int // how many whens fire at least: an apply makes that many of these calls
}{
	{"fsync,fdatasync", []string{"EIO", "ENOSPC"}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 6},
	{"pwrite64", []string{"EIO", "ENOSPC"}, []int{1, 2, 4, 7, 9, 12, 14, 20, 30, 60}, 8},
	{"openat", []string{"EIO", "ENOSPC", "EROFS", "EMFILE"}, []int{3, 4, 5, 6, 7, 8, 10, 12, 14}, 4},
	{"ftruncate", []string{"EIO", "ENOSPC", "EROFS"}, []int{1, 2}, 1},
	{"unlink,unlinkat", []string{"EIO", "EROFS"}, []int{1, 2, 3}, 1},
	{"rename,renameat,renameat2", []string{"EIO", "ENOSPC", "EROFS"}, []int{1, 2, 3}, 1},
}

// TestDiskErrors makes the n-th call of a kind fail during an apply. Apply never
// panics, never sends an intended message twice, sends nothing that the state does
// not know, and says what happened and what to do. The next apply continues, and
// the state verifies.
func TestDiskErrors(t *testing.T) {
	if !traceable() {
		t.Skip("strace cannot run here")
	}
	ci, _ := effort()
	var runs, failed atomic.Int64
	for _, row := range diskErrors {
		for _, errno := range row.errnos {
			t.Run(row.calls+" "+errno, func(t *testing.T) {
				whens, fired := row.whens, 0
				if !ci {
					whens = whens[:1]
				}
				var mu sync.Mutex
				var wg sync.WaitGroup
				for half := range 2 {
					wg.Go(func() {
						for i := half; i < len(whens); i += 2 {
							once := i%4 > 1 // the disk recovers
							came, well := diskError(t, row.calls, errno, whens[i], once)
							if !came {
								continue
							}
							runs.Add(1)
							mu.Lock()
							fired++
							mu.Unlock()
							if !well {
								failed.Add(1)
							}
						}
					})
				}
				wg.Wait()
				if fired < min(row.fired, len(whens)) {
					t.Errorf("of %d errors, %d occurred", len(whens), fired)
				}
			})
		}
	}
	t.Logf("%d applies on disks that fail, of which %d ended early", runs.Load(), failed.Load())
}

// diskError runs one apply on a failing disk. fired says that the failure happened,
// and well that apply succeeded nevertheless.
func diskError(t *testing.T, calls, errno string, when int, once bool) (fired, well bool) {
	t.Helper()
	name := fmt.Sprintf("%s=%s at %d", calls, errno, when)
	inject := fmt.Sprintf("inject=%s:error=%s:when=%d", calls, errno, when)
	if !once {
		inject += "+"
	}
	h := newHouse(t, 30, sandbox.Options{Seed: 5})
	lines, out, code := h.strace(applyArgs, "-e", "trace="+calls, "-e", inject)
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "(INJECTED)") }) {
		return false, code == 0
	}
	if strings.Contains(out, "goroutine ") || strings.Contains(out, "bug in handbill") {
		t.Errorf("%s: it panics, or blames itself:\n%s", name, out)
	}
	if code == 0 && h.network.Totals().Posts < 30 {
		t.Errorf("%s: it ends well and sent %d:\n%s", name, h.network.Totals().Posts, out)
	}
	if code != 0 && !strings.Contains(out, "Error") {
		t.Errorf("%s: it ends with %d and says nothing:\n%s", name, code, out)
	}
	if code != 0 && (!saysOneOf(out, diskWords) || !saysOneOf(out, []string{"run the command again", "handbill explain"})) {
		t.Errorf("%s: it does not say what happened, and what to do:\n%s", name, out)
	}
	if open := count(h.deliveries(), state.Sending); open > parallel {
		t.Errorf("%s: %d are open, and no more than %d were in flight", name, open, parallel)
	}
	if out, code := h.run(applyArgs...); code != 0 {
		t.Errorf("%s: the next apply ends with %d:\n%s", name, code, out)
	}
	h.judge()
	if out, code := h.run("state", "verify"); code != 0 {
		t.Errorf("%s: verify ends with %d:\n%s", name, code, out)
	}
	return true, code == 0
}

var diskWords = []string{"input/output error", "disk I/O error", "no space left", "disk is full", "can't be read or written", "read-only file system", "too many open files"}

func saysOneOf(out string, words []string) bool {
	flat := flatten(out)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(flat, w) })
}

// flatten removes the borders and line ends of boxes from an output.
func flatten(out string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " ")
}

// disk mounts a small separate file system, or skips the test.
func disk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("a file system cannot be mounted here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// TestFullDisk fills the disk while an apply sends: it stops and says so, and once
// there is room the next one continues. On a disk that is too small from the start
// nothing is sent.
func TestFullDisk(t *testing.T) {
	h := build(t, 400, sandbox.Options{Seed: 6, Latency: 10 * time.Millisecond}, plot{dir: disk(t, "80m")})
	r := h.start()
	h.posted(r, 40)
	ballast := filepath.Join(h.dir, "ballast")
	fill(t, ballast)
	out, code := r.wait(t)
	if sent := h.network.Totals().Posts; code == 0 || sent >= 400 {
		t.Fatalf("the disk ran full and apply ended with %d after %d sends:\n%s", code, sent, out)
	}
	for _, want := range []string{"The state could not be written, so nothing more was sent", "The disk is full: make room, and run the command again"} {
		if !strings.Contains(flatten(out), want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if open := count(h.deliveries(), state.Sending); open > parallel {
		t.Errorf("%d are open, and no more than %d were in flight", open, parallel)
	}
	before := h.network.Totals().Posts
	out, code = h.run(applyArgs...)
	if code == 0 || h.network.Totals().Posts > before || !strings.Contains(out, "Error") {
		t.Errorf("on the full disk apply ends with %d and sends:\n%s", code, out)
	}
	if out, code := h.run("status"); code != 0 {
		t.Errorf("on the full disk status ends with %d:\n%s", code, out)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if out, code := h.run(applyArgs...); code != 0 {
		t.Errorf("with room again, apply ends with %d:\n%s", code, out)
	}
	t.Logf("the disk ran full after %d of 400 messages; %d are in doubt at the end", before, h.judge())
	if out, code := h.run("state", "verify"); code != 0 {
		t.Errorf("verify ends with %d:\n%s", code, out)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 4
		}
	}
}

func TestTooSmallADisk(t *testing.T) {
	h := build(t, 30, sandbox.Options{Seed: 6}, plot{dir: disk(t, "4m")})
	out, code := h.run(applyArgs...)
	if code == 0 || h.network.Totals().Posts > 0 || !strings.Contains(out, "Too little space on the disk") {
		t.Errorf("apply ends with %d after %d sends:\n%s", code, h.network.Totals().Posts, out)
	}
}

// TestReadOnlyDisk makes a project read-only, once after a killed apply and once
// after a finished one. Commands that read work, commands that send refuse before
// the first request, and once the project is writable again everything continues.
func TestReadOnlyDisk(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprint("killed ", killed), func(t *testing.T) {
			h := build(t, 60, sandbox.Options{Seed: 7}, plot{dir: disk(t, "100m")})
			if killed {
				if _, code := h.start("HANDBILL_FP=answer-after:20").wait(t); code != -1 {
					t.Fatalf("it was not killed: %d", code)
				}
			}
			remount(t, h.dir, syscall.MS_RDONLY)
			before := h.network.Totals().Posts
			for _, args := range [][]string{{"plan"}, {"status"}, {"state", "verify"}} {
				if out, code := h.run(args...); code != 0 {
					t.Errorf("%v ends with %d:\n%s", args, code, out)
				}
			}
			out, code := h.run(applyArgs...)
			if code == 0 || h.network.Totals().Posts > before {
				t.Errorf("apply ends with %d and sends %d:\n%s", code, h.network.Totals().Posts-before, out)
			}
			if !strings.Contains(flatten(out), "The file system takes no writes, or this user may not write there: mount it writable") {
				t.Errorf("apply does not say what to do:\n%s", out)
			}
			remount(t, h.dir, 0)
			if out, code := h.run(applyArgs...); code != 0 {
				t.Errorf("apply ends with %d:\n%s", code, out)
			}
			h.judge()
		})
	}
}

func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|flags, "size=100m"); err != nil {
		t.Fatal(err)
	}
}

// networkMagic are the file systems on which a state may not be, by the number that
// statfs(2) returns, from linux/magic.h and the manual page, read 2026-11.
var networkMagic = map[string]uint64{
	"NFS": 0x6969, "SMB": 0x517b, "CIFS": 0xff534d42, "SMB2": 0xfe534d42, "9p": 0x01021997, "FUSE": 0x65735546, "AFS": 0x5346414f,
	"Ceph": 0x00c36400, "Lustre": 0x0bd00bd0, "GPFS": 0x47504653, "Coda": 0x73757245, "NCP": 0x564c,
}

// TestNetworkFileSystem makes statfs(2) report each network file system: no command
// opens a state there, and none is created.
func TestNetworkFileSystem(t *testing.T) {
	h := newHouse(t, 5, sandbox.Options{Seed: 8})
	if out, code := h.run(applyArgs...); code != 0 {
		t.Fatalf("apply ends with %d:\n%s", code, out)
	}
	names := slices.Sorted(maps.Keys(networkMagic))
	if ci, _ := effort(); !ci {
		names = []string{"FUSE", "NFS"}
	}
	for _, name := range names {
		magic := networkMagic[name]
		poke := fmt.Sprintf("inject=statfs:poke_exit=@arg2=%x", binary64(magic))
		for _, args := range [][]string{applyArgs, {"plan"}, {"status"}} {
			_, out, code := h.strace(args, "-e", "trace=statfs", "-e", poke)
			if code == 0 || !strings.Contains(flatten(out), "it is on a network file system ("+name+")") || !strings.Contains(flatten(out), "keep it on a local disk") {
				t.Errorf("%s, %v: ends with %d:\n%s", name, args[0], code, out)
			}
		}
	}
	fresh := newHouse(t, 5, sandbox.Options{Seed: 8})
	if err := os.Remove(fresh.statePath()); err != nil {
		t.Fatal(err)
	}
	_, out, code := fresh.strace([]string{"init"}, "-e", "trace=statfs", "-e", fmt.Sprintf("inject=statfs:poke_exit=@arg2=%x", binary64(networkMagic["NFS"])))
	if _, err := os.Stat(fresh.statePath()); code == 0 || err == nil {
		t.Errorf("init ends with %d, and there is a state: %v\n%s", code, err == nil, out)
	}
}

func binary64(v uint64) []byte { return bits.NativeEndian.AppendUint64(nil, v) }
