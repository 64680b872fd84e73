package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// human is a person with a user id and two numbers, which the network reveals bit
// by bit.
type human struct {
	first, second, user string
	changed             bool // from the first number to the second
	stopped, erased     bool
}

func (h *human) ids() []string { return []string{h.first, h.second, h.user} }

// crowd is a street of such people. Each has three rows in the audience and must be
// treated as one person.
type crowd struct {
	*street
	humans []*human
	refs   map[string]string // the campaign or rule of every reference that the state had
	rnd    *rand.Rand
	at     time.Time // of the next event; they happen a second apart
	events int
	kills  int
}

func newCrowd(t *testing.T, seed uint64, people int) *crowd {
	p := openPost(t, seed)
	opt := sandbox.Options{Seed: int64(seed) + 1, Statuses: quick(), Latency: 4 * time.Millisecond, Webhooks: []sandbox.WebhookTarget{{Provider: sandbox.Cloud, URL: p.url}}}
	c := &crowd{street: &street{house: build(t, people, opt, plot{}), post: p}, refs: map[string]string{}, rnd: rand.New(rand.NewPCG(seed, 51)), at: time.Now().Add(-6 * time.Hour)}
	t.Cleanup(func() {
		if c.serving != nil {
			c.serving.signal(syscall.SIGKILL)
			<-c.serving.done
		}
	})
	text, err := os.ReadFile(filepath.Join(c.dir, "main.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	c.house.write("main.hcl", strings.Replace(string(text), "  attributes =", "  phone = row.phone\n  user_id = row.user_id\n  attributes =", 1))
	var contacts strings.Builder
	contacts.WriteString("phone,user_id,name\n")
	for i := range people {
		h := &human{first: person(2 * i), second: person(2*i + 1), user: fmt.Sprintf("DE.%d", 7000+i)}
		c.humans = append(c.humans, h)
		for _, row := range c.rnd.Perm(3) {
			fmt.Fprintf(&contacts, []string{h.first + ",,", h.second + ",,", "," + h.user + ","}[row]+"N%d\n", i)
		}
	}
	c.house.write("contacts.csv", contacts.String())
	return c
}

// message is a webhook of a person's message, under a number, a user id or both.
func (c *crowd) message(phone, user string, more map[string]any) []byte {
	c.at = c.at.Add(time.Second)
	c.events++
	contact := map[string]any{"profile": map[string]any{"name": "N"}}
	m := map[string]any{"id": fmt.Sprint("wamid.in", c.events), "timestamp": strconv.FormatInt(c.at.Unix(), 10)}
	if phone != "" {
		contact["wa_id"], m["from"] = phone[1:], phone[1:]
	}
	if user != "" {
		contact["user_id"], m["from_user_id"] = user, user
	}
	for k, v := range more {
		m[k] = v
	}
	body, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": "1", "changes": []any{map[string]any{
		"field": "messages", "value": map[string]any{"messaging_product": "whatsapp", "metadata": map[string]any{"display_phone_number": "1", "phone_number_id": "1"},
			"contacts": []any{contact}, "messages": []any{m}}}}}}})
	if err != nil {
		c.t.Fatal(err)
	}
	return body
}

func words(s string) map[string]any {
	return map[string]any{"type": "text", "text": map[string]any{"body": s}}
}

// meet reveals who everybody is, in as many messages as it takes.
func (c *crowd) meet() (bodies [][]byte) {
	for _, h := range c.humans {
		bodies = append(bodies, c.message(h.first, h.user, words("hello")))
		if h.changed = c.rnd.IntN(2) == 0; h.changed {
			change := map[string]any{"type": "system", "system": map[string]any{"type": "user_changed_number", "wa_id": h.second[1:], "body": "changed"}}
			bodies = append(bodies, c.message(h.first, "", change))
		} else { // they write from both numbers, and only the user id ties the second to them
			bodies = append(bodies, c.message(h.second, h.user, words("hello")))
		}
	}
	return bodies
}

// talk returns what some people write, under any of their ids.
func (c *crowd) talk() (bodies [][]byte) {
	for _, h := range c.humans {
		phone, user := "", h.user
		if c.rnd.IntN(2) == 0 {
			phone, user = h.second, ""
		}
		switch c.rnd.IntN(4) {
		case 0:
			bodies = append(bodies, c.message(phone, user, words([]string{"STOP", "Abmelden", "unsubscribe"}[c.rnd.IntN(3)])))
			h.stopped = true
		case 1:
			bodies = append(bodies, c.message(phone, user, words("thank you")))
		}
	}
	return bodies
}

// tell delivers webhooks in any order, some twice, until every one was answered
// with 200. Meanwhile serve is killed at its failpoints and between webhooks.
func (c *crowd) tell(bodies [][]byte, k *killer) {
	c.t.Helper()
	c.rnd.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	for _, body := range bodies {
		c.post.put(body)
		if c.rnd.IntN(5) == 0 {
			c.post.put(body)
		}
	}
	for left := 3; c.post.waiting() > 0; left-- {
		if left <= 0 {
			c.serve()
			c.drained()
			break
		}
		name := k.pick()
		c.serve(fmt.Sprintf("HANDBILL_FP=%s:%d", name, 1+c.rnd.IntN(3)))
		for at := c.rnd.IntN(len(bodies)); c.post.waiting() > at && !c.serving.ended(time.Millisecond); {
		}
		if c.serving.ended(0) {
			k.hit[name].Add(1)
		}
		c.kill()
	}
	c.kill()
}

// kill kills the running serve.
func (c *crowd) kill() {
	c.post.to("")
	if c.serving == nil {
		return
	}
	c.serving.signal(syscall.SIGKILL)
	c.serving.wait(c.t)
	c.serving = nil
	c.kills++
}

func (c *crowd) drained() {
	c.t.Helper()
	for end := time.Now().Add(2 * time.Minute); c.post.waiting() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) || c.serving.ended(0) {
			c.t.Fatalf("%d webhooks were not taken:\n%s", c.post.waiting(), c.serving.out)
		}
	}
}

// erase erases a few by any of their ids.
func (c *crowd) erase() {
	c.t.Helper()
	for _, i := range c.rnd.Perm(len(c.humans))[:2] {
		h := c.humans[i]
		h.erased = true
		if out, code := c.run("state", "erase", h.ids()[c.rnd.IntN(3)]); code != 0 {
			c.t.Errorf("erase ends with %d:\n%s", code, out)
		}
	}
}

// send runs apply, and kills it, until nothing is left to do.
func (c *crowd) send(k *killer, args ...string) {
	c.t.Helper()
	for range 2 {
		name := k.pick()
		sending := c.begin(append(applyArgs, args...), fmt.Sprintf("HANDBILL_FP=%s:%d", name, 1+c.rnd.IntN(4)))
		if _, code := sending.wait(c.t); code == -1 {
			k.hit[name].Add(1)
			c.kills++
		}
	}
	if out, code := c.run(append(applyArgs, args...)...); code != 0 && code != 1 || strings.Contains(out, "bug in handbill") {
		c.t.Errorf("apply ends with %d:\n%s", code, out)
	}
}

// got counts, by human, the campaign's messages that the network accepted. All
// other messages are answers of serve, each of which is in the state.
func (c *crowd) got() (out []int) {
	out = make([]int, len(c.humans))
	whose := map[string]int{}
	for i, h := range c.humans {
		for _, id := range h.ids() {
			whose[strings.TrimPrefix(id, "+")] = i
		}
	}
	for _, d := range c.everything() {
		c.refs[d.Ref] = d.Campaign
	}
	for e := range c.network.Ledger {
		if of := c.refs[e.Ref]; e.Accepted && (of == campaign || of == "") { // the state lists only the last attempt
			out[whose[e.To]]++
		}
	}
	return out
}

// TestKillsWithSeveralIDs kills serve and apply while people with a user id and
// two numbers, each with three rows in the audience, change numbers, write,
// stop and are erased under any id. Webhooks come in any order. By the
// network's ledger nobody who stopped or was erased is sent to, and nobody is
// sent to twice.
func TestKillsWithSeveralIDs(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for a while")
	}
	t.Parallel()
	handbill(t)
	rounds := 2
	if ci, _ := effort(); ci {
		rounds = 6
	}
	k, beside := newKiller(t, failpoints), newKiller(t, map[string]int{"webhook-before": 1, "webhook-after": 1, "fold-after": 1, "commit-before": 1, "commit-after": 1})
	kills, sent, spared, twice := 0, 0, 0, 0
	for round := range rounds {
		c := newCrowd(t, uint64(round), 24)
		c.tell(append(c.meet(), c.talk()...), beside)
		c.erase()
		c.send(k)
		first := c.got()
		for i, h := range c.humans {
			switch {
			case (h.stopped || h.erased) && first[i] > 0:
				t.Errorf("%v is sent to, who stopped (%v) or was erased (%v)", h.ids(), h.stopped, h.erased)
			case first[i] > 1:
				t.Errorf("%v is sent the same %d times", h.ids(), first[i])
			case h.stopped || h.erased:
				spared++
			}
			sent += first[i]
		}
		// Before the next apply, some people who were sent to stop under another
		// id, or are erased.
		c.tell(c.talk(), beside)
		c.erase()
		c.send(k, "-replace=campaign.spring")
		for i, n := range c.got() {
			h := c.humans[i]
			switch {
			case (h.stopped || h.erased) && n > first[i]:
				t.Errorf("%v is sent to again, who stopped (%v) or was erased (%v)", h.ids(), h.stopped, h.erased)
			case n > first[i]:
				twice++
			}
		}
		if out, code := c.run("state", "verify"); code != 0 {
			t.Errorf("verify ends with %d:\n%s", code, out)
		}
		kills += c.kills
		if t.Failed() {
			t.Fatalf("that was round %d", round)
		}
	}
	t.Logf("%d kills in %d rounds: %d messages were sent, %d people who stopped or were erased were spared, and %d were sent another when that was ordered", kills, rounds, sent, spared, twice)
	if spared == 0 || twice == 0 || sent == 0 {
		t.Error("nothing happened")
	}
}
