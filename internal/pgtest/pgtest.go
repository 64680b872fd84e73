// Package pgtest runs a PostgreSQL cluster for tests, on a socket in a temporary
// directory. If PostgreSQL is not installed the test is skipped; in CI it fails.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
	own    func(dir string) error // gives a directory to that user
	watch  io.Closer              // ends the cluster when it is closed, or when this process ends
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
	defer func() {
		if err != nil {
			_ = c.remove() // the error says more
		}
	}()
	if err := c.place(); err != nil {
		return nil, err
	}
	if err := c.run("initdb", "-D", c.data(), "-A", "trust", "-U", superuser, "-E", "UTF8", "--locale=C", "--data-checksums"); err != nil {
		return nil, err
	}
	c.conf = "-c listen_addresses='' -c unix_socket_directories=" + c.Dir + " " + settings
	return c, c.Up()
}

// place makes the directory of a cluster, and has it removed at the end of the process.
func (c *Cluster) place() (err error) {
	if c.Dir, err = os.MkdirTemp("", "handbill-pg-"); err != nil { // t.TempDir's path is too long for a socket
		return err
	}
	return errors.Join(c.drop(), c.watched())
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
	var err error
	if there(filepath.Join(c.data(), "postmaster.pid")) {
		err = c.Down()
	}
	err = errors.Join(err, os.RemoveAll(c.Dir))
	if c.watch != nil {
		err = errors.Join(err, c.watch.Close())
	}
	return err
}

// watched starts a process that ends the server when this one does, however it ends:
// go test kills a test that takes too long. It waits for the end of a pipe of which
// this process alone has the other one.
func (c *Cluster) watched() error {
	const script = `trap "" INT TERM HUP; cat >/dev/null; dir=$1; shift; [ -d "$dir" ] || exit 0; "$@" >/dev/null 2>&1; rm -rf "$dir"`
	stop := slices.Concat(c.prefix, []string{filepath.Join(c.bin, "pg_ctl"), "-D", c.data(), "-m", "immediate", "-w", "stop"})
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "watch", c.Dir}, stop...)...)
	end, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	c.watch = end
	return cmd.Start()
}

// Standby makes a standby of the cluster, which runs and receives what is committed,
// without anybody waiting for it.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	s := c.another(t)
	must(t, s.run("pg_basebackup", "-h", c.Dir, "-U", c.user, "-D", s.data(), "-R", "-X", "stream", "-c", "fast"))
	must(t, s.Up())
	return s
}

// another is a cluster without files, which the test removes.
func (c *Cluster) another(t testing.TB) *Cluster {
	t.Helper()
	s := &Cluster{user: c.user, bin: c.bin}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	must(t, s.place())
	s.conf = c.conf + " -c unix_socket_directories=" + s.Dir // the last one counts
	return s
}

// Promote makes a primary of a standby.
func (c *Cluster) Promote(t testing.TB) {
	t.Helper()
	must(t, c.run("pg_ctl", "-D", c.data(), "-w", "-t", "60", "promote"))
}

// Copy makes a second cluster of the files of a stopped one, and starts it.
func (c *Cluster) Copy(t testing.TB) *Cluster {
	t.Helper()
	s := c.another(t)
	args := slices.Concat(s.prefix, []string{"cp", "-a", c.data(), s.data()})
	if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	must(t, s.Up())
	return s
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
	c.own = func(string) error { return nil }
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
	c.own = func(dir string) error { return os.Chown(dir, uid, gid) }
	return c.own(c.Dir)
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

// errPooler says why no pooler can be started.
var errPooler = fmt.Errorf("PgBouncer is not installed: %w", errMissing)

// Pooler starts PgBouncer in transaction mode in front of the cluster, with some
// connections to it, until the test ends. It returns the directory of its socket, at
// port 6432.
func (c *Cluster) Pooler(t testing.TB, connections int) (dir string) {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !there(program) {
			must(t, errPooler)
		}
	}
	// No context ends the shell: it has to end the pooler first.
	dir = filepath.Join(c.Dir, "pool")
	ini := filepath.Join(c.Dir, "pool.ini")
	must(t, os.Mkdir(dir, 0o755))
	must(t, os.WriteFile(ini, fmt.Appendf(nil, "[databases]\npostgres = host=%s user=%s\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = %s\n"+
		"auth_type = any\npool_mode = transaction\ndefault_pool_size = %d\nmax_client_conn = 900\n", c.Dir, c.user, dir, connections), 0o644))
	must(t, c.own(dir))
	args := slices.Concat(c.prefix, []string{program, "-q", ini})
	cmd := exec.Command("/bin/sh", append([]string{"-c", `"$@" </dev/null & p=$!; cat >/dev/null; kill $p; wait $p`, "pool"}, args...)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	end, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = end.Close()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Log(log.String())
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !listens(filepath.Join(dir, ".s.PGSQL.6432")) {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("PgBouncer did not start")
		}
	}
	return dir
}

// listens reports whether a socket takes connections.
func listens(socket string) bool {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
