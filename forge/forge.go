// Package forge keeps one comment of handbill's under a pull request of GitHub or a
// merge request of GitLab: it writes the comment the first time, and replaces it later.
//
// The comment is found by two things together: the marker with which its first line
// begins, and its author, who has to be the one that the token belongs to. Whoever can
// comment can write a marker, too, and a comment of theirs stays theirs to edit: it
// could show another plan than the one that was made.
package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Options say where comments are kept.
type Options struct {
	// API is the address under which the forge's REST API begins, such as
	// "https://api.github.com" or "https://gitlab.example/api/v4".
	API string
	// GraphQL is the address of GitHub's GraphQL API; "" for the one beside API.
	GraphQL string
	// Page is the address of the project for people; "" if it is not known.
	Page string
	// Project is "OWNER/NAME" on GitHub, and the project's number or path on GitLab.
	Project string
	// Number is the pull request's, or that of the merge request in its project.
	Number int
	// Token stands for the one who comments. No error holds it.
	Token     string
	UserAgent string
	// Sleep waits before something is tried again.
	Sleep func(context.Context, time.Duration) error
}

// Result says what became of the comment.
type Result struct {
	Did string // created, updated or unchanged
	// URL is the comment's page; "" where the forge did not tell.
	URL string
	// Others is how many further comments of the same author have the same marker. They
	// were left as they are.
	Others int
}

// What Put did.
const (
	created   = "created"
	updated   = "updated"
	unchanged = "unchanged"
)

// Thread is the conversation under one pull or merge request.
type Thread struct {
	opt    Options
	client *http.Client
	calls  calls
	most   int // characters of a comment
}

// calls is what differs between the forges.
type calls struct {
	header http.Header
	// self reads who the token belongs to.
	self func(ctx context.Context) (string, error)
	// list is the path of one page of comments, and of the place where new ones go.
	list func(page int) string
	post string
	// edit is the method and path that replace a comment.
	edit func(id int64) (method, path string)
	read func(page []byte) ([]comment, error) // of a list
	one  func(body []byte) (comment, error)   // of an answer about one
}

// comment is one comment as the forge has it.
type comment struct {
	id     int64
	author string
	body   string
	url    string
}

// perPage is how many comments are read at once, and maxPages how many pages.
const (
	perPage  = 100
	maxPages = 100
)

// Times: tries is how often the whole of Put is begun where the forge is busy or does
// not answer, and firstWait how long the first wait is; each is twice as long as the
// one before.
const (
	tries     = 4
	firstWait = 2 * time.Second
	maxWait   = time.Minute
	answer    = 30 * time.Second
)

// maxAnswer bounds what is read of an answer, in bytes. A hundred comments of the
// greatest length have less.
const maxAnswer = 64 << 20

// errBusy is wrapped where trying again may help: nothing, or nothing known, was done.
var errBusy = errors.New("the forge is busy")

// errWhose is returned where nobody could say which comments are the token's own.
var errWhose = errors.New("the forge does not tell whose the token is, so no comment can be called its own")

// newThread is a Thread without its calls.
func newThread(o Options, most int) *Thread {
	return &Thread{opt: o, most: most, client: &http.Client{
		Timeout: answer,
		// Another host would get the token.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Put makes the comment with this marker say body, which begins with "<!-- " and the
// marker. It writes one only where the token's owner has none yet, and nothing where
// that one says so already. An answer that was lost is looked up before anything is
// repeated, so there is one comment however often Put is called.
func (t *Thread) Put(ctx context.Context, m Marker, body string) (Result, error) {
	if n := utf8.RuneCountInString(body); n > t.most {
		return Result{}, fmt.Errorf("the comment has %d characters, and the forge takes %d", n, t.most)
	}
	wait := firstWait
	for try := 1; ; try++ {
		out, err := t.put(ctx, m, body)
		if err == nil || try == tries || !errors.Is(err, errBusy) {
			return out, err
		}
		var busy *busyError
		if errors.As(err, &busy) && busy.after > wait {
			wait = min(busy.after, maxWait)
		}
		if slept := t.opt.Sleep(ctx, wait); slept != nil {
			return Result{}, err
		}
		wait *= 2
	}
}

// put looks for the comment and writes it.
func (t *Thread) put(ctx context.Context, m Marker, body string) (Result, error) {
	self, err := t.calls.self(ctx)
	if err != nil {
		return Result{}, err
	}
	own, others, err := t.find(ctx, self, m)
	switch {
	case err != nil:
		return Result{}, err
	case own == nil:
		c, err := t.write(ctx, http.MethodPost, t.calls.post, body)
		return Result{Did: created, URL: c.url}, err
	case plain(own.body) == plain(body):
		return Result{Did: unchanged, URL: own.url, Others: others}, nil
	}
	method, path := t.calls.edit(own.id)
	c, err := t.write(ctx, method, path, body)
	return Result{Did: updated, URL: c.url, Others: others}, err
}

// plain is a comment without what forges change at line ends.
func plain(body string) string {
	return strings.TrimSpace(strings.ReplaceAll(body, "\r\n", "\n"))
}

// find returns the oldest comment of the author that has the marker, nil for none, and
// how many others there are.
func (t *Thread) find(ctx context.Context, author string, m Marker) (own *comment, others int, err error) {
	for page := 1; page <= maxPages; page++ {
		body, err := t.call(ctx, http.MethodGet, t.calls.list(page), nil)
		if err != nil {
			return nil, 0, err
		}
		list, err := t.calls.read(body)
		if err != nil {
			return nil, 0, errors.New("the list of comments has an unknown form")
		}
		for i := range list {
			has, marked := markerOf(list[i].body)
			switch {
			case list[i].author != author || !marked || has.Env != m.Env:
			case own == nil:
				own = &list[i]
			default:
				others++
			}
		}
		if len(list) < perPage {
			return own, others, nil
		}
	}
	return nil, 0, fmt.Errorf("there are more than %d comments", perPage*maxPages)
}

// write sends a comment.
func (t *Thread) write(ctx context.Context, method, path, body string) (comment, error) {
	raw, err := json.Marshal(map[string]string{"body": body})
	if err != nil {
		return comment{}, err
	}
	got, err := t.call(ctx, method, path, raw)
	if err != nil {
		return comment{}, err
	}
	c, err := t.calls.one(got)
	if err != nil {
		return comment{}, fmt.Errorf("the answer about the comment has an unknown form, so it is looked up: %w", errBusy)
	}
	return c, nil
}

// call makes one request below API, and returns the body of an answer that grants it.
func (t *Thread) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	return t.request(ctx, method, strings.TrimSuffix(t.opt.API, "/")+path, body)
}

func (t *Thread) request(ctx context.Context, method, to string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address of the forge's API is none")
	}
	req.Header = t.calls.header.Clone()
	req.Header.Set("User-Agent", t.opt.UserAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := t.client.Do(req)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err // the address stands in the message of the other
		}
		return nil, fmt.Errorf("%s does not answer (%v): %w", req.URL.Host, err, errBusy)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s broke off its answer: %w", req.URL.Host, errBusy)
	case len(got) > maxAnswer:
		return nil, fmt.Errorf("%s answered with more than %d MB", req.URL.Host, maxAnswer>>20)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, refused(req.URL.Host, resp, got)
	}
	return got, nil
}

// busyError is errBusy with the time that the forge asks for.
type busyError struct {
	text  string
	after time.Duration
}

func (e *busyError) Error() string        { return e.text }
func (e *busyError) Is(target error) bool { return target == errBusy }

// refused is the error of an answer that does not grant the request.
func refused(host string, resp *http.Response, body []byte) error {
	text := fmt.Sprintf("%s answers %s%s", host, resp.Status, said(body))
	after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	limited := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusForbidden && after > 0 // GitHub's secondary limit
	switch {
	case limited, resp.StatusCode >= 500:
		return &busyError{text, time.Duration(after) * time.Second}
	case resp.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s: the token is not valid, or has ended", text)
	case resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s: the token may not do that. A job of GitHub needs \"permissions: pull-requests: write\", a token of GitLab the scope api", text)
	case resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: there is no such project or request, or the token does not see it", text)
	case resp.StatusCode < 400:
		return fmt.Errorf("%s: it is another address by now, and the token is not sent there", text)
	}
	return errors.New(text)
}

// said is the message in an answer; "" for none.
func said(body []byte) string {
	var m struct {
		Message json.RawMessage `json:"message"`
		Error   string          `json:"error"`
	}
	if json.Unmarshal(body, &m) != nil {
		return ""
	}
	text := m.Error
	if s := ""; json.Unmarshal(m.Message, &s) == nil && s != "" {
		text = s
	}
	if text == "" {
		return ""
	}
	const most = 200
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return fmt.Sprintf(" (%q)", text)
}

// Marker is what the first line of a comment says of it.
type Marker struct {
	// Env tells comments of one request apart, such as "prod"; "" for the only one.
	Env string
}

// firstLine is the first line of a plan as Markdown.
var firstLine = regexp.MustCompile(`^<!-- handbill-plan(?: env=([A-Za-z0-9._/-]+))?( sha256:[0-9a-f]+)? *-->\r?\n`)

// envForm is what Marker.Env may be.
var envForm = regexp.MustCompile(`^[A-Za-z0-9._/-]{1,64}$`)

// markerOf reads the marker of a comment; ok is false for one that has none.
func markerOf(body string) (m Marker, ok bool) {
	found := firstLine.FindStringSubmatch(body)
	if found == nil {
		return Marker{}, false
	}
	return Marker{found[1]}, true
}

// Mark returns a comment with the marker of an environment, "" for the one it has.
// It fails where the comment is no plan as Markdown, or has another environment's.
func Mark(body, env string) (string, Marker, error) {
	m, ok := markerOf(body)
	switch {
	case strings.TrimSpace(body) == "":
		return "", m, errors.New("it is empty, so there is nothing to comment: see what the plan said")
	case !ok:
		return "", m, errors.New("its first line is not \"<!-- handbill-plan … -->\": it takes what \"handbill plan -format=markdown\" and \"handbill show -format=markdown\" print")
	case env == "" || env == m.Env:
		return body, m, nil
	case m.Env != "":
		return "", m, fmt.Errorf("it is the comment of the environment %s", m.Env)
	case !envForm.MatchString(env) || strings.Contains(env, "--"):
		return "", m, errors.New("an environment's name has letters, digits, dots, dashes, slashes and underscores, at most 64, and no two dashes in a row")
	}
	const head = "<!-- handbill-plan"
	return head + " env=" + env + body[len(head):], Marker{env}, nil
}
