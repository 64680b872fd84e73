package providertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/handbill/handbill/message"
)

// Corpus reads one member of every line of a file of the corpora; it skips the
// test where HANDBILL_CORPORA is not set.
func Corpus(t *testing.T, file, member string) []json.RawMessage {
	t.Helper()
	raw := ReadCorpus(t, file)
	var out []json.RawMessage
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var line map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		out = append(out, line[member])
	}
	if len(out) == 0 {
		t.Fatalf("%s is empty", file)
	}
	return out
}

// ReadCorpus reads a file of the corpora; it skips the test where
// HANDBILL_CORPORA is not set.
func ReadCorpus(t testing.TB, file string) []byte {
	t.Helper()
	root := os.Getenv("HANDBILL_CORPORA")
	if root == "" {
		t.Skip("HANDBILL_CORPORA is not set, so there is nothing to read")
	}
	raw, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// CheckEvents checks what must hold for the events of any body.
func CheckEvents(t *testing.T, events []message.Event, err error) {
	t.Helper()
	if err != nil && len(events) > 0 {
		t.Errorf("both events and an error: %v", err)
	}
	for _, e := range events {
		switch {
		case e.Kind == "":
			t.Errorf("an event without a kind: %+v", e)
		case e.Kind == message.EventOther && (e.Reason == "" || len(e.Raw) == 0):
			t.Errorf("an event is kept without reason or text: %+v", e)
		case e.Kind == message.EventStatus && (e.ID == "" && e.Ref == "" || e.Rank == message.RankNone && !e.Failed):
			t.Errorf("a status says nothing: %+v", e)
		case e.Kind == message.EventInbound && (e.ID == "" || e.From.Key() == ""):
			t.Errorf("a message without id or sender: %+v", e)
		}
	}
}
