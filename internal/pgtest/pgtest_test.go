package pgtest

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes of the test's own binary a process that is killed while it has a
// cluster.
func TestMain(m *testing.M) {
	if os.Getenv("HANDBILL_PGTEST") == "" {
		os.Exit(m.Run())
	}
	c, err := open("handbill", "-c fsync=off")
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(c.Dir)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// TestAClusterEndsWithItsProcess: go test kills what takes too long, and no server
// stays behind.
func TestAClusterEndsWithItsProcess(t *testing.T) {
	if bin() == "" {
		must(t, errMissing)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "HANDBILL_PGTEST=1")
	out, err := cmd.Output()
	dir := string(out)
	if err == nil || !strings.Contains(dir, "handbill-pg-") {
		t.Fatalf("the process ended with %v and %q", err, dir)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("the cluster in %s is still there", dir)
		}
	}
}
