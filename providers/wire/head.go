package wire

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/handbill/handbill/message"
)

// head is the head of the requests to one address, as net/http writes it, split
// at the length of the body.
type head struct {
	method  string
	address string
	header  http.Header
	url     *url.URL
	host    string // scheme and host: the pool's key
	before  []byte
	after   []byte
	sized   bool // a length goes between before and after
}

// heading returns the head for a request; it reuses the last one if it is the same.
func (c *Client) heading(method, address string, h http.Header, body []byte) (*head, *failure) {
	if f := c.last.Load(); f != nil && f.fits(method, address, h) && f.sized == (body != nil) {
		return f, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &failure{message.NotSent, "the provider's address cannot be parsed"}
	}
	f := &head{method: method, address: address, header: maps.Clone(h), url: u, host: u.Scheme + "://" + u.Host, sized: body != nil}
	r := http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{}, ProtoMajor: 1, ProtoMinor: 1}
	for name, values := range h {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	r.Header.Set("User-Agent", c.userAgent)
	if f.sized {
		r.Header.Set("Content-Type", "application/json")
		r.Body, r.ContentLength = http.NoBody, 0
	}
	var out bytes.Buffer
	if err := r.Write(&out); err != nil {
		return nil, &failure{message.NotSent, "the request cannot be made"}
	}
	if !f.cut(out.Bytes()) {
		return nil, &failure{message.NotSent, "the request cannot be made"}
	}
	c.last.Store(f)
	return f, nil
}

// noLength is how net/http writes the length of a request without a body.
const noLength = "\r\nContent-Length: 0\r\n"

// cut splits text, the head of a request without a body.
func (f *head) cut(text []byte) bool {
	f.before = text
	if !f.sized {
		return true
	}
	at := bytes.Index(text, []byte(noLength))
	if at < 0 {
		return false
	}
	at += len(noLength) - len("0\r\n")
	f.before, f.after = text[:at:at], text[at+1:]
	return true
}

func (f *head) fits(method, address string, h http.Header) bool {
	return f.method == method && f.address == address && maps.EqualFunc(f.header, h, slices.Equal)
}

// fill appends the whole request to out.
func (f *head) fill(out, body []byte) []byte {
	out = append(out, f.before...)
	if !f.sized {
		return out
	}
	out = strconv.AppendInt(out, int64(len(body)), 10)
	out = append(out, f.after...)
	return append(out, body...)
}
