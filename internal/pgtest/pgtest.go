// Package pgtest runs a PostgreSQL cluster for tests, on a socket in a temporary
// directory. If PostgreSQL is not installed the test is skipped; in CI it fails.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Cluster is a running cluster.
type Cluster struct {
	Dir    string // of the socket
	user   string
	bin    string
	prefix []string // runs PostgreSQL's programs as a user other than root
	conf   string
}

// errMissing says why no cluster can be started.
var errMissing = errors.New("PostgreSQL is not installed")

// Start starts a cluster that runs until the test ends. superuser is the name of
// its superuser, who may use any password; settings are passed to pg_ctl -o.
func Start(t testing.TB, superuser, settings string) *Cluster {
	t.Helper()
	c, err := open(superuser, settings)
	must(t, err)
	t.Cleanup(func() {
		if err := c.remove(); err != nil {
			t.Error(err)
		}
	})
	return c
}

var (
	once   sync.Once
	shared *Cluster
	failed error
	last   atomic.Int64
)

// Shared returns the shared cluster of the test binary, whose TestMain must call
// Main. It uses PostgreSQL's default of syncing to disk.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	once.Do(func() { shared, failed = open("handbill", "") })
	must(t, failed)
	return shared
}

// Main runs the tests and ends the shared cluster: os.Exit(pgtest.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	if shared != nil {
		if err := shared.remove(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return max(code, 1)
		}
	}
	return code
}

func must(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, errMissing) && os.Getenv("CI") != "true":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// URL is the connection URL of the superuser.
func (c *Cluster) URL() string { return c.As(c.user, "") }

// As is the connection URL of a role.
func (c *Cluster) As(role, password string) string {
	who := url.User(role)
	if password != "" {
		who = url.UserPassword(role, password)
	}
	return (&url.URL{Scheme: "postgres", User: who, Path: "/postgres", RawQuery: url.Values{"host": {c.Dir}}.Encode()}).String()
}

// Run runs one of PostgreSQL's programs, connected to the cluster.
func (c *Cluster) Run(t testing.TB, program string, args ...string) {
	t.Helper()
	if err := c.run(program, append([]string{"-h", c.Dir, "-U", c.user, "-d", "postgres"}, args...)...); err != nil {
		t.Fatal(err)
	}
}

// Schema returns a schema name that no other test uses.
func Schema() string { return fmt.Sprintf("t%d", last.Add(1)) }

func open(superuser, settings string) (c *Cluster, err error) {
	c = &Cluster{user: superuser, bin: bin()}
	if c.bin == "" {
		return nil, errMissing
	}
	if c.Dir, err = os.MkdirTemp("", "handbill-pg-"); err != nil { // t.TempDir's path is too long for a socket
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(c.Dir)
		}
	}()
	if err := c.drop(); err != nil {
		return nil, err
	}
	if err := c.run("initdb", "-D", c.data(), "-A", "trust", "-U", superuser, "-E", "UTF8", "--locale=C", "--data-checksums"); err != nil {
		return nil, err
	}
	c.conf = "-c listen_addresses='' -c unix_socket_directories=" + c.Dir + " " + settings
	return c, c.Up()
}

func (c *Cluster) data() string { return filepath.Join(c.Dir, "data") }

// Up starts a stopped cluster.
func (c *Cluster) Up() error {
	return c.run("pg_ctl", "-D", c.data(), "-w", "-t", "60", "-l", filepath.Join(c.Dir, "log"), "-o", c.conf, "start")
}

// Down stops the server immediately, as in a crash: after Up, everything that was
// committed is still there.
func (c *Cluster) Down() error {
	return c.run("pg_ctl", "-D", c.data(), "-m", "immediate", "-w", "stop")
}

func (c *Cluster) remove() error {
	return errors.Join(c.Down(), os.RemoveAll(c.Dir))
}

func bin() string {
	if path, err := exec.LookPath("pg_ctl"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(real)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.Max(found))
}

// drop makes PostgreSQL's programs, which refuse to run as root, run as the user
// postgres if this process is root.
func (c *Cluster) drop() error {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	setpriv, lookErr := exec.LookPath("setpriv")
	if err = errors.Join(err, lookErr); err != nil {
		return fmt.Errorf("%w for a user who is not root: %w", errMissing, err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	c.prefix = []string{setpriv, "--reuid", u.Uid, "--regid", u.Gid, "--clear-groups"}
	return os.Chown(c.Dir, uid, gid)
}

func (c *Cluster) run(program string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	args = slices.Concat(c.prefix, []string{filepath.Join(c.bin, program)}, args)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = c.Dir
	// A file, not a pipe: the server that pg_ctl starts would keep the pipe open.
	log, err := os.CreateTemp("", "handbill-pg-out-")
	if err != nil {
		return err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, bytes.TrimSpace(text))
	}
	return nil
}
