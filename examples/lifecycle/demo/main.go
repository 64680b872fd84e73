// Command demo plays the journey of this example with the real programs: the simulated
// network, the webhook server and "apply -watch" run as processes of their own, people
// answer, and hours are seconds.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// within is for how long an answer counts, and after how long somebody is reminded: the
// 72 and 48 hours of the example.
const within, after = "24s", "10s"

func main() {
	d := &demo{out: log.Writer()}
	flag.StringVar(&d.handbill, "handbill", "./handbill", "the handbill to run")
	flag.StringVar(&d.dir, "dir", "", "an empty directory to play in")
	source := flag.String("example", "examples/lifecycle", "this example")
	flag.Parse()
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	err := d.play(ctx, *source)
	d.end()
	if err != nil {
		log.Fatal("demo: ", err)
	}
}

// demo holds the directory and the running programs.
type demo struct {
	handbill, dir string
	out           io.Writer
	sandbox       string // its URL
	processes     []*exec.Cmd
}

// play plays the whole journey.
func (d *demo) play(ctx context.Context, source string) error {
	if err := d.stage(ctx, source); err != nil {
		return err
	}
	arms, config, err := d.planned(ctx)
	if err != nil {
		return err
	}
	d.say("apply -watch sends the first messages, bound to what was just reviewed")
	if err := d.start(ctx, "apply", "-watch=2s", "-auto-approve", "-expect-config="+config); err != nil {
		return err
	}
	if err := d.until(ctx, "the first messages", func() (bool, error) {
		sent, err := d.ledger(ctx)
		return len(sent) == len(arms), err
	}); err != nil {
		return err
	}
	if err := d.answers(ctx, arms); err != nil {
		return err
	}
	d.say("Ten seconds after their message was delivered, who says nothing is reminded; then the experiment ends")
	decided := regexp.MustCompile(`(?m)^  Decided: .*`)
	if err := d.until(ctx, "the decision", func() (bool, error) {
		out, err := d.command(ctx, "status").Output()
		return decided.Match(out), err
	}); err != nil {
		return err
	}
	if err := d.run(ctx, "status"); err != nil {
		return err
	}
	return d.heldOut(ctx)
}

// stage copies the example and starts the network and the server.
func (d *demo) stage(ctx context.Context, source string) error {
	if err := d.copy(source); err != nil {
		return err
	}
	ports, err := freePorts(ctx, 2)
	if err != nil {
		return err
	}
	d.sandbox = "http://127.0.0.1:" + ports[0]
	hook := "http://127.0.0.1:" + ports[1]
	if err := d.start(ctx, "sandbox", "-quick", "-assume-open", "-listen=127.0.0.1:"+ports[0], "-webhook=cloud="+hook+"/webhooks/sandbox/main"); err != nil {
		return err
	}
	if err := d.until(ctx, "the network", func() (bool, error) { return d.reached(ctx, d.sandbox), nil }); err != nil {
		return err
	}
	if err := d.run(ctx, "init"); err != nil {
		return err
	}
	if err := d.start(ctx, "serve", "-listen=127.0.0.1:"+ports[1]); err != nil {
		return err
	}
	return d.until(ctx, "the server", func() (bool, error) { return d.reached(ctx, hook), nil })
}

// copy copies the example, with contacts who wrote a moment ago.
func (d *demo) copy(source string) error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return err
	}
	made, err := os.Stat(d.dir)
	if err != nil {
		return err
	}
	seen := made.ModTime().UTC().Format(time.RFC3339)
	for _, name := range []string{"main.hcl", "contacts-de.csv", "contacts-es.csv"} {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return err
		}
		data = bytes.ReplaceAll(data, []byte("2026-03-02T08:00:00Z"), []byte(seen))
		if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(d.dir, "handbill.vars.hcl"), fmt.Appendf(nil, "within       = %q\nremind_after = %q\n", within, after), 0o644)
}

// planned shows the plan, and returns who would get which arm's text, and the digest of the
// configuration.
func (d *demo) planned(ctx context.Context) (arms map[string]string, config string, err error) {
	if err := d.run(ctx, "plan"); err != nil {
		return nil, "", err
	}
	out, err := d.command(ctx, "plan", "-format=json", "-deliveries", "-show-recipients").Output()
	if err != nil {
		return nil, "", err
	}
	var plan struct {
		Config     string `json:"config_digest"`
		Deliveries []struct{ Recipient, Arm, Action string }
	}
	if err := json.Unmarshal(out, &plan); err != nil {
		return nil, "", err
	}
	arms = map[string]string{}
	for _, p := range plan.Deliveries {
		if p.Arm != "" {
			arms[strings.TrimPrefix(p.Recipient, "+")] = p.Arm
		}
	}
	return arms, plan.Config, nil
}

// answers lets people answer: three of four who were asked a question, one of five
// others.
func (d *demo) answers(ctx context.Context, arms map[string]string) error {
	sent, err := d.ledger(ctx)
	if err != nil {
		return err
	}
	seen, answers := map[string]int{}, 0
	for _, m := range sent {
		arm := arms[strings.TrimPrefix(m.To, "+")]
		n := seen[arm]
		seen[arm]++
		if arm == "question" && n%4 == 3 || arm == "short" && n%5 != 0 {
			continue
		}
		answers++
		if err := d.phone(ctx, map[string]any{"provider": "cloud", "number": "1", "from": m.To, "type": "text", "text": "🌷", "context": m.ID}); err != nil {
			return err
		}
	}
	d.say(fmt.Sprintf("%d of %d answer", answers, len(sent)))
	return nil
}

// heldOut checks at the network that nobody got anything who was held out.
func (d *demo) heldOut(ctx context.Context) error {
	sent, err := d.ledger(ctx)
	if err != nil {
		return err
	}
	got := map[string]bool{}
	for _, m := range sent {
		got[m.To] = true
	}
	d.say(fmt.Sprintf("%d messages reached %d of 72 people: who is held out got none, not even a reminder", len(sent), len(got)))
	return nil
}

// message is what reached the network.
type message struct{ To, ID, Kind string }

// ledger returns the messages that the network took.
func (d *demo) ledger(ctx context.Context) (out []message, err error) {
	body, err := d.get(ctx, d.sandbox+"/_sandbox/ledger")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	for dec := json.NewDecoder(body); dec.More(); {
		var m message
		if err := dec.Decode(&m); err != nil {
			return nil, err
		}
		if m.ID != "" {
			out = append(out, m)
		}
	}
	return out, nil
}

func (d *demo) get(ctx context.Context, url string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// reached reports whether a program answers.
func (d *demo) reached(ctx context.Context, url string) bool {
	body, err := d.get(ctx, url)
	if err == nil {
		body.Close()
	}
	return err == nil
}

// phone performs an action on a person's phone.
func (d *demo) phone(ctx context.Context, act map[string]any) error {
	body, err := json.Marshal(act)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.sandbox+"/_sandbox/inbound", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body) // only for the message
		return fmt.Errorf("the phone: %s: %s", resp.Status, text)
	}
	return nil
}

func (d *demo) say(what string) { fmt.Fprintf(d.out, "\n# %s\n\n", what) }

// command is a command of handbill in the demo's directory.
func (d *demo) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.handbill, append([]string{"-chdir=" + d.dir}, args...)...)
	cmd.Env = append(cmd.Environ(), "SANDBOX="+d.sandbox)
	return cmd
}

// run runs a command and shows it.
func (d *demo) run(ctx context.Context, args ...string) error {
	fmt.Fprintf(d.out, "$ handbill %s\n", strings.Join(args, " "))
	cmd := d.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = d.out, d.out
	return cmd.Run()
}

// start starts a program that runs until the end of the demo.
func (d *demo) start(ctx context.Context, args ...string) error {
	fmt.Fprintf(d.out, "$ handbill %s &\n", strings.Join(args, " "))
	cmd := d.command(ctx, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Stdout, cmd.Stderr = d.out, d.out
	if err := cmd.Start(); err != nil {
		return err
	}
	d.processes = append(d.processes, cmd)
	return nil
}

// until asks again and again, until something is true.
func (d *demo) until(ctx context.Context, what string, is func() (bool, error)) error {
	for {
		ok, err := is()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not come: %w", what, errors.Join(err, ctx.Err()))
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// end ends the programs, the last first.
func (d *demo) end() {
	for i := len(d.processes) - 1; i >= 0; i-- {
		_ = d.processes[i].Process.Signal(os.Interrupt)
		_ = d.processes[i].Wait() // how it ends is not what the demo is about
	}
}

// freePorts are ports of this machine that nobody listens at.
func freePorts(ctx context.Context, n int) (out []string, err error) {
	for range n {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all of them at the end, so that no port comes twice
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		out = append(out, port)
	}
	return out, nil
}
