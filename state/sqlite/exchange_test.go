package sqlite

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func TestExchangesAreThePersonsAnswers(t *testing.T) {
	s, _ := create(t)
	for i, who := range []int{1, 1, 2} {
		events(t, s, message.Event{Kind: message.EventInbound, ID: string(rune('a' + i)), At: noon, From: message.Address{Phone: phone(who)}})
	}
	for seq, who := range map[int64]int{1: 1, 2: 1, 3: 2} {
		in := state.Intent{Key: state.Key{Campaign: "reply_rule.hello", Recipient: phone(who), Revision: int(seq)}, Attempt: 1, Message: "text_message.hello", Inbound: seq,
			Ref: message.NewRef(s.lineage, "reply_rule.hello", phone(who), int(seq), 1)}
		if v := intend(t, s, 0, in)[0]; v.Gate != "" {
			t.Fatal(v)
		}
	}
	for _, c := range []struct {
		name  string
		seq   int64
		since time.Time
		n     int
		want  int
	}{
		{"all", 0, noon.Add(-time.Hour), 10, 2},
		{"without those to one message", 2, noon.Add(-time.Hour), 10, 1},
		{"bounded", 0, noon.Add(-time.Hour), 1, 1},
		{"older ones are left out", 0, noon.Add(24 * time.Hour), 10, 0},
	} {
		got, err := s.Exchanges(t.Context(), phone(1), c.seq, c.since, c.n)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != c.want {
			t.Errorf("%s: %d, want %d", c.name, len(got), c.want)
		}
		for _, e := range got {
			if diff := cmp.Diff(noon, e.Asked); diff != "" || e.Answered.IsZero() {
				t.Errorf("%s: %+v", c.name, e)
			}
		}
	}
}
