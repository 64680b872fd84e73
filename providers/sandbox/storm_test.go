package sandbox_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/dialog360"
	"github.com/handbill/handbill/providers/kaleyra"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/providers/providertest"
	"github.com/handbill/handbill/providers/wire"
	network "github.com/handbill/handbill/sandbox"
)

// stormRules make many sends fail, in every possible way.
func stormRules() []network.Rule {
	var rules []network.Rule
	for i, b := range []network.Behaviour{
		network.ResetBeforeRead, network.ResetAfterRead, network.HTTP500, network.HTML502, network.Redirect307,
		network.HalfBody, network.Garbage200, network.NoID200, network.Gzip, network.Oversize, network.Held, network.Silence,
	} {
		rules = append(rules, network.Rule{Match: network.Match{Every: 23 + i}, Behaviour: b})
	}
	for i, code := range []network.Code{"130429", "131056", "131026", "131047", "131050", "131000", "1", "100", "132001"} {
		rules = append(rules, network.Rule{Match: network.Match{Every: 17 + i}, Answer: &network.ScriptAnswer{Code: code}})
	}
	return rules
}

func recipient(i int) string { return fmt.Sprintf("+49151%07d", i) }

const storm = 600

// TestStorm sends to many people at once through a network that fails in every
// way, and checks each reported result against what the network did. A message
// that was taken is never reported as not taken, nor the reverse, and no
// message was delivered twice.
func TestStorm(t *testing.T) {
	impatient := func() *wire.Client {
		return wire.New(wire.Options{Header: 300 * time.Millisecond, Total: time.Second})
	}
	for wire, construct := range map[string]func(base string) (providers.Provider, error){
		"cloud": func(base string) (providers.Provider, error) {
			return cloud.New(cloud.Config{PhoneNumberID: "1", AccessToken: "t", BaseURL: base, Client: impatient()})
		},
		"dialog360": func(base string) (providers.Provider, error) {
			return dialog360.New(dialog360.Config{APIKey: "t", BaseURL: base, Client: impatient()})
		},
		"kaleyra": func(base string) (providers.Provider, error) {
			return kaleyra.New(kaleyra.Config{SID: "S", APIKey: "t", PhoneNumber: "+914400000000", BaseURL: base, Client: impatient()})
		},
		"onemsg": func(base string) (providers.Provider, error) {
			return onemsg.New(onemsg.Config{ChannelID: "C", Token: "t", BaseURL: base, Client: impatient()})
		},
	} {
		t.Run(wire, func(t *testing.T) {
			t.Parallel()
			net := network.New(network.Options{Clock: clock, AssumeOpen: true, Throughput: -1, Script: &network.Script{Rules: stormRules()}})
			server, err := net.Start(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			p, err := construct(server.BaseURL(network.Provider(wire)))
			if err != nil {
				t.Fatal(err)
			}
			answers := sendAll(t, p)
			judge(t, net, answers)
		})
	}
}

func sendAll(t *testing.T, p providers.Provider) map[string]message.Answer {
	t.Helper()
	draft := &message.Draft{
		Message:  &message.Text{},
		Bindings: []message.Binding{{Path: "body", Parts: []message.Part{{Text: "Hello ", Slot: -1}, {Slot: 0}}}},
		Slots:    []string{"recipient.name"},
	}
	s := providers.NewSender(p)
	answers := map[string]message.Answer{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < storm; i += 8 {
				r, err := s.Encode(message.Address{Phone: recipient(i)}, draft, []string{"Ana"}, providertest.Ref)
				if err != nil {
					t.Error(err)
					return
				}
				a := s.Send(t.Context(), r)
				mu.Lock()
				answers[recipient(i)[1:]] = a
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return answers
}

// judge checks the answers against the network's own ledger.
func judge(t *testing.T, net *network.Sandbox, answers map[string]message.Answer) {
	t.Helper()
	taken, posts := map[string]bool{}, map[string]int{}
	for e := range net.Ledger {
		if e.To == "" {
			continue // the body was never read
		}
		posts[e.To]++
		taken[e.To] = taken[e.To] || e.Accepted
	}
	classes := map[message.Class]int{}
	for to, a := range answers {
		classes[a.Class]++
		if posts[to] > 1 {
			t.Errorf("%d posts of one message", posts[to])
		}
		if taken[to] && a.Class != message.Accepted && a.Class != message.Unknown {
			t.Errorf("the network took it, and the answer is %s: %s", a.Class, a.Title)
		}
		if !taken[to] && a.Class == message.Accepted {
			t.Errorf("the network did not take it, and the answer is accepted (%s)", a.ID)
		}
	}
	if len(answers) != storm || classes[message.Accepted] < storm/4 || classes[message.Unknown] == 0 || classes[message.AccountFault] == 0 {
		t.Errorf("too little went wrong: %v", classes)
	}
}
