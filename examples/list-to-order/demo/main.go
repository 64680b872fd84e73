// Command demo plays the conversation of this example with the real programs: the
// simulated network, the webhook server and the CRM run as separate processes; a
// simulated person writes, taps a row and orders.
package main

import (
	"bufio"
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
	"strings"
	"sync"
	"time"
)

func main() {
	d := &demo{}
	flag.StringVar(&d.handbill, "handbill", "./handbill", "the handbill to run")
	flag.StringVar(&d.crm, "crm", "", "the CRM to run, built from crm/")
	flag.StringVar(&d.dir, "dir", "", "an empty directory to play in")
	source := flag.String("example", "examples/list-to-order", "this example")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	d.out = log.Writer()
	err := d.play(ctx, *source)
	d.end()
	if err != nil {
		log.Fatal("demo: ", err)
	}
}

// demo holds the directory and the running programs.
type demo struct {
	handbill, crm, dir string
	out                io.Writer
	processes          []*exec.Cmd
	sandbox            string // its URL
	serving            *lines
}

// play plays the whole conversation.
func (d *demo) play(ctx context.Context, source string) error {
	if err := d.stage(ctx, source); err != nil {
		return err
	}
	d.say("Ana writes, which opens her 24-hour window")
	if err := d.phone(map[string]any{"type": "text", "text": "Hello, what is new?"}); err != nil {
		return err
	}
	if err := d.until(ctx, "plan", "-input=false"); err != nil {
		return err
	}
	d.say("The campaign goes to whoever may get it now: Ana, not Ben")
	if err := d.run(ctx, "apply", "-auto-approve"); err != nil {
		return err
	}
	list, err := d.last(ctx, "list")
	if err != nil {
		return err
	}
	d.say("Ana taps a row, and the rule answers with the product")
	if err := d.phone(map[string]any{"type": "list_reply", "id": "prod_beta", "title": "Beta Widget", "context": list}); err != nil {
		return err
	}
	if err := d.serving.wait(ctx, "replied:", "reply_rule.beta", "accepted"); err != nil {
		return err
	}
	product, err := d.last(ctx, "product")
	if err != nil {
		return err
	}
	d.say("Ana orders; she is thanked, and the order is in the CRM")
	item := map[string]any{"product_retailer_id": "prod_beta", "quantity": 2, "item_price": 29.9, "currency": "EUR"}
	if err := d.phone(map[string]any{"type": "order", "catalog": "194836987003835", "context": product, "items": []any{item}}); err != nil {
		return err
	}
	for range 2 { // in whatever order they come
		if err := d.serving.wait(ctx, "ed: provider.sandbox.main reply_rule.order"); err != nil {
			return err
		}
	}
	orders, err := os.ReadFile(filepath.Join(d.dir, "orders.jsonl"))
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "%s\n", orders)
	return d.run(ctx, "status")
}

// stage copies the example, prepares the state and starts the three programs.
func (d *demo) stage(ctx context.Context, source string) error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"main.hcl", "contacts.csv"} {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o644); err != nil {
			return err
		}
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	hook := "cloud=http://127.0.0.1:" + port + "/webhooks/sandbox/main"
	network, err := d.start(ctx, "Sandbox on ", d.handbill, "sandbox", "-quick", "-listen=127.0.0.1:0", "-webhook="+hook)
	if err != nil {
		return err
	}
	d.sandbox = network.found
	crm, err := d.start(ctx, "CRM on ", d.crm, "-listen=127.0.0.1:0", "-out="+filepath.Join(d.dir, "orders.jsonl"))
	if err != nil {
		return err
	}
	vars := fmt.Sprintf("sandbox_url = %q\ncrm_url = %q\n", d.sandbox, crm.found)
	if err := os.WriteFile(filepath.Join(d.dir, "handbill.vars.hcl"), []byte(vars), 0o644); err != nil {
		return err
	}
	if err := d.run(ctx, "init"); err != nil {
		return err
	}
	host := strings.TrimSuffix(strings.TrimPrefix(crm.found, "http://"), "/whatsapp")
	d.serving, err = d.start(ctx, "Listening on ", d.handbill, "-chdir="+d.dir, "serve", "-listen=127.0.0.1:"+port, "-allow-host="+host)
	return err
}

func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

func (d *demo) say(what string) { fmt.Fprintf(d.out, "\n# %s\n\n", what) }

// run runs one command of handbill and shows it.
func (d *demo) run(ctx context.Context, args ...string) error {
	fmt.Fprintf(d.out, "$ handbill %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, d.handbill, append([]string{"-chdir=" + d.dir}, args...)...)
	cmd.Stdout, cmd.Stderr = d.out, d.out
	return cmd.Run()
}

// until runs plan, without showing it, until it would send to somebody, which means
// that the server has received what Ana wrote.
func (d *demo) until(ctx context.Context, args ...string) error {
	for {
		cmd := exec.CommandContext(ctx, d.handbill, append([]string{"-chdir=" + d.dir}, args...)...)
		out, err := cmd.CombinedOutput()
		if bytes.Contains(out, []byte("1 message to send")) {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("what Ana wrote did not arrive: %w\n%s", errors.Join(err, ctx.Err()), out)
		}
	}
}

// phone performs an action on Ana's phone.
func (d *demo) phone(act map[string]any) error {
	act["provider"], act["number"], act["from"], act["name"] = "cloud", "1", "+4915112345678", "Ana"
	body, err := json.Marshal(act)
	if err != nil {
		return err
	}
	resp, err := http.Post(d.sandbox+"/_sandbox/inbound", "application/json", bytes.NewReader(body))
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

// last returns the id of the last message of a kind that reached the network.
func (d *demo) last(ctx context.Context, kind string) (id string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.sandbox+"/_sandbox/ledger", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	for dec := json.NewDecoder(resp.Body); dec.More(); {
		var e struct{ Kind, ID string }
		if err := dec.Decode(&e); err != nil {
			return "", err
		}
		if e.Kind == kind {
			id = e.ID
		}
	}
	if id == "" {
		return "", fmt.Errorf("no %s reached the network", kind)
	}
	return id, nil
}

// lines is the output of a process, line by line.
type lines struct {
	found string // the rest of the line that reports readiness
	ch    chan string
}

// wait waits for a line that contains all the words.
func (l *lines) wait(ctx context.Context, words ...string) error {
	for {
		select {
		case line, ok := <-l.ch:
			if !ok {
				return fmt.Errorf("it ended before it said %q", words)
			}
			all := true
			for _, w := range words {
				all = all && strings.Contains(line, w)
			}
			if all {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("nothing said %q: %w", words, ctx.Err())
		}
	}
}

// start starts a program, shows its output, and waits until it is ready.
func (d *demo) start(ctx context.Context, ready, name string, args ...string) (*lines, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d.processes = append(d.processes, cmd)
	l := &lines{ch: make(chan string, 1000)}
	started := make(chan string, 1)
	go func() {
		defer close(l.ch)
		var once sync.Once
		for scan := bufio.NewScanner(r); scan.Scan(); {
			line := scan.Text()
			fmt.Fprintf(d.out, "  %s: %s\n", filepath.Base(name), line)
			if i := strings.Index(line, ready); i >= 0 {
				once.Do(func() { started <- line[i+len(ready):] })
			}
			l.ch <- line
		}
	}()
	select {
	case l.found = <-started:
		return l, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s does not say that it is ready: %w", name, ctx.Err())
	}
}

// end ends the programs, the last first.
func (d *demo) end() {
	for i := len(d.processes) - 1; i >= 0; i-- {
		p := d.processes[i]
		_ = p.Process.Signal(os.Interrupt)
		_ = p.Wait() // how it ends is not what the demo is about
	}
}
