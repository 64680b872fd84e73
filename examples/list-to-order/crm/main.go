// Command crm stands in for a CRM: it receives what handbill forwards, checks the
// signature as standardwebhooks.com describes, and writes each message once to a
// file, as one line of JSON. It shows everything that a receiver has to do.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9010", "address to listen at")
	secret := flag.String("secret", "only-for-the-example", "what handbill signs with")
	out := flag.String("out", "orders.jsonl", "file to append messages to")
	flag.Parse()
	file, err := os.OpenFile(*out, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("CRM on http://%s/whatsapp", l.Addr())
	c := &crm{secret: []byte(*secret), out: file, seen: map[string]bool{}}
	http.Handle("POST /whatsapp", c)
	log.Fatal(http.Serve(l, nil))
}

type crm struct {
	secret []byte
	mu     sync.Mutex
	out    io.Writer
	seen   map[string]bool // webhook-ids, to process a repeated webhook only once
}

// ServeHTTP receives one message.
func (c *crm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	id := r.Header.Get("Webhook-Id")
	if !c.signed(r.Header.Get("Webhook-Signature"), id, r.Header.Get("Webhook-Timestamp"), body) || !json.Valid(body) {
		http.Error(w, "not signed by us", http.StatusForbidden)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[id] {
		return
	}
	if _, err := c.out.Write(append(body, '\n')); err != nil {
		http.Error(w, "not stored", http.StatusInternalServerError)
		return
	}
	c.seen[id] = true
	log.Printf("took %s", id)
}

// signed checks the header, which may hold several signatures.
func (c *crm) signed(header, id, timestamp string, body []byte) bool {
	mac := hmac.New(sha256.New, c.secret)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, got := range strings.Fields(header) {
		if hmac.Equal([]byte(got), []byte(want)) {
			return true
		}
	}
	return false
}
