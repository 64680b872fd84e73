package faults

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// second is the house's state under a second name, in another project with the same
// campaign.
type second struct {
	name string
	// link makes the second name; script mounts it in a separate mount namespace,
	// as a container does. In the script $HOUSE is the directory of the state,
	// which the container does not see, and $HERE is the second project.
	link   func(from, to string) error
	script string
	// alone says that the two names have different files beside the state. Then
	// nothing is sent under the second name, and nothing under the first if
	// handbill can tell there.
	alone, both bool
}

const hidden = ` && mount -t tmpfs tmpfs "$HOUSE" && cd "$HERE"`

var seconds = []second{
	{name: "a hard link", link: os.Link, alone: true, both: true},
	{name: "a symbolic link", link: os.Symlink},
	{name: "the file mounted into another folder", script: `: > handbill.state && mount --bind "$HOUSE/handbill.state" handbill.state`, alone: true},
	{name: "a container that is given the file", script: `: > handbill.state && mount --bind "$HOUSE/handbill.state" handbill.state` + hidden, alone: true},
	{name: "a container that is given the folder", script: `mount --bind "$HOUSE" "$HERE"` + hidden},
}

// guest is a separate house that has the state under a second name.
func (c *second) guest(t *testing.T, h *house) *house {
	t.Helper()
	g := *h
	g.dir = t.TempDir()
	for _, name := range []string{"main.hcl", "contacts.csv"} {
		g.write(name, string(h.file(t, name)))
	}
	if c.link != nil {
		if err := c.link(h.statePath(), g.statePath()); err != nil {
			t.Fatal(err)
		}
	}
	return &g
}

// begin starts a command under the second name.
func (c *second) begin(t *testing.T, g, h *house, args ...string) *running {
	t.Helper()
	if c.script == "" {
		return g.begin(args)
	}
	return g.inside(c.script+` && exec "$0" "$@"`, args, "HOUSE="+h.dir, "HERE="+g.dir)
}

// inside starts a command in a separate mount namespace, after a script has mounted
// there. Without root it also gets a user namespace.
func (h *house) inside(script string, args []string, env ...string) *running {
	h.t.Helper()
	own := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		own.Cloneflags |= syscall.CLONE_NEWUSER
		own.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		own.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	script = "mount --make-rprivate / && " + script
	return h.launchAs(own, "sh", append([]string{"-c", script, handbill(h.t)}, args...), env...)
}

// mounts skips a test if mounting is impossible; in CI it must be possible.
func mounts(t *testing.T, h *house) {
	t.Helper()
	r := h.inside(`mount -t tmpfs tmpfs "$HERE" && exec true`, nil, "HERE="+t.TempDir())
	if out, code := r.wait(t); code != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("nothing can be mounted here: ", out)
		}
		t.Skip("nothing can be mounted here: ", out)
	}
}

const twoPaths = "State can be reached by two paths"

// TestOneStateUnderTwoNames runs applies on one state under two names: at the same
// time, one after the other was killed, and with the name made while one runs.
// Nobody is sent to twice. If the two names have different files beside the state,
// every command says so and what to do.
func TestOneStateUnderTwoNames(t *testing.T) {
	beside(t)
	for _, c := range seconds {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 30, sandbox.Options{Seed: 31, Latency: 20 * time.Millisecond})
			if c.script != "" {
				mounts(t, h)
			}
			c.atOnce(t, h)
			c.killed(t, h)
		})
	}
}

// atOnce starts two applies at the same time, while a third one may run.
func (c *second) atOnce(t *testing.T, h *house) {
	third := h.start()
	h.posted(third, 4)
	g := c.guest(t, h)
	a, b := h.start(), c.begin(t, g, h, applyArgs...)
	first, code := a.wait(t)
	if c.both {
		h.says("apply", first, code, twoPaths, "Remove the other names")
	} else if code != 0 {
		h.says("apply", first, code, "State locked")
	}
	out, code := b.wait(t)
	switch {
	case c.alone:
		h.says("apply under the second name", out, code, twoPaths)
	case code != 0:
		h.says("apply under the second name", out, code, "State locked")
	}
	if out, code := third.wait(t); code != 0 {
		t.Errorf("the apply that ran before ends with %d:\n%s", code, out)
	}
	for _, args := range [][]string{{"plan"}, {"status"}, {"state", "restore", filepath.Base(h.backup(t))}, {"serve", "-listen=127.0.0.1:0"}} {
		if !c.alone {
			break
		}
		out, code := c.begin(t, g, h, args...).wait(t)
		h.says(args[0], out, code, twoPaths, "handbill explain state_names")
	}
	if c.link != nil {
		if err := os.Remove(g.statePath()); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := h.run(applyArgs...); code != 0 {
		t.Errorf("apply ends with %d:\n%s", code, out)
	}
	if doubts := h.judge(); doubts > 0 {
		t.Errorf("%d in doubt", doubts)
	}
}

// backup is a backup beside the state.
func (h *house) backup(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(h.statePath() + ".backup-*")
	if err != nil || len(found) == 0 {
		t.Fatal("there is no backup: ", err)
	}
	return found[0]
}

// killed kills an apply under the second name and runs the next one under the
// first, and the other way round.
func (c *second) killed(t *testing.T, h *house) {
	if c.alone {
		return // nothing is sent under one of them
	}
	g := c.guest(t, h)
	under := []func(args ...string) *running{
		func(args ...string) *running { return h.begin(args) },
		func(args ...string) *running { return c.begin(t, g, h, args...) },
	}
	for i := range under {
		before := h.network.Totals().Posts
		r := under[i](append(applyArgs[:len(applyArgs):len(applyArgs)], "-replace=campaign.spring")...)
		h.posted(r, before+6)
		r.signal(syscall.SIGKILL)
		<-r.done
		out, code := under[1-i](applyArgs...).wait(t)
		if code != 0 && !strings.Contains(out, "in doubt") {
			t.Errorf("the apply after a kill ends with %d:\n%s", code, out)
		}
		sent := h.network.Totals().Posts - before
		if sent > uint64(h.people) {
			t.Errorf("%d requests for one message to each of %d", sent, h.people)
		}
	}
}
