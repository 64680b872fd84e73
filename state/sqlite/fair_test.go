package sqlite

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A process that commits without a pause, such as an apply, does not starve
// another one, such as a serve that records a reply: the other commits after a
// bounded number of commits, however slow the machine is.
func TestNobodyIsShutOut(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "handbill.state"))
	s, err := Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=apply "+o.Path)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	var lines atomic.Int64
	news := make(chan struct{}, 1)
	go func() {
		for sc := bufio.NewScanner(pipe); sc.Scan(); {
			if strings.HasPrefix(sc.Text(), "error") {
				t.Error(sc.Text())
			}
			lines.Add(1)
			select {
			case news <- struct{}{}:
			default:
			}
		}
	}()
	const most = 300
	for i := range 60 {
		before := lines.Load()
		for lines.Load() < before+3*childBatch { // it is at full speed again
			<-news
		}
		before = lines.Load()
		if err := s.Put(t.Context(), "variables", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		if n := (lines.Load() - before) / childBatch; n > most {
			t.Errorf("write %d waited for %d commits of the other", i, n)
		}
	}
	t.Logf("60 writes beside %d", lines.Load()/childBatch)
}
