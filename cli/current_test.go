package cli_test

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/message"
)

// An accepted stop appears in every list of opt-outs, even if serve ended before
// joining it.
func TestListsJoinWhatWaitsFirst(t *testing.T) {
	for _, args := range [][]string{{"state", "optouts", "list", "-show-recipients"}, {"state", "optouts", "list", "-csv"}, {"state", "pull"}, {"state", "export", "-out=all.jsonl"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			d, _ := springDesk(t)
			putInbox(t, d, message.Event{Kind: message.EventInbound, ID: "wamid.in", Type: "text", Text: "Stop", At: d.now(), From: message.Address{Phone: "+4915112345673"}})
			out := d.must(0, args...)
			if args[1] == "export" {
				out = string(d.file("all.jsonl"))
			}
			if !strings.Contains(out, "+4915112345673") || !strings.Contains(out, "stop_word") {
				t.Errorf("the list does not have who stopped:\n%s", out)
			}
		})
	}
}
