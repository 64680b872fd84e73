package bench

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// planBaseline is the bare loop to compare with planning: read the CSV, scan the
// number, build the text by concatenation, check its length. Arguments: the file.
func planBaseline(args []string) (any, error) {
	n := 0
	err := eachMessage(args[0], func(_, text string) error {
		if utf8.RuneCountInString(text) <= 4096 {
			n++
		}
		return nil
	})
	return n, err
}

// eachMessage calls visit with every usable number and its text.
func eachMessage(path string, visit func(phone, text string) error) error {
	return eachContact(path, func(phone, name, city, plan string) error {
		offer := "Take a look!"
		if plan == "pro" {
			offer = "As a pro you get 10 percent off."
		}
		return visit(phone, "Hello "+name+", our spring catalog for "+strings.ToUpper(city)+" is here. "+offer)
	})
}

// eachContact calls visit with every usable number and what stands beside it.
func eachContact(path string, visit func(phone, name, city, plan string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := csv.NewReader(bufio.NewReaderSize(f, 64<<10))
	in.ReuseRecord = true
	if _, err := in.Read(); err != nil {
		return err
	}
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		phone, ok := scanNumber(rec[0])
		if !ok {
			continue
		}
		if err := visit(phone, rec[1], rec[2], rec[3]); err != nil {
			return err
		}
	}
}

// scanNumber reads a number as simply as possible: the digits after a plus or a
// zero, ignoring anything else.
func scanNumber(s string) (string, bool) {
	if len(s) < 8 {
		return "", false
	}
	plain := s[0] == '+' || s[0] == '0'
	for i := 1; i < len(s) && plain; i++ {
		plain = s[i]-'0' <= 9
	}
	if plain && s[0] == '+' {
		return s, true
	}
	if plain {
		return "+49" + s[1:], true
	}
	var room [24]byte
	digits, plus := room[:0], false
	for i := 0; i < len(s) && len(digits) < len(room); i++ {
		switch {
		case s[i] == '+':
			plus = true
		case s[i]-'0' <= 9:
			digits = append(digits, s[i])
		}
	}
	switch {
	case len(digits) < 8:
		return "", false
	case plus:
		return "+" + string(digits), true
	case digits[0] == '0' && digits[1] == '0':
		return "+" + string(digits[2:]), true
	}
	return "+49" + string(digits[1:]), true
}

// flights is how many requests the bare loop has in flight, and the maximum number
// of records in one sync of its journal.
const flights = 64

// postBaseline is the bare loop to compare with apply: it posts the same bodies
// with a tuned net/http client, each after its journal record was synced, in
// groups. Arguments: the contacts, the server's URL, the journal.
func postBaseline(args []string) (any, error) {
	f, err := os.Create(args[2])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	j := &journal{file: f, todo: make(chan record, flights)}
	p := &poster{url: args[1] + "/v26.0/1/messages", journal: j, bodies: make(chan []byte, flights),
		client: &http.Transport{MaxIdleConnsPerHost: flights, DisableCompression: true}}
	return p.run(args[0])
}

type poster struct {
	url     string
	client  *http.Transport
	journal *journal
	bodies  chan []byte
	mu      sync.Mutex
	n       int
	err     error
}

func (p *poster) run(contacts string) (any, error) {
	var posts, writes sync.WaitGroup
	writes.Go(p.journal.run)
	for range flights {
		posts.Go(func() {
			for body := range p.bodies {
				err := errors.Join(p.journal.write(body), p.post(body))
				p.mu.Lock()
				p.n, p.err = p.n+1, errors.Join(p.err, err)
				p.mu.Unlock()
			}
		})
	}
	err := eachMessage(contacts, func(phone, text string) error {
		p.bodies <- body(phone, text)
		return nil
	})
	close(p.bodies)
	posts.Wait()
	close(p.journal.todo)
	writes.Wait()
	return p.n, errors.Join(err, p.err)
}

func (p *poster) post(body []byte) error {
	r, err := http.NewRequest(http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer sandbox")
	answer, err := p.client.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	reply, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !bytes.Contains(reply, []byte("wamid.")) {
		return fmt.Errorf("HTTP %d (%w)", answer.StatusCode, err)
	}
	return nil
}

// body is the request body that the Cloud API's encoder makes for the campaign.
func body(phone, text string) []byte {
	b := make([]byte, 0, 700)
	b = append(b, `{"messaging_product":"whatsapp","recipient_type":"individual","to":"`...)
	b = append(b, phone[1:]...)
	b = append(b, `","biz_opaque_callback_data":"hb1.AAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAA","type":"interactive","interactive":{"type":"list","body":{"text":`...)
	b = strconv.AppendQuote(b, text)
	return append(b, `},"action":{"button":"View catalog","sections":[{"title":"Featured products","rows":[{"id":"prod_alpha","title":"Alpha Widget","description":"Compact model"},{"id":"prod_beta","title":"Beta Widget","description":"Standard model"}]}]}}}`...)
}

// journal syncs records in groups: those that arrived during the previous sync.
type journal struct {
	file *os.File
	todo chan record
}

type record struct {
	body []byte
	done chan error
}

func (j *journal) write(body []byte) error {
	r := record{body, make(chan error, 1)}
	j.todo <- r
	return <-r.done
}

func (j *journal) run() {
	var buf []byte
	var group []record
	for r := range j.todo {
		group = append(group[:0], r)
		for more := true; more && len(group) < flights; {
			select {
			case r, ok := <-j.todo:
				if more = ok; ok {
					group = append(group, r)
				}
			default:
				more = false
			}
		}
		buf = buf[:0]
		for _, r := range group {
			buf = binary.BigEndian.AppendUint64(buf, uint64(time.Now().UnixNano()))
			buf = append(buf, r.body[:min(100, len(r.body))]...) // number and reference
		}
		_, err := j.file.Write(buf)
		err = errors.Join(err, j.file.Sync())
		for _, r := range group {
			r.done <- err
		}
	}
}
