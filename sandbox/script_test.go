package sandbox_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/sandbox"
)

func yes() *bool { b := true; return &b }

// TestBehaviours checks what the client gets for each scripted behaviour, and
// what the ledger records.
func TestBehaviours(t *testing.T) {
	cases := []struct {
		rule     sandbox.Rule
		provider sandbox.Provider
		status   int  // 0: the client gets an error
		broken   bool // reading the body fails
		has      string
		accepted bool
		ledger   int // status in the ledger
	}{
		{rule: sandbox.Rule{Behaviour: sandbox.ResetBeforeRead}},
		{rule: sandbox.Rule{Behaviour: sandbox.ResetAfterRead}},
		{rule: sandbox.Rule{Behaviour: sandbox.ResetAfterRead, Accepts: yes()}, accepted: true},
		{rule: sandbox.Rule{Behaviour: sandbox.HTTP500}, status: 500, ledger: 500},
		{rule: sandbox.Rule{Behaviour: sandbox.HTTP500, Accepts: yes()}, status: 500, ledger: 500, accepted: true},
		{rule: sandbox.Rule{Behaviour: sandbox.HTML502}, status: 502, has: "<html>", ledger: 502},
		{rule: sandbox.Rule{Behaviour: sandbox.Redirect307}, status: 307, ledger: 307},
		{rule: sandbox.Rule{Behaviour: sandbox.HalfBody}, status: 200, broken: true, accepted: true, ledger: 200},
		{rule: sandbox.Rule{Behaviour: sandbox.Garbage200}, status: 200, has: "\x00", accepted: true, ledger: 200},
		{rule: sandbox.Rule{Behaviour: sandbox.NoID200}, status: 200, has: `"messages":[{}]`, accepted: true, ledger: 200},
		{rule: sandbox.Rule{Behaviour: sandbox.Slow, DelayMS: 20}, status: 200, has: "wamid.", accepted: true, ledger: 200},
		{rule: sandbox.Rule{Behaviour: sandbox.Gzip}, status: 200, has: "\x1f\x8b", accepted: true, ledger: 200},
		{rule: sandbox.Rule{Behaviour: sandbox.Oversize}, status: 200, has: strings.Repeat("x", 2<<20), accepted: true, ledger: 200},
		{rule: sandbox.Rule{Behaviour: sandbox.Held}, status: 200, has: "held_for_quality_assessment", accepted: true, ledger: 200},
		{rule: sandbox.Rule{Behaviour: sandbox.Queued}, provider: sandbox.OneMsg, status: 200, has: "jobId", accepted: true, ledger: 200},
		{rule: sandbox.Rule{Answer: &sandbox.ScriptAnswer{Code: "131056", HTTP: 403, RetryAfter: 7}}, status: 403, has: "131056", ledger: 403},
		{rule: sandbox.Rule{Answer: &sandbox.ScriptAnswer{Code: "190"}}, provider: sandbox.OneMsg, status: 401, has: "Wrong token", ledger: 401},
		{rule: sandbox.Rule{Answer: &sandbox.ScriptAnswer{HTTP: 503, Text: "busy"}}, status: 503, has: "busy", ledger: 503},
		{rule: sandbox.Rule{Answer: &sandbox.ScriptAnswer{HTTP: 500, Code: "131000"}, Accepts: yes()}, status: 500, has: "131000", accepted: true, ledger: 500},
		{rule: sandbox.Rule{Fails: 131049}, status: 200, has: "wamid.", accepted: true, ledger: 200},
		{rule: sandbox.Rule{Answer: &sandbox.ScriptAnswer{Code: "131026"}}, provider: sandbox.Kaleyra, status: 202, has: "WA202", accepted: true, ledger: 202},
	}
	for _, c := range cases {
		name := string(c.rule.Behaviour)
		if c.rule.Answer != nil {
			name = "answer " + string(c.rule.Answer.Code)
		}
		t.Run(name, func(t *testing.T) {
			n := serve(t, sandbox.Options{AssumeOpen: true, Script: &sandbox.Script{Rules: []sandbox.Rule{c.rule}}})
			var got reply
			switch c.provider {
			case sandbox.OneMsg:
				got = n.oneMsg("sendMessage", `{"phone":"`+user+`","body":"b"}`)
			case sandbox.Kaleyra:
				got = n.send(sandbox.Kaleyra, text("b"))
			default:
				got = n.send(sandbox.Cloud, text("b"))
			}
			if got.status != c.status || !strings.Contains(got.body, c.has) || (got.err != nil) != (c.status == 0 || c.broken) {
				t.Errorf("client got %d %.200q %v", got.status, got.body, got.err)
			}
			if c.rule.Answer != nil && c.rule.Answer.RetryAfter > 0 && got.header.Get("Retry-After") != "7" {
				t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
			}
			e := n.entries()
			if len(e) != 1 || e[0].Accepted != c.accepted || e[0].HTTP != c.ledger || !e[0].Scripted {
				t.Errorf("ledger %+v", e)
			}
		})
	}
}

// TestMatches lists, for each match, which of nine sends it selects.
func TestMatches(t *testing.T) {
	other := "491700000000"
	cases := []struct {
		name  string
		match sandbox.Match
		want  []int
	}{
		{"nth", sandbox.Match{Nth: 7}, []int{7}},
		{"every", sandbox.Match{Every: 3}, []int{3, 6, 9}},
		{"first", sandbox.Match{First: 2}, []int{1, 2}},
		{"to", sandbox.Match{To: "+49 170 0000000"}, []int{2, 4, 6, 8}},
		{"nth to", sandbox.Match{To: other, Nth: 2}, []int{4}},
		{"kind", sandbox.Match{Kind: "template"}, []int{9}},
		{"contains", sandbox.Match{Contains: "body 3"}, []int{3}},
		{"provider", sandbox.Match{Provider: sandbox.Kaleyra}, nil},
		{"number", sandbox.Match{Number: "1"}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := serve(t, sandbox.Options{AssumeOpen: true, Script: &sandbox.Script{Rules: []sandbox.Rule{{Match: c.match, Answer: &sandbox.ScriptAnswer{Code: "131056"}}}}})
			for i := 1; i <= 9; i++ {
				body := text("body " + string(rune('0'+i)))
				if i == 9 {
					body = template(bodyParam("a"))
				}
				if i%2 == 0 {
					body = strings.Replace(body, user, other, 1)
				}
				n.send(sandbox.Cloud, body)
			}
			var got []int
			for _, e := range n.entries() {
				if e.Code == "131056" {
					got = append(got, int(e.N))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseScript(t *testing.T) {
	s, err := sandbox.ParseScript([]byte(`{"rules":[{"match":{"to":"+491511234567","nth":7},"answer":{"code":131056,"http":400}},{"behaviour":"silence","accepts":true}]}`))
	if err != nil || len(s.Rules) != 2 || s.Rules[0].Answer.Code != "131056" {
		t.Fatalf("%+v %v", s, err)
	}
	for bad, want := range map[string]string{
		`{"rules":[{}]}`:                                                                        "rule 1: exactly one of",
		`{"rules":[{"behaviour":"sulk"}]}`:                                                      `unknown behaviour "sulk"`,
		`{"rules":[{"behaviour":"silence","fails":1}]}`:                                         "exactly one of",
		`{"rules":[{"answer":{}}]}`:                                                             "a code or an http status",
		`{"rules":[{"match":{"too":"1"},"fails":1}]}`:                                           "too",
		`{"rules":[{"behaviour":"reset_before_read","match":{"to":"1"}}]}`:                      "knows neither",
		`{"rules":[{"match":{"share":2},"fails":1}]}`:                                           "share",
		`{"rules":[{"fails":131026}, {"behaviour":"slow","answer":{"code":1}}], "extra":false}`: "extra",
	} {
		if _, err := sandbox.ParseScript([]byte(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", bad, want, err)
		}
	}
}
