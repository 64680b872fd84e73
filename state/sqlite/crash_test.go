package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
)

// childEnv makes the test binary a process that works on a state until it is
// killed. Its value is "apply" or "serve", and the state's path.
const childEnv = "HANDBILL_STATE_TEST_CHILD"

func TestMain(m *testing.M) {
	if what, path, ok := strings.Cut(os.Getenv(childEnv), " "); ok {
		if err := child(context.Background(), what, path); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child writes to standard output what is durable, after it is.
func child(ctx context.Context, what, path string) error {
	o := options(path)
	o.Clock = time.Now
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	if what == "serve" {
		return childServe(ctx, s)
	}
	if _, err := s.Recover(ctx, number); err != nil {
		return err
	}
	run, err := s.Begin(ctx, state.Run{Lanes: []state.Lane{{Number: number}}}, nil)
	if err != nil {
		return err
	}
	s.blockSize = packed.Size{Least: childBatch / 2, Most: childBatch}
	for i := int(run.ID) * 1_000_000; ; i += childBatch {
		if err := s.packRevision(ctx, "campaign.spring", 1); err != nil {
			return err
		}
		var in []state.Intent
		var out []state.Outcome
		for j := range childBatch {
			in = append(in, intent(s, phone(i+j)))
		}
		v, err := s.Intend(ctx, run.Lanes[0], in)
		if err != nil {
			return err
		}
		for j := range v {
			fmt.Println("intent", phone(i+j))
			out = append(out, state.Outcome{Attempt: v[j].Attempt, Send: state.Accepted, ID: fmt.Sprint("id", i+j), Proof: state.ProofResponse, At: time.Now()})
		}
		if err := s.Settle(ctx, run.Lanes[0], out); err != nil {
			return err
		}
		for j := range v {
			fmt.Println("accepted", phone(i+j))
		}
	}
}

const childBatch = 8

func childServe(ctx context.Context, s *Store) error {
	for i := 0; ; i++ {
		text := fmt.Sprint("hello ", os.Getpid(), " ", i)
		ev := message.Event{Kind: message.EventInbound, ID: text, At: time.Now(), From: message.Address{Phone: phone(i % 100)}, Text: text}
		if _, err := s.Append(ctx, []state.Inbox{{Provider: "provider.cloud.main", Received: time.Now(), Raw: []byte(text), Events: []message.Event{ev}}}); err != nil {
			return err
		}
		fmt.Println("webhook", text)
		if i%5 == 0 {
			if _, err := s.Fold(ctx, 3); err != nil {
				return err
			}
		}
	}
}

// startChild runs a child until it has written this many lines, kills it
// whatever it is doing, and returns all its lines.
func startChild(t *testing.T, what, path string, lines int) (wait func() []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what+" "+path)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan []string, 1)
	go func() {
		var said []string
		for sc := bufio.NewScanner(pipe); sc.Scan(); {
			if said = append(said, sc.Text()); len(said) == lines {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		done <- said
	}()
	return func() []string { return <-done }
}

// An apply and a serve work on one state and are killed again and again.
// Everything that they reported as durable is there, and no more is in doubt
// than was in flight.
func TestKilledProcessesLoseNothing(t *testing.T) {
	o := options(filepath.Join(t.TempDir(), "handbill.state"))
	s, err := Create(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	intents, acceptedOnes, webhooks := map[string]bool{}, map[string]bool{}, 0
	const rounds = 5
	for round := range rounds {
		apply := startChild(t, "apply", o.Path, 100+37*round)
		serve := startChild(t, "serve", o.Path, 60+11*round)
		for _, line := range append(apply(), serve()...) {
			what, who, _ := strings.Cut(line, " ")
			switch what {
			case "intent":
				intents[who] = true
			case "accepted":
				acceptedOnes[who] = true
			case "webhook":
				webhooks++
			default:
				t.Fatal(line)
			}
		}
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Recover(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	doubts := 0
	for _, d := range deliveries(t, s) {
		if acceptedOnes[d.Recipient] && d.Send != state.Accepted {
			t.Errorf("%s was accepted and is %s", d.Recipient, d.Send)
		}
		if d.Send == state.InDoubt {
			doubts++
		}
		delete(intents, d.Recipient)
	}
	if len(intents) > 0 {
		t.Errorf("%d durable intents are lost", len(intents))
	}
	if doubts > rounds*childBatch {
		t.Errorf("%d in doubt after %d kills with %d in flight each", doubts, rounds, childBatch)
	}
	for {
		n, err := s.Fold(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	_, inbound, err := s.Waiting(t.Context())
	if err != nil || inbound < webhooks {
		t.Errorf("%d inbound events of %d accepted ones, %v", inbound, webhooks, err)
	}
	if blockCount(t, s) == 0 {
		t.Error("nothing was packed before the kills")
	}
	sameTables(t, s)
	verify(t, s)
}

// TestEveryFlippedBitIsFound flips bits in a copy of a state. Either it is
// refused, or Verify finds the damage, or the bit has no meaning and everything
// reads as before.
func TestEveryFlippedBitIsFound(t *testing.T) {
	s, _ := create(t)
	fill(t, s, 300, 50)
	s.blockSize = packed.Size{Least: 50, Most: 100}
	if err := s.packRevision(t.Context(), "campaign.spring", 1); err != nil {
		t.Fatal(err)
	}
	events(t, s, failure(wamidOf(3), "", "131050", noon), status(wamidOf(4), "", message.RankRead, noon),
		message.Event{Kind: message.EventInbound, ID: "in", At: noon, From: message.Address{UserID: "US.1"}, Text: "hello"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := s.opt.Path
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := everything(t.Context(), path)
	found, harmless := 0, 0
	r := newRand()
	for range 1200 {
		bit := r.IntN(len(whole) * 8)
		for whole[bit/8] == 0 { // nearly always unused space
			bit = r.IntN(len(whole) * 8)
		}
		flipped := bytes.Clone(whole)
		flipped[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		got, ok := everything(t.Context(), path)
		switch {
		case !ok:
			found++
		case got != want:
			t.Fatalf("bit %d of byte %#x changed the state, and Verify found nothing", bit%8, bit/8)
		default:
			harmless++
		}
	}
	if found < 1000 {
		t.Errorf("of 1200 flipped bits only %d were found, and %d were harmless", found, harmless)
	}
	t.Logf("of 1200 flipped bits %d were found, %d were in space that holds nothing", found, harmless)
}

// everything is the state's export; ok is false if it was refused or Verify
// found something.
func everything(ctx context.Context, path string) (string, bool) {
	o := options(path)
	o.ReadOnly = true
	s, err := Open(ctx, o)
	if err != nil {
		return "", false
	}
	defer s.Close()
	r, err := s.Verify(ctx)
	if err != nil || !r.OK() {
		return "", false
	}
	var b bytes.Buffer
	if err := s.Export(ctx, &b); err != nil {
		return "", false
	}
	return b.String(), true
}
