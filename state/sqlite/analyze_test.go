package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Verify accepts the statistics that an SQLite tool writes, but reports a table
// that somebody added.
func TestVerifyAfterAnSQLiteTool(t *testing.T) {
	ctx := t.Context()
	s, err := Create(ctx, Options{Path: filepath.Join(t.TempDir(), "s"), Clock: time.Now, Rand: strings.NewReader("sixteen letters!")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, tool := range []struct {
		does  string
		sound bool
	}{{"ANALYZE", true}, {"CREATE TABLE sqlitestat1 (a)", false}} {
		if err := s.writer.script(tool.does); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Verify(ctx); err != nil || r.OK() != tool.sound {
			t.Errorf("after %s: %+v, %v", tool.does, r, err)
		}
	}
}
