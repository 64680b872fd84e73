package audience

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/internal/guarded"
	"github.com/handbill/handbill/message"
)

// Limits of what a web service may answer. The figures are handbill's own.
const (
	maxPage  = 64 << 20 // bytes of a page, where the next one is named in it
	maxPages = 10_000
	tries    = 3 // requests for one page
)

// web makes the requests of a source.
type web struct {
	src    Source
	client *http.Client
	agent  string
	wait   *patience
	ctx    context.Context
	name   string // of the source, for places
	max    int64  // bytes
}

// openHTTP asks for the first page. What it returns reads further ones, and must be
// closed. The input is nil where there are several pages.
func openHTTP(ctx context.Context, src Source, opt Options) (rows, *input, error) {
	w := &web{src: src, client: opt.Web.Client, agent: opt.Web.UserAgent, max: opt.MaxFileBytes}
	first, err := url.Parse(src.URL)
	if err != nil || first.Host == "" || first.Scheme != "https" && first.Scheme != "http" {
		return nil, nil, &Error{Summary: "the url is none", Detail: "It looks like https://HOST/PATH."}
	}
	w.name = responseName(first, src.HideURL)
	if w.client == nil {
		return nil, nil, w.fail("nothing is requested here", "A plan test asks nobody. Give its run block contacts.")
	}
	w.wait, w.ctx = newPatience(ctx, cmp.Or(src.Timeout, defaultTimeout))
	r, in, err := w.open(first)
	w.wait.pause()
	if err != nil {
		w.wait.end()
		return nil, nil, err
	}
	return r, in, nil
}

// responseName is what a place is called by: the last part of the address.
func responseName(u *url.URL, hidden bool) string {
	name := path.Base(u.Path)
	if !regexp.MustCompile(`^[A-Za-z][\w.-]{0,63}$`).MatchString(name) {
		name = u.Hostname()
	}
	if hidden {
		name = "response"
	}
	return name
}

func (w *web) open(first *url.URL) (rows, *input, error) {
	resp, err := w.get(first)
	if err != nil {
		return nil, nil, err
	}
	format, charset := w.src.Format, cmp.Or(w.src.Encoding, charsetOf(resp))
	if format == "" {
		format = formatOf(resp)
	}
	in := &input{name: w.name, body: &patientBody{w, resp.Body}, hash: sha256.New(), size: max(resp.ContentLength, 0), max: w.max,
		canceled: w.ctx.Err, release: w.wait.end}
	fail := func(err error) (rows, *input, error) {
		_ = in.close()
		return nil, nil, err
	}
	if format == "" {
		return fail(w.fail("the answer has no content type that is known", `Say what it is: format = "csv", "ndjson" or "json".`))
	}
	if w.src.Next != nil {
		if format != "json" {
			return fail(w.fail("next needs JSON", "The answer is "+format+", in which no next page is named."))
		}
		p := &pages{web: w, hash: in.hash, seen: map[string]bool{first.String(): true}, at: first}
		if err := p.page(in.body); err != nil {
			return fail(err)
		}
		p.names = slices.Clone(p.cur.columns())
		return p, nil, nil
	}
	unpacked, err := decodeText(in, charset, w.name)
	if err != nil {
		return fail(err)
	}
	var r rows
	switch format {
	case "csv":
		r, err = openCSV(unpacked, w.src.Delimiter, in)
	case "ndjson":
		r, err = openNDJSON(unpacked, w.src.Columns, in)
	default:
		r, err = openJSON(unpacked, w.src, in)
	}
	if err != nil {
		return fail(err)
	}
	return r, in, nil
}

// formatOf is the format that the content type names; "" if it names none.
func formatOf(resp *http.Response) string {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case kind == "text/csv" || kind == "application/csv":
		return "csv"
	case slices.Contains([]string{"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/json-lines"}, kind):
		return "ndjson"
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		return "json"
	}
	return ""
}

func charsetOf(resp *http.Response) string {
	_, params, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return params["charset"]
}

// get requests a page, again where a service says that it is busy.
func (w *web) get(u *url.URL) (*http.Response, error) {
	for try := 1; ; try++ {
		resp, err := w.once(u)
		again := try < tries && w.ctx.Err() == nil
		if err != nil {
			var refused guarded.Refusal
			if again && !errors.As(err, &refused) && w.pause(time.Second<<try) {
				continue
			}
			return nil, w.failed(err)
		}
		if resp.StatusCode == http.StatusOK {
			return resp, nil
		}
		_ = resp.Body.Close() // it may hold anything
		busy := slices.Contains([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, resp.StatusCode)
		if !busy || !again || !w.pause(retryAfter(resp, time.Second<<try)) {
			return nil, w.refused(resp.StatusCode)
		}
	}
}

func (w *web) once(u *url.URL) (*http.Response, error) {
	r, err := http.NewRequestWithContext(w.ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the url is none")
	}
	r.Header.Set("Accept", "application/json, application/x-ndjson, text/csv;q=0.9, */*;q=0.1")
	r.Header.Set("User-Agent", w.agent)
	for name, value := range w.src.Headers {
		r.Header.Set(name, value)
	}
	return w.client.Do(r)
}

// pause waits, if the source's patience lasts that long.
func (w *web) pause(d time.Duration) bool {
	if d >= w.wait.limit {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}

// retryAfter is the time that a service asks for, in seconds, or otherwise d.
func retryAfter(resp *http.Response, d time.Duration) time.Duration {
	const most = 3600
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n >= 0 && n <= most {
		return time.Duration(n) * time.Second
	}
	return d
}

func (w *web) fail(summary, detail string) error {
	return &Error{Place: message.Place{File: w.name}, Summary: summary, Detail: detail}
}

// failed describes a request without an answer. It shows neither the address, which
// may hold a key, nor a header.
func (w *web) failed(err error) error {
	switch {
	case w.wait.over.Load():
		return &Error{Place: message.Place{File: w.name}, Summary: "the service did not answer within " + w.wait.limit.String(),
			Detail: "If it needs more time, say so in the source: timeout = \"30m\".", Err: err}
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	}
	return w.fail("the request failed", guarded.Cause(err).Error())
}

// refused describes an answer that is no success.
func (w *web) refused(code int) error {
	detail := ""
	switch {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		detail = "It did not accept the headers, or they are missing."
	case code >= 300 && code < 400:
		detail = "Redirects are not followed, since the headers would go along. Write the address that it leads to."
	case code >= 200 && code < 300:
		detail = "Only an answer with status 200 is known to be whole."
	}
	return w.fail("the service answered with status "+strconv.Itoa(code), detail)
}

// patientBody reads a body, each read within the source's patience.
type patientBody struct {
	w    *web
	body io.ReadCloser
}

func (b *patientBody) Read(p []byte) (int, error) {
	b.w.wait.resume()
	defer b.w.wait.pause()
	n, err := b.body.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	if b.w.wait.over.Load() || b.w.ctx.Err() != nil {
		return n, b.w.failed(err)
	}
	return n, b.w.fail("the answer broke off", "Nothing is made of half of it.")
}

func (b *patientBody) Close() error { return b.body.Close() }

// pages are the rows of JSON documents, each of which names the next one.
type pages struct {
	web   *web
	hash  hash.Hash
	at    *url.URL // of the current page
	body  []byte
	count int
	read  int64
	seen  map[string]bool
	cur   *objects
	in    *input // of the current page
	names []string
	cells []message.Value
	late  []string // notes about keys that the first page does not have
}

// page reads a page and goes to its records.
func (p *pages) page(body io.ReadCloser) error {
	data, err := io.ReadAll(io.LimitReader(body, maxPage+1))
	_ = body.Close() // all of it was read
	if err != nil {
		return err
	}
	p.count++
	name := sprintf("%s (page %d)", p.web.name, p.count)
	p.read += int64(len(data))
	switch {
	case len(data) > maxPage:
		return &Error{Place: message.Place{File: name}, Summary: sprintf("page of more than %d bytes", maxPage), Detail: "Ask the service for smaller pages."}
	case p.read > p.web.max:
		return &Error{Place: message.Place{File: name}, Summary: sprintf("the pages have more than %d bytes", p.web.max), Detail: "Split the audience."}
	}
	p.hash.Write(data)
	p.body = data
	p.in = &input{name: name, body: io.NopCloser(bytes.NewReader(data)), hash: sha256.New(), max: p.web.max, canceled: p.web.ctx.Err}
	text, err := decodeText(p.in, p.web.src.Encoding, name)
	if err != nil {
		return err
	}
	src := p.web.src
	if p.names != nil {
		src.Columns = p.names
	}
	p.cur, err = openJSON(text, src, p.in)
	if err != nil {
		return err
	}
	columns := p.cur.columns()
	p.cells = make([]message.Value, len(columns))
	if p.names != nil && len(columns) > len(p.names) && len(p.late) == 0 {
		p.late = append(p.late, sprintf("key %q, first seen on page %d, is no column; name it in columns to have it", columns[len(p.names)], p.count))
	}
	return nil
}

func (p *pages) columns() []string { return p.names }

func (p *pages) next(dst []message.Value) (int, error) {
	for {
		line, err := p.cur.next(p.cells)
		if err != io.EOF {
			copy(dst, p.cells)
			return line, err
		}
		if err := p.turn(); err != nil {
			return 0, err
		}
	}
}

// turn goes to the next page; io.EOF after the last one.
func (p *pages) turn() error {
	said, err := p.web.src.Next(p.body)
	if err != nil {
		return &Error{Place: message.Place{File: p.in.name}, Summary: "next has no result for this page", Detail: err.Error() +
			` Where the last page does not have the key: next = try(response.json.next, null).`}
	}
	if said == "" {
		return io.EOF
	}
	next, err := p.at.Parse(said)
	fail := func(summary, detail string) error {
		return &Error{Place: message.Place{File: p.in.name}, Summary: summary, Detail: detail}
	}
	switch {
	case err != nil || next.Host == "":
		return fail("next is no address", "")
	case next.Scheme != p.at.Scheme || next.Host != p.at.Host:
		return fail("next leads to another server", "The headers of the source would go along.")
	case p.seen[next.String()]:
		return fail("next leads to a page that was read already", "The pages would never end.")
	case p.count == maxPages:
		return fail(sprintf("more than %d pages", maxPages), "Ask the service for larger ones. Or do they never end?")
	}
	p.seen[next.String()], p.at = true, next
	p.web.wait.resume()
	resp, err := p.web.get(next)
	p.web.wait.pause()
	if err != nil {
		return err
	}
	return p.page(&patientBody{p.web, resp.Body})
}

func (p *pages) place(line int) message.Place { return p.cur.place(p.in.name, line) }

// notes say how many pages there were: an expression that finds no next page where
// there is one looks like the last page.
func (p *pages) notes() []string {
	many := "s"
	if p.count == 1 {
		many = ""
	}
	return slices.Concat(p.cur.notes(), []string{sprintf("read from %d page%s", p.count, many)}, p.late)
}

func (p *pages) digest() (sum [32]byte) {
	p.hash.Sum(sum[:0])
	return sum
}

func (p *pages) close() error {
	p.web.wait.end()
	return nil
}
