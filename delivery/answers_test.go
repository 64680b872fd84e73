package delivery

import (
	"fmt"
	"testing"

	"github.com/handbill/handbill/message"
)

// Three answers to other messages halt a number, unless a thousand correct ones
// came between them: one in a month is no reason to stop.
func TestAnswersOfOtherMessages(t *testing.T) {
	to := message.Address{Phone: "+4915112345601"}
	for _, c := range []struct {
		between int
		halts   bool
	}{{0, true}, {1, true}, {knownIDs - 1, true}, {knownIDs, false}} {
		var answers Answers
		id, halted := 0, false
		own := func(n int) {
			for range n {
				id++
				a := message.Answer{Class: message.Accepted, ID: fmt.Sprint("m", id), Recipient: "4915112345601"}
				if doubted, _ := answers.Doubt(to, &a); doubted {
					t.Fatalf("an answer of its own is in doubt: %+v", a)
				}
			}
		}
		for wrong := range wrongAnswers {
			own(c.between)
			a := message.Answer{Class: message.Accepted, ID: "x", Recipient: "4930555601"}
			doubted, halt := answers.Doubt(to, &a)
			if !doubted || a.Class != message.Unknown || a.ID != "" {
				t.Errorf("an answer to somebody else: %+v", a)
			}
			if halted = halt; halted && wrong < wrongAnswers-1 {
				t.Errorf("halted after %d", wrong+1)
			}
		}
		if halted != c.halts {
			t.Errorf("with %d right ones between them: halted %v", c.between, halted)
		}
	}
}

func TestAnAnswerWithAnOldID(t *testing.T) {
	var answers Answers
	to := message.Address{UserID: "DE.1"}
	take := func(id string) bool {
		doubted, _ := answers.Doubt(to, &message.Answer{Class: message.Accepted, ID: id})
		return doubted
	}
	if take("") || take("") || take("first") || !take("first") {
		t.Error("an id counts once, and none says nothing")
	}
	for i := range knownIDs {
		take(fmt.Sprint(i))
	}
	if take("first") {
		t.Error("an id is remembered longer than said")
	}
	refused := message.Answer{Class: message.Refused, ID: "0", Recipient: "DE.2"}
	if doubted, _ := answers.Doubt(to, &refused); doubted {
		t.Error("a refusal is in doubt")
	}
}
