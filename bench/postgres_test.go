package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/internal/pgtest"
)

// database is the block of a configuration that keeps the state in PostgreSQL.
const database = `
handbill {
  state "postgres" {
    url    = env("HANDBILL_STATE_URL")
    schema = %q
  }
}
`

// cluster starts the database on this machine that the rows about PostgreSQL share. It
// syncs its commits.
func (b *book) cluster() {
	if os.Getenv("HANDBILL_STATE_URL") == "" {
		b.must(os.Setenv("HANDBILL_STATE_URL", pgtest.Start(b.t, "handbill", "").URL()))
	}
}

// durable measures the throughput to a server that answers immediately, and that of
// a loop that copies the same rows in commits of the same size.
func (b *book) durable() {
	b.cluster()
	url := b.serve(0)
	var ours, bare []served
	var all []used
	for range *runs {
		dir, schema := b.shared(url, 1, *small)
		b.asked(url, 0)
		var count int
		b.child("copy", &count, filepath.Join(dir, "people0.csv"), url, schema)
		bare = append(bare, b.asked(url, count))
		dir, _ = b.shared(url, 1, *small)
		all = append(all, b.handbill(dir, "apply", "-auto-approve"))
		ours = append(ours, b.asked(url, count))
	}
	rate := median(ours, served.rate)
	r := rate / median(bare, served.rate)
	b.print(line{work: "apply, " + thousands(*small) + ", durable in PostgreSQL", ours: perSecond(rate), bare: perSecond(median(bare, served.rate)), ratio: r, peak: peak(all),
		bound: ">= 0.7 x", held: r >= .7})
	b.print(line{work: "  of processors, without the database's", ours: seconds(median(all, cpu))})
}

// lanes compares eight numbers with one that sends as many messages.
func (b *book) lanes() {
	b.cluster()
	const lanes = 8
	url := b.serve(0)
	rates := map[int][]served{}
	for range *runs {
		for _, n := range []int{1, lanes} {
			dir, _ := b.shared(url, n, *small/n)
			b.handbill(dir, "apply", "-auto-approve")
			s, err := ask(url)
			b.must(err)
			rates[n] = append(rates[n], s)
		}
	}
	one, many := median(rates[1], served.rate), median(rates[lanes], served.rate)
	b.print(line{work: fmt.Sprintf("apply in PostgreSQL, %d numbers beside one", lanes), ours: perSecond(many), bare: perSecond(one), ratio: many / one,
		bound: ">= 1.2 x", held: many >= 1.2*one})
}

// planned compares planning on a state in which everybody was sent to with planning
// on the same state in SQLite.
func (b *book) planned() {
	b.cluster()
	dir := filepath.Join(b.dir, "postgres-plan")
	b.must(space(dir, nowhere, 1_000_000, *large))
	b.handbill(dir, "init")
	b.handbill(dir, "plan", "-out="+filepath.Join(dir, "saved.hbplan"))
	var n int
	b.child("fill", &n, filepath.Join(dir, "saved.hbplan"), filepath.Join(dir, "handbill.state"))
	there := filepath.Join(b.dir, "postgres-plan-there")
	b.must(os.CopyFS(there, os.DirFS(dir)))
	schema := pgtest.Schema()
	moved := b.handbill(there, "state", "migrate", "-to=env:HANDBILL_STATE_URL", "-schema="+schema)
	b.print(line{work: "state migrate of " + thousands(n) + " to PostgreSQL", ours: seconds(wall(moved)), peak: moved.peak})
	b.append(there, fmt.Sprintf(database, schema))
	var ours, file []used
	for range *runs {
		file = append(file, b.handbill(dir, "plan"))
		ours = append(ours, b.handbill(there, "plan"))
	}
	b.times("plan, "+thousands(*large)+", everybody sent, PostgreSQL beside SQLite", ours, file, 1.5)
	b.print(line{work: "  of processors, without the database's", ours: seconds(median(ours, cpu)), bare: seconds(median(file, cpu)), ratio: median(ours, cpu) / median(file, cpu)})
}

func perSecond(rate float64) string { return fmt.Sprintf("%.0f/s", rate) }

// shared writes a directory whose state is in a schema of its own: a campaign for
// each of some numbers, with n recipients each.
func (b *book) shared(url string, numbers, n int) (dir, schema string) {
	schema = pgtest.Schema()
	dir = filepath.Join(b.dir, schema)
	b.must(os.MkdirAll(dir, 0o700))
	text := fmt.Sprintf(database, schema)
	// Each campaign has different people, who would have to wait between messages.
	b.must(writeContacts(filepath.Join(dir, "all.csv"), n*numbers))
	all, err := os.ReadFile(filepath.Join(dir, "all.csv"))
	b.must(err)
	rows := strings.SplitAfter(string(all), "\n")
	for i := range numbers {
		csv := fmt.Sprintf("people%d.csv", i)
		b.must(os.WriteFile(filepath.Join(dir, csv), []byte(rows[0]+strings.Join(rows[1+i*n:1+(i+1)*n], "")), 0o600))
		text += strings.NewReplacer(`"main"`, fmt.Sprintf(`"n%d"`, i), "sandbox.main", fmt.Sprintf("sandbox.n%d", i), `"browse"`, fmt.Sprintf(`"m%d"`, i), ".browse", fmt.Sprintf(".m%d", i),
			`"people"`, fmt.Sprintf(`"p%d"`, i), ".people", fmt.Sprintf(".p%d", i), `"spring"`, fmt.Sprintf(`"c%d"`, i), "contacts.csv", csv).Replace(fmt.Sprintf(config, url, 1_000_000))
	}
	b.must(os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text), 0o600))
	b.handbill(dir, "init")
	return dir, schema
}

func (b *book) append(dir, text string) {
	f, err := os.OpenFile(filepath.Join(dir, "main.hcl"), os.O_APPEND|os.O_WRONLY, 0)
	b.must(err)
	_, err = f.WriteString(text)
	b.must(err, f.Close())
}

// inFlight is how many requests the loop that copies has in flight, as many as an
// apply.
const inFlight = 256

// copyBaseline is the bare loop to compare with apply on PostgreSQL: it posts the same
// bodies. The rows of those that go next and of the answers that came are copied in
// one commit, without the triggers that hold the rules. Arguments: the contacts, the
// server's URL, the schema.
func copyBaseline(args []string) (any, error) {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, os.Getenv("HANDBILL_STATE_URL"))
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, "SET search_path TO "+args[2]+"; ALTER TABLE attempts DISABLE TRIGGER USER; ALTER TABLE outcomes DISABLE TRIGGER USER", pgx.QueryExecModeSimpleProtocol); err != nil {
		return nil, err
	}
	l := &copier{c: c, post: poster{url: args[1] + "/v26.0/1/messages", client: &http.Transport{MaxIdleConnsPerHost: inFlight, DisableCompression: true}},
		next: make(chan copied, inFlight), work: make(chan copied, inFlight), answers: make(chan copied, inFlight)}
	var posts sync.WaitGroup
	for range inFlight {
		posts.Go(l.send)
	}
	var read error
	go func() {
		defer close(l.next)
		read = eachMessage(args[0], func(phone, text string) error {
			l.next <- copied{phone: phone, body: body(phone, text)}
			return nil
		})
	}()
	err = l.run(ctx)
	close(l.work)
	posts.Wait()
	return l.n, errors.Join(err, read)
}

// copied is a message of the loop that copies.
type copied struct {
	id    int64
	phone string
	body  []byte
	err   error
}

type copier struct {
	c                   *pgx.Conn
	post                poster
	next, work, answers chan copied
	n                   int
}

func (l *copier) send() {
	for m := range l.work {
		m.err = l.post.post(m.body)
		l.answers <- m
	}
}

func (l *copier) run(ctx context.Context) error {
	flying, more := 0, true
	for more || flying > 0 {
		var batch, settled []copied
		for wait := true; wait; {
			wait = false
			for more && flying+len(batch) < inFlight && len(batch) < inFlight {
				m, ok := <-l.next
				if more = ok; ok {
					l.n++
					m.id = int64(l.n)
					batch = append(batch, m)
				}
			}
			if len(batch) == 0 && len(settled) == 0 && flying > 0 {
				settled, flying, wait = append(settled, <-l.answers), flying-1, true
			}
			for some := true; some && flying > 0; {
				select {
				case m := <-l.answers:
					settled, flying = append(settled, m), flying-1
				default:
					some = false
				}
			}
		}
		if err := l.commit(ctx, batch, settled); err != nil {
			return err
		}
		for _, m := range batch {
			flying++
			l.work <- m
		}
	}
	return nil
}

func (l *copier) commit(ctx context.Context, batch, settled []copied) error {
	tx, err := l.c.Begin(ctx)
	if err != nil {
		return err
	}
	now, digest := time.Now().UnixMilli(), make([]byte, 16)
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"attempts"}, []string{"id", "campaign", "revision", "recipient", "person", "attempt", "run", "number", "intended", "message", "digest", "body", "ref"},
		pgx.CopyFromSlice(len(batch), func(i int) ([]any, error) {
			m := &batch[i]
			return []any{m.id, "campaign.c0", int64(1), m.phone, m.phone, int32(1), int64(1), "provider.sandbox.n0", now, "list_message.m0", digest, digest,
				fmt.Sprintf("hb1.AAAAAAAA.%024d.AAAAAAAA", m.id)}, nil
		}))
	if err != nil {
		return err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"outcomes"}, []string{"id", "send", "proof", "settled", "code", "title", "cause", "sent_id"},
		pgx.CopyFromSlice(len(settled), func(i int) ([]any, error) {
			return []any{settled[i].id, int16(2), "response", now, "", "", "", sentID(settled[i].id)}, settled[i].err
		}))
	return errors.Join(err, tx.Commit(ctx))
}
