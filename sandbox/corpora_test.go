package sandbox_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

func corpus(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("HANDBILL_CORPORA")
	if dir == "" {
		t.Skip("HANDBILL_CORPORA is not set")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRealMessages sends what others sent: valid messages are accepted, the
// others refused.
func TestRealMessages(t *testing.T) {
	path := os.Getenv("HANDBILL_CORPORA")
	if path == "" {
		t.Skip("HANDBILL_CORPORA is not set")
	}
	f, err := os.Open(filepath.Join(path, "messages", "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := serve(t, sandbox.Options{AssumeOpen: true, Throughput: -1})
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c struct {
			Key, Label  string
			Interactive json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		got := n.send(sandbox.Cloud, interactive(string(c.Interactive)))
		if (got.status == 200) != (c.Label == "valid") {
			t.Errorf("%s is %s, got %d %s", c.Key, c.Label, got.status, got.body)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestRejectedMessages sends what WhatsApp refused and compares the error
// texts.
func TestRejectedMessages(t *testing.T) {
	var cases []struct {
		Name, Details string
		Code          int
		Interactive   json.RawMessage
	}
	if err := json.Unmarshal(corpus(t, "messages/rejected.json"), &cases); err != nil {
		t.Fatal(err)
	}
	n := serve(t, sandbox.Options{AssumeOpen: true, Throughput: -1})
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			got := n.send(sandbox.Cloud, interactive(string(c.Interactive)))
			var e struct {
				Error struct {
					Code int
					Data struct{ Details string } `json:"error_data"`
				}
			}
			if got.status != 400 || json.Unmarshal([]byte(got.body), &e) != nil {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if c.Code != 0 && c.Code != e.Error.Code {
				t.Errorf("code %d, want %d", e.Error.Code, c.Code)
			}
			if c.Details != "" && c.Details != e.Error.Data.Details {
				t.Errorf("details %q, want %q", e.Error.Data.Details, c.Details)
			}
		})
	}
}
