package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
)

// codecCampaigns are the campaigns of the entries below.
var codecCampaigns = []Campaign{{Address: "campaign.spring", Source: "contacts.csv"}}

func codecEntry(i int) *Entry {
	return &Entry{Action: Send, Attempt: 1, Values: []string{fmt.Sprintf("Name %d", i), "Köln"}, Digest: [16]byte{byte(i), 1},
		WindowUntil: testAt.Add(time.Hour),
		Recipient:   message.Recipient{Address: message.Address{Phone: fmt.Sprintf("+4915%09d", i)}, Place: message.Place{File: "contacts.csv", Line: i + 2}}}
}

func TestEntrySize(t *testing.T) {
	var all []byte
	for i := range 1000 {
		all = AppendEntry(all, codecEntry(i), &codecCampaigns[0])
	}
	if n := len(all) / 1000; n > 120 {
		t.Errorf("an entry takes %d bytes; at most 120 are promised", n)
	}
}

// FuzzEntries checks that, for any bytes, reading entries ends in an error or
// in entries that can be written and read again.
func FuzzEntries(f *testing.F) {
	seed := AppendEntry(nil, codecEntry(1), &codecCampaigns[0])
	f.Add(AppendEntry(seed, &Entry{Action: Skip, Reason: "duplicate", Draft: -1}, &codecCampaigns[0]))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &MemorySpool{}
		_, _ = s.Write(data)
		var again []byte
		err := eachEntry(s.Open, codecCampaigns, func(e *Entry, _ []byte) bool {
			again = AppendEntry(again, e, &codecCampaigns[0])
			return true
		})
		if err != nil {
			return
		}
		second := &MemorySpool{}
		_, _ = second.Write(again)
		if err := eachEntry(second.Open, codecCampaigns, func(*Entry, []byte) bool { return true }); err != nil {
			t.Fatalf("what was decoded does not encode: %v", err)
		}
	})
}
