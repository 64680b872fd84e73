package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// appSecret signs the webhooks of this run only.
const appSecret = "the-secret-of-this-bench"

// webhookConfig is the campaign through a number with signed webhooks.
const webhookConfig = `
variable "secret" {
  type      = string
  sensitive = true
}

provider "cloud" "main" {
  phone_number_id = "1"
  access_token    = var.secret
  app_secret      = var.secret
  base_url        = "%s"
  throughput      = %d
}
`

// webhooks measures status webhooks, compared with a loop that verifies, inserts
// and commits: at full speed, and at the rate of a number that sends 80 messages a
// second with three statuses each.
func (b *book) webhooks() {
	dir := filepath.Join(b.dir, "webhooks")
	b.must(b.webhookSpace(dir))
	var ours, bare, decoding, calm []posted
	var all []used
	var drained []float64
	for i := range *runs {
		for kind, list := range map[string]*[]posted{"bare": &bare, "decoding": &decoding} {
			server := b.listen(exec.Command(os.Args[0], filepath.Join(dir, kind+fmt.Sprint(i)), kind), roleVar+"=hooks")
			*list = append(*list, b.post(server.url, i, 0))
			server.kill()
		}
		began := time.Now()
		handbill := b.listen(exec.Command(b.bin, "-chdir="+dir, "serve", "-listen=127.0.0.1:0"), "HANDBILL_VAR_secret="+appSecret)
		ours = append(ours, b.post(handbill.url, i, 0))
		all = append(all, handbill.stop(b))
		drained = append(drained, float64(*hooks)/time.Since(began).Seconds())
		handbill = b.listen(exec.Command(b.bin, "-chdir="+dir, "serve", "-listen=127.0.0.1:0"), "HANDBILL_VAR_secret="+appSecret)
		calm = append(calm, b.post(handbill.url, *runs+i, 240))
		handbill.stop(b)
	}
	rate, slow := median(ours, posted.rate), median(ours, posted.slowest)
	b.print(line{work: "webhooks, answered once they are durable", ours: fmt.Sprintf("%.0f/s", rate), bare: fmt.Sprintf("%.0f/s", median(bare, posted.rate)),
		ratio: rate / median(bare, posted.rate), peak: peak(all), bound: ">= 3,000/s", held: rate >= 3000})
	b.print(line{work: "  p99", ours: seconds(slow), bare: seconds(median(bare, posted.slowest))})
	joined := median(drained, func(v float64) float64 { return v })
	r := joined / median(decoding, posted.rate)
	b.print(line{work: "  and joined, beside a loop that decodes and joins", ours: fmt.Sprintf("%.0f/s", joined), bare: fmt.Sprintf("%.0f/s", median(decoding, posted.rate)), ratio: r, bound: ">= 0.7 x", held: r >= .7})
	slow = median(calm, posted.slowest)
	b.print(line{work: "webhooks at 240/s: p99", ours: seconds(slow), bound: "<= 50 ms", held: slow <= .050})
}

// webhookSpace makes a directory with a state in which everybody was sent to.
func (b *book) webhookSpace(dir string) error {
	if err := space(dir, nowhere, 1_000_000, *small); err != nil {
		return err
	}
	_, campaign, _ := strings.Cut(config, "\n}\n")
	main := fmt.Sprintf(webhookConfig, nowhere, 1_000) + strings.ReplaceAll(campaign, "provider.sandbox.main", "provider.cloud.main")
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(main), 0o600); err != nil {
		return err
	}
	b.t.Setenv("HANDBILL_VAR_secret", appSecret)
	b.handbill(dir, "plan", "-out=saved.hbplan")
	var n int
	b.child("fill", &n, filepath.Join(dir, "saved.hbplan"), filepath.Join(dir, "handbill.state"))
	return nil
}

// listener is a process that receives webhooks.
type listener struct {
	cmd *exec.Cmd
	url string
}

// listen starts cmd and reads its address, the first URL that it prints.
func (b *book) listen(cmd *exec.Cmd, env string) *listener {
	b.t.Helper()
	cmd.Env = append(os.Environ(), env)
	out, err := cmd.StdoutPipe()
	b.must(err)
	cmd.Stderr = os.Stderr
	b.must(cmd.Start())
	in := bufio.NewReader(out)
	first, err := in.ReadString('\n')
	b.must(err)
	go io.Copy(io.Discard, in) //nolint:errcheck // it ends with the process
	at := strings.Index(first, "http://")
	if at < 0 {
		b.t.Fatalf("%s: %q is no address", cmd.Path, first)
	}
	l := &listener{cmd, strings.Trim(first[at:], "\"\n") + "/webhooks/cloud/main"}
	b.t.Cleanup(l.kill)
	return l
}

// kill kills the process if it is still running.
func (l *listener) kill() {
	if l.cmd.ProcessState == nil {
		_ = l.cmd.Process.Kill()
		_ = l.cmd.Wait()
	}
}

// stop interrupts the process, which first finishes the webhooks that it accepted.
func (l *listener) stop(b *book) used {
	b.must(l.cmd.Process.Signal(syscall.SIGINT), l.cmd.Wait())
	s := l.cmd.ProcessState
	u := used{cpu: s.UserTime() + s.SystemTime()}
	if r, ok := s.SysUsage().(*syscall.Rusage); ok {
		u.peak = int64(r.Maxrss) << 10
	}
	return u
}

// posted is the result of posting webhooks.
type posted struct {
	N       int
	Seconds float64
	P99     float64 // in seconds
}

func (p posted) rate() float64    { return float64(p.N) / p.Seconds }
func (p posted) slowest() float64 { return p.P99 }

// post posts the webhooks of one round; each round has different ones. perSecond 0
// posts as fast as they are accepted.
func (b *book) post(url string, round, perSecond int) (out posted) {
	n := *hooks
	if perSecond > 0 {
		n = min(n, 5*perSecond)
	}
	b.child("webhooks", &out, url, fmt.Sprint(n), fmt.Sprint(round), fmt.Sprint(perSecond), fmt.Sprint(*small))
	return out
}

// connections is how many webhooks are in flight at once.
const connections = 64

// postWebhooks posts statuses. Arguments: the URL, their number, the round, the
// rate per second, and the number of messages.
func postWebhooks(args []string) (any, error) {
	var number [4]int
	for i := range number {
		n, err := strconv.Atoi(args[1+i])
		if err != nil {
			return nil, err
		}
		number[i] = n
	}
	n, round, perSecond, messages := number[0], number[1], number[2], number[3]
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	took := make([]float64, n)
	errs := make([]error, connections)
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for worker := range connections {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && errs[worker] == nil; i = int(next.Add(1)) - 1 {
				due := began
				if perSecond > 0 {
					due = began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
					time.Sleep(time.Until(due))
				}
				started := time.Now()
				errs[worker] = postWebhook(client, args[0], statusBody(round*n+i, messages*98/100))
				took[i] = time.Since(started).Seconds()
			}
		})
	}
	wg.Wait()
	out := posted{N: n, Seconds: time.Since(began).Seconds()}
	slices.Sort(took)
	out.P99 = took[n*99/100]
	return out, errors.Join(errs...)
}

func postWebhook(client *http.Client, url string, body []byte) error {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sign(body)))
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("webhook: HTTP %d (%w)", answer.StatusCode, err)
	}
	return nil
}

func sign(body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write(body)
	return mac.Sum(nil)
}

// statusBody is the i-th status, of one of the first messages of the state.
func statusBody(i, messages int) []byte {
	word := []string{"sent", "delivered", "read"}[i/messages%3]
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":"1"},"statuses":[{"id":%q,"status":%q,"timestamp":"%d","recipient_id":"4915"}]}}]}]}`,
		sentID(int64(i%messages)+1), word, 1_700_000_000+i)
}

// hooksRole is the bare loop to compare with serve: verify, insert, commit in
// groups, answer. With "decoding" it also decodes the statuses and joins them with
// those of the same message. Arguments: the database's path, and the kind. It first
// writes its address, and is killed at the end.
func hooksRole(args []string) (any, error) {
	h := &hookStore{todo: make(chan hook, connections), decodes: args[1] == "decoding"}
	var err error
	if h.conn, err = sqlite.OpenConn(args[0]); err != nil {
		return nil, err
	}
	if err := sqlitex.ExecuteTransient(h.conn, "PRAGMA synchronous = FULL", nil); err != nil {
		return nil, err
	}
	if err := sqlitex.ExecuteTransient(h.conn, `CREATE TABLE inbox (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL)`, nil); err != nil {
		return nil, err
	}
	if err := sqlitex.ExecuteTransient(h.conn, `CREATE TABLE statuses (message TEXT PRIMARY KEY, sent INT, delivered INT, read INT) WITHOUT ROWID`, nil); err != nil {
		return nil, err
	}
	go h.run()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	fmt.Printf("%q\n", "http://"+l.Addr().String())
	return nil, http.Serve(l, h)
}

type hookStore struct {
	conn    *sqlite.Conn
	todo    chan hook
	decodes bool
}

type hook struct {
	body     []byte
	statuses []hookStatus
	done     chan error
}

type hookStatus struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	At     int64  `json:"timestamp,string"`
}

// statusesIn decodes the statuses of a body.
func statusesIn(body []byte) (list []hookStatus, err error) {
	var raw struct {
		Entry []struct {
			Changes []struct {
				Value struct {
					Statuses []hookStatus `json:"statuses"`
				} `json:"value"`
			} `json:"changes"`
		} `json:"entry"`
	}
	err = json.Unmarshal(body, &raw)
	for _, e := range raw.Entry {
		for _, c := range e.Changes {
			list = append(list, c.Value.Statuses...)
		}
	}
	return list, err
}

func (h *hookStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	got, hexErr := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="))
	if err != nil || hexErr != nil || !hmac.Equal(got, sign(body)) {
		http.Error(w, "refused", http.StatusForbidden)
		return
	}
	one := hook{body: body, done: make(chan error, 1)}
	if h.decodes {
		if one.statuses, err = statusesIn(body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	h.todo <- one
	if err := <-one.done; err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	}
}

// run commits what arrived during the previous commit.
func (h *hookStore) run() {
	for one := range h.todo {
		group := []hook{one}
		for more := true; more && len(group) < connections; {
			select {
			case one := <-h.todo:
				group = append(group, one)
			default:
				more = false
			}
		}
		err := h.commit(group)
		for _, one := range group {
			one.done <- err
		}
	}
}

func (h *hookStore) commit(group []hook) (err error) {
	defer sqlitex.Save(h.conn)(&err)
	for _, one := range group {
		sum := sha256.Sum256(one.body)
		if err := sqlitex.Execute(h.conn, "INSERT INTO inbox (hash, raw) VALUES (?, ?)", &sqlitex.ExecOptions{Args: []any{sum[:], one.body}}); err != nil {
			return err
		}
		for _, s := range one.statuses {
			if err := h.join(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// join keeps the first moment of each status of a message.
func (h *hookStore) join(s hookStatus) error {
	column := map[string]string{"sent": "sent", "delivered": "delivered", "read": "read"}[s.Status]
	query := "INSERT INTO statuses (message, " + column + ") VALUES (?1, ?2) ON CONFLICT DO UPDATE SET " + column + " = min(coalesce(" + column + ", ?2), ?2)"
	return sqlitex.Execute(h.conn, query, &sqlitex.ExecOptions{Args: []any{s.ID, s.At}})
}
