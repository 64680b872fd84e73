package statetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func status(id, ref string, rank message.Rank, at time.Time) message.Event {
	return message.Event{Kind: message.EventStatus, ID: id, Ref: ref, Rank: rank, At: at}
}

// priced returns a status that also reports a price.
func priced(ev message.Event, category string) message.Event {
	ev.Billing = &message.Billing{Billable: category != "service", Category: category, Model: "PMP", Type: "regular"}
	return ev
}

func failure(id, ref, code string, at time.Time) message.Event {
	return message.Event{Kind: message.EventStatus, ID: id, Ref: ref, Failed: true, Code: code, Title: "t" + code, At: at}
}

func events(t T, s state.Store, evs ...message.Event) {
	t.Helper()
	if err := s.Events(t.Context(), "provider.cloud.main", evs); err != nil {
		t.Fatal(err)
	}
}

// TestAnyOrderEndsInTheSameState shuffles and repeats the events of one campaign,
// with the answers to the sends somewhere in between.
func (u suite) TestAnyOrderEndsInTheSameState(t *testing.T) {
	story := func(s state.Store, v []state.Verdict) []any {
		ref := message.NewRef(lineage(s), "campaign.spring", phone(0), 1, 1)
		a, b, c := "wamid.YWE=", "id-b", "id-c"
		return []any{
			accepted(v[0], a), accepted(v[1], b), state.Outcome{Attempt: v[2].Attempt, Send: state.InDoubt, Cause: "timeout", At: noon},
			priced(status(a, ref, message.RankSent, noon.Add(-3*time.Minute)), "utility"), priced(status(a, ref, message.RankDelivered, noon.Add(-2*time.Minute)), "marketing"),
			status(a, "", message.RankRead, noon.Add(-time.Minute)), failure(a, ref, "131026", noon.Add(-time.Minute)),
			failure(b, "", "131050", noon.Add(-time.Minute)), failure(b, "", "131049", noon.Add(-time.Minute)), status(b, "", message.RankSent, noon.Add(-2*time.Minute)),
			status(c, message.NewRef(lineage(s), "campaign.spring", phone(2), 1, 1), message.RankSent, noon.Add(-time.Minute)),
			priced(status(c, "", message.RankDelivered, noon.Add(-time.Second)), "service"),
			message.Event{Kind: message.EventInbound, ID: "in1", ContextID: a, At: noon.Add(-30 * time.Second), From: message.Address{Phone: phone(0)}, Type: "text", ProfileName: "Ann"},
			message.Event{Kind: message.EventInbound, ID: "in2", ContextID: a, At: noon.Add(-20 * time.Second), From: message.Address{Phone: phone(0)}, Type: "text", ProfileName: "Anna"},
			message.Event{Kind: message.EventPreference, OptOut: true, At: noon.Add(-2 * time.Minute), From: message.Address{Phone: phone(0)}},
			message.Event{Kind: message.EventPreference, At: noon.Add(-time.Minute), From: message.Address{Phone: phone(0)}},
		}
	}
	var want string
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		repeat := rapid.SliceOfN(rapid.IntRange(0, 15), 0, 8).Draw(rt, "repeat")
		s, _ := u.create(rt)
		run := begin(rt, s)
		v := intend(rt, s, run, intent(s, phone(0)), intent(s, phone(1)), intent(s, phone(2)))
		steps := story(s, v)
		if want != "" { // the first run keeps the original order
			for _, i := range repeat {
				steps = append(steps, steps[i])
			}
			rand.New(rand.NewPCG(seed, 0)).Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		}
		for _, step := range steps {
			switch step := step.(type) {
			case state.Outcome:
				settle(rt, s, run, step)
			case message.Event:
				events(rt, s, step)
			}
		}
		got := picture(rt, s)
		if want == "" {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("another order, another state (-want +got):\n%s", diff)
		}
	})
}

// picture is what must not depend on the order: everything except the proof and its
// time.
func picture(t T, s state.Store) string {
	out := ""
	for _, d := range deliveries(t, s) {
		p := person(t, s, d.Recipient)
		out += fmt.Sprintln(d.Recipient, d.Send, d.ID, d.Rank, d.RankAt, d.Failed, d.FailCode, d.Replied, d.Billing,
			p.LastInbound, p.WindowEnds, p.OptedOut, p.OptOut, p.OptOutAt, p.Cooldown, p.ProfileName)
	}
	f, err := s.Findings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out + fmt.Sprintln(len(f), "findings")
}

func (u suite) TestProofOfAStatus(t *testing.T) {
	for _, tc := range []struct {
		name    string
		outcome *state.Outcome
		event   func(ref string) message.Event
		send    state.Send
		finding string
	}{
		{"open", nil, func(ref string) message.Event { return status("x", ref, message.RankSent, noon) }, state.Accepted, ""},
		{"in doubt", &state.Outcome{Send: state.InDoubt}, func(ref string) message.Event { return status("x", ref, message.RankSent, noon) }, state.Accepted, ""},
		{"in doubt, and failed", &state.Outcome{Send: state.InDoubt}, func(ref string) message.Event { return failure("x", ref, "131026", noon) }, state.Accepted, ""},
		{"refused", &state.Outcome{Send: state.Rejected, Code: "100"}, func(ref string) message.Event { return status("x", ref, message.RankRead, noon) }, state.Accepted, state.FindingContradiction},
		{"not taken", &state.Outcome{Send: state.Pending}, func(ref string) message.Event { return status("x", ref, message.RankRead, noon) }, state.Accepted, state.FindingContradiction},
		{"accepted with another id", &state.Outcome{Send: state.Accepted, ID: "y", Proof: state.ProofResponse}, func(ref string) message.Event { return status("x", ref, message.RankRead, noon) }, state.Accepted, state.FindingDuplicate},
		{"of somebody else", &state.Outcome{Send: state.InDoubt}, func(string) message.Event { return status("x", "theirs", message.RankRead, noon) }, state.InDoubt, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := u.create(t)
			run := begin(t, s)
			in := intent(s, phone(1))
			v := intend(t, s, run, in)
			if tc.outcome != nil {
				o := *tc.outcome
				o.Attempt, o.At = v[0].Attempt, noon
				settle(t, s, run, o)
			}
			events(t, s, tc.event(in.Ref))
			if d := oneDelivery(t, s); d.Send != tc.send {
				t.Errorf("%s, want %s", d.Send, tc.send)
			}
			found, err := s.Findings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			kind := ""
			if len(found) == 1 {
				kind = found[0].Kind
			}
			if kind != tc.finding || len(found) > 1 {
				t.Errorf("findings %+v, want %q", found, tc.finding)
			}
		})
	}
}

// A message is not sent a third time if the provider denied the first attempt, a
// second was made, and then the first turns out to have been accepted.
func (u suite) TestTheEchoOfADeniedAttemptEndsTheDelivery(t *testing.T) {
	for _, first := range []state.Outcome{{Send: state.Pending}, {Send: state.Rejected, Code: "131026"}} {
		for _, second := range []state.Outcome{{Send: state.Pending}, {Send: state.Rejected}, {Send: state.InDoubt}} {
			s, _ := u.create(t)
			run := begin(t, s)
			in := intent(s, phone(1))
			echo := status("wamid.YWE=", in.Ref, message.RankSent, noon)
			for i, o := range []state.Outcome{first, second} {
				in.Attempt, in.Retry = i+1, true
				in.Ref = message.NewRef(lineage(s), in.Campaign, in.Recipient, 1, i+1)
				o.Attempt, o.At = intend(t, s, run, in)[0].Attempt, noon
				settle(t, s, run, o)
			}
			events(t, s, echo, status("wamid.YWE=", "", message.RankRead, noon))
			if d := oneDelivery(t, s); d.Send != state.Accepted || d.ID != "wamid.YWE=" || d.Rank != message.RankRead {
				t.Errorf("%s then %s: %s, id %q, %s", first.Send, second.Send, d.Send, d.ID, d.Rank)
			}
			in.Attempt = 3
			if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateSent {
				t.Errorf("%s then %s: a third attempt is %+v", first.Send, second.Send, v)
			}
			if found, err := s.Findings(t.Context()); err != nil || len(found) != 1 || found[0].Kind != state.FindingDuplicate {
				t.Errorf("%s then %s: findings %+v, %v", first.Send, second.Send, found, err)
			}
		}
	}
}

func (u suite) TestAReferenceThatTheStateLostIsNoticed(t *testing.T) {
	s, _ := u.create(t)
	events(t, s, status("x", message.NewRef(lineage(s), "campaign.gone", phone(1), 1, 1), message.RankSent, noon))
	found, err := s.Findings(t.Context())
	if err != nil || len(found) != 1 || found[0].Kind != state.FindingRollback {
		t.Errorf("findings %+v, %v; want a rollback", found, err)
	}
}

func (u suite) TestWindowIsCorrected(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	events(t, s, message.Event{Kind: message.EventInbound, ID: "a", At: noon.Add(-2 * time.Hour), From: message.Address{Phone: phone(1)}})
	if got, want := person(t, s, phone(1)).WindowEnds, noon.Add(22*time.Hour); !got.Equal(want) {
		t.Fatalf("the window ends %s, want %s", got, want)
	}
	in := intent(s, phone(1))
	v := intend(t, s, run, in)
	settle(t, s, run, state.Outcome{Attempt: v[0].Attempt, Send: state.Rejected, Code: "131047", WindowShut: true, At: noon})
	if got := person(t, s, phone(1)).WindowEnds; !got.Equal(noon) {
		t.Errorf("after 131047 the window ends %s, want %s", got, noon)
	}
	events(t, s, message.Event{Kind: message.EventInbound, ID: "b", At: noon.Add(time.Hour), From: message.Address{Phone: phone(1)}})
	if got, want := person(t, s, phone(1)).LastInbound, noon; !got.Equal(want) {
		t.Errorf("an event from the future counts as %s, want %s", got, want)
	}
}

func (u suite) TestInboxIsAcceptedOnceAndFolded(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	in := intent(s, phone(1))
	v := intend(t, s, run, in)
	settle(t, s, run, accepted(v[0], "x"))
	tap := message.Event{Kind: message.EventInbound, ID: "in1", At: noon, From: message.Address{Phone: phone(1)}, ContextID: "x",
		Type: "interactive", ReplyID: "row-1", Order: &message.Order{Items: []message.OrderItem{{ProductID: "p", Quantity: 2, Price: "4.50", Currency: "EUR"}}}}
	body := state.Inbox{Provider: "provider.cloud.main", Received: noon, Raw: []byte(`{"a":1}`), Events: []message.Event{tap, status("x", "", message.RankRead, noon)}}
	other := state.Inbox{Provider: "provider.cloud.main", Received: noon, Raw: []byte(`?`)}
	got, err := s.Append(t.Context(), []state.Inbox{body, body, other})
	if diff := cmp.Diff([]bool{true, false, true}, got); diff != "" || err != nil {
		t.Fatalf("accepted (-want +got):\n%s%v", diff, err)
	}
	if n, err := s.Fold(t.Context(), 100); n != 2 || err != nil {
		t.Fatalf("folded %d, %v", n, err)
	}
	if n, err := s.Fold(t.Context(), 100); n != 0 || err != nil {
		t.Fatalf("folded again: %d, %v", n, err)
	}
	open := openInbound(t, s)
	want := []state.InboundEvent{{Seq: 1, Provider: "provider.cloud.main", Received: noon, Recipient: phone(1), First: true,
		Campaign: "campaign.spring", Message: "list_message.browse", Event: tap}}
	if diff := cmp.Diff(want, open); diff != "" {
		t.Fatalf("open (-want +got):\n%s", diff)
	}
	if err := s.Answered(t.Context(), answering(t, s, mainNumber), 1); err != nil {
		t.Fatal(err)
	}
	if again := openInbound(t, s); len(again) != 0 {
		t.Errorf("open after it was answered: %+v", again)
	}
	if d := oneDelivery(t, s); d.Rank != message.RankRead || !d.Replied.Equal(noon) {
		t.Errorf("the delivery is %s, replied %s", d.Rank, d.Replied)
	}
	orders, err := s.Orders(t.Context())
	if diff := cmp.Diff([]state.OrderCount{{Campaign: "campaign.spring", Currency: "EUR", Orders: 1, Value: "9.00"}}, orders); diff != "" || err != nil {
		t.Errorf("orders (-want +got):\n%s%v", diff, err)
	}
	notices := 0
	for n, err := range s.Notices(t.Context(), time.Time{}) {
		if notices++; err != nil || string(n.Raw) != "?" {
			t.Errorf("notice %+v, %v", n, err)
		}
	}
	if notices != 1 {
		t.Errorf("%d notices, want 1", notices)
	}
}

// Events that are not messages to the number are kept, and counted by kind.
func (u suite) TestNoticesAreCounted(t *testing.T) {
	s, clock := u.create(t)
	if counts, err := s.NoticeCounts(t.Context()); len(counts) > 0 || err != nil {
		t.Errorf("of a new state %+v, %v", counts, err)
	}
	early := noon.Add(-time.Hour)
	events(t, s,
		message.Event{Kind: message.EventGroup, At: noon, From: message.Address{Phone: phone(1)}, Field: "messages", Reason: "written in a group"},
		message.Event{Kind: message.EventAccount, At: early, Field: "message_template_status_update", Title: "PAUSED spring"},
		message.Event{Kind: message.EventAccount, At: noon, Field: "errors", Code: "130429", Title: "too fast", Raw: []byte(`{"code":130429}`)},
		message.Event{Kind: message.EventAccount, At: early, Field: "account_update", Reason: "kept", Title: "DISABLED"},
		message.Event{Kind: message.EventCall, At: early, Field: "calls", Reason: "a call"})
	want := []state.NoticeCount{{Kind: message.EventAccount, Count: 3, Newest: noon}, {Kind: message.EventCall, Count: 1, Newest: early}, {Kind: message.EventGroup, Count: 1, Newest: noon}}
	counts, err := s.NoticeCounts(t.Context())
	if diff := cmp.Diff(want, counts); diff != "" || err != nil {
		t.Errorf("counts (-want +got):\n%s%v", diff, err)
	}
	var said []string
	for n, err := range s.Notices(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n.Kind == message.EventAccount {
			said = append(said, n.Reason)
		}
	}
	if diff := cmp.Diff([]string{"PAUSED spring", "kept", "130429 too fast"}, said); diff != "" {
		t.Errorf("what the account's say (-want +got):\n%s", diff)
	}
	if _, err := s.Prune(t.Context(), clock.now); err != nil {
		t.Fatal(err)
	}
	if err := s.Erase(t.Context(), phone(1)); err != nil {
		t.Fatal(err)
	}
	want = []state.NoticeCount{{Kind: message.EventAccount, Count: 1, Newest: noon}}
	counts, err = s.NoticeCounts(t.Context())
	if diff := cmp.Diff(want, counts); diff != "" || err != nil {
		t.Errorf("after prune and erase (-want +got):\n%s%v", diff, err)
	}
}

func (u suite) TestAReplyGoesOnce(t *testing.T) {
	s, _ := u.create(t)
	events(t, s, message.Event{Kind: message.EventInbound, ID: "in1", At: noon, From: message.Address{Phone: phone(1)}})
	var lane state.Lane
	for restart := range 3 {
		open := openInbound(t, s)
		if len(open) != 1 {
			t.Fatalf("open: %+v", open)
		}
		lane = answering(t, s, mainNumber)
		seq := open[0].Seq
		in := state.Intent{Key: state.Key{Campaign: "reply_rule.hello", Recipient: phone(1), Revision: int(seq)}, Attempt: 1, Message: "text_message.hello", Inbound: seq, Window: true,
			Ref: message.NewRef(lineage(s), "reply_rule.hello", phone(1), int(seq), 1)}
		v := intend(t, s, lane, in)[0]
		if (v.Gate == "") != (restart == 0) {
			t.Errorf("start %d: %+v", restart, v)
		}
	}
	if _, err := s.Intend(t.Context(), lane, []state.Intent{intent(s, phone(2))}); err == nil {
		t.Error("a campaign's intent was recorded outside a run")
	}
	at, err := s.LastReply(t.Context(), "reply_rule.hello", phone(1))
	if err != nil || !at.Equal(noon) {
		t.Errorf("last reply %s, %v", at, err)
	}
	if err := s.Answered(t.Context(), lane, 1); err != nil {
		t.Fatal(err)
	}
	if _, waiting, err := s.Waiting(t.Context()); waiting != 0 || err != nil {
		t.Errorf("%d wait, %v", waiting, err)
	}
}
