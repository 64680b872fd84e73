// Package mariatest runs a MariaDB server for a test, on a socket in a temporary
// directory. If MariaDB is not installed the test is skipped; in CI it fails.
package mariatest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"
)

// Start starts a server that runs until the test ends, or the test's process does.
// It returns the path of its socket, where "root" has no password.
func Start(t testing.TB) (socket string) {
	t.Helper()
	server, install := program("mariadbd"), program("mariadb-install-db")
	if server == "" || install == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("MariaDB is not installed")
		}
		t.Skip("MariaDB is not installed")
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "handbill-maria-") // t.TempDir's path is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	// Without --user the server refuses to run as root.
	common := []string{"--no-defaults", "--user=" + me.Username, "--datadir=" + data}
	out, err := exec.CommandContext(t.Context(), install, append(common, "--auth-root-authentication-method=normal", "--skip-test-db")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	socket = filepath.Join(dir, "socket")
	run(t, dir, append([]string{server}, append(common, "--socket="+socket, "--skip-networking", "--innodb-buffer-pool-size=16M")...))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !listens(socket) {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("MariaDB did not start")
		}
	}
	return socket
}

// run runs a server until the test ends, and removes its directory. A shell ends it
// when the pipe to the shell is closed, however this process ends.
func run(t testing.TB, dir string, server []string) {
	const script = `"$@" & p=$!; cat >/dev/null; kill $p; wait $p; rm -rf "$0"`
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, dir}, server...)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	end, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = end.Close()
		_ = cmd.Wait() // the server was told to end
		if t.Failed() {
			t.Log(log.String())
		}
	})
}

// program finds one of MariaDB's programs; "" if there is none.
func program(name string) string {
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return ""
}

func listens(socket string) bool {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	return c.Close() == nil
}
