// Package forgetest is a GitHub and a GitLab for tests: one request with comments, on
// loopback. It knows the form of the documented calls, and nothing of package forge.
package forgetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The account of the bot, its token, and where the request is.
const (
	Token   = "token-of-the-bot"
	Bot     = "campaigns[bot]"
	BotID   = 7
	Project = "acme/campaigns" // GitHub's name
	ID      = "1234"           // GitLab's number of the project
	Number  = 12
)

// Comment is one comment under the request.
type Comment struct {
	ID     int64
	Author string // Bot, or somebody else
	Body   string
	System bool // GitLab wrote it
}

// Forge is the server. Its fields may be changed between requests.
type Forge struct {
	URL string

	mu       sync.Mutex
	comments []Comment
	calls    []string // "POST /repos/…"
	// Answer, if set, answers a request first; it returns false to let the forge do
	// that. carryOut does what was asked, and its answer is thrown away.
	Answer func(w http.ResponseWriter, r *http.Request, carryOut func()) bool
}

// New starts a forge.
func New(t testing.TB, comments ...Comment) *Forge {
	f := &Forge{comments: slices.Clone(comments)}
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// GitHub is the environment of a job for the request on GitHub.
func (f *Forge) GitHub() []string {
	return []string{"GITHUB_ACTIONS=true", "GITHUB_API_URL=" + f.URL + "/api/v3", "GITHUB_REPOSITORY=" + Project, fmt.Sprintf("GITHUB_REF=refs/pull/%d/merge", Number), "GITHUB_TOKEN=" + Token}
}

// GitLab is the environment of a job for the request on GitLab.
func (f *Forge) GitLab() []string {
	return []string{"GITLAB_CI=true", "CI_API_V4_URL=" + f.URL + "/api/v4", "CI_PROJECT_ID=" + ID, "CI_PROJECT_URL=" + f.URL + "/" + Project, fmt.Sprintf("CI_MERGE_REQUEST_IID=%d", Number), "GITLAB_TOKEN=" + Token}
}

// Comments are the comments of now.
func (f *Forge) Comments() []Comment {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.comments)
}

// Calls returns what was asked since the last call, each as "METHOD /path".
func (f *Forge) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.calls
	f.calls = nil
	return out
}

func (f *Forge) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.calls = append(f.calls, r.Method+" "+r.URL.Path)
	first := f.Answer
	f.mu.Unlock()
	if first != nil && first(w, r, func() { f.answer(httptest.NewRecorder(), r) }) {
		return
	}
	f.answer(w, r)
}

// admitted reports whether the forge takes a request, and answers one that it does not.
func admitted(w http.ResponseWriter, r *http.Request, hub bool) bool {
	switch {
	case hub && r.Header.Get("Authorization") != "Bearer "+Token, !hub && r.Header.Get("Private-Token") != Token:
		say(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
		return false
	case r.Header.Get("User-Agent") == "": // GitHub refuses those
		say(w, http.StatusForbidden, map[string]string{"message": "Request forbidden by administrative rules"})
		return false
	}
	return true
}

var (
	hubList = regexp.MustCompile(`^/api/v3/repos/` + Project + `/issues/12/comments$`)
	hubOne  = regexp.MustCompile(`^/api/v3/repos/` + Project + `/issues/comments/(\d+)$`)
	labList = regexp.MustCompile(`^/api/v4/projects/` + ID + `/merge_requests/12/notes$`)
	labOne  = regexp.MustCompile(`^/api/v4/projects/` + ID + `/merge_requests/12/notes/(\d+)$`)
)

func (f *Forge) answer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	hub := strings.HasPrefix(r.URL.Path, "/api/v3/") || r.URL.Path == "/api/graphql"
	if !admitted(w, r, hub) {
		return
	}
	one := hubOne.FindStringSubmatch(r.URL.Path)
	if !hub {
		one = labOne.FindStringSubmatch(r.URL.Path)
	}
	switch list := hub && hubList.MatchString(r.URL.Path) || labList.MatchString(r.URL.Path); {
	case r.Method == http.MethodPost && r.URL.Path == "/api/graphql":
		say(w, http.StatusOK, map[string]any{"data": map[string]any{"viewer": map[string]string{"login": Bot}}})
	case r.Method == http.MethodGet && r.URL.Path == "/api/v4/user":
		say(w, http.StatusOK, map[string]any{"id": BotID, "username": "project_1234_bot"})
	case r.Method == http.MethodGet && list:
		f.page(w, r, hub)
	case r.Method == http.MethodPost && list:
		f.comments = append(f.comments, Comment{ID: int64(len(f.comments) + 1), Author: Bot, Body: body(r)})
		say(w, http.StatusCreated, form(&f.comments[len(f.comments)-1], hub))
	case one != nil && (hub && r.Method == http.MethodPatch || !hub && r.Method == http.MethodPut):
		f.edit(w, r, one[1], hub)
	default:
		say(w, http.StatusNotFound, map[string]string{"message": "404 Project Not Found"})
	}
}

// edit replaces the text of a comment.
func (f *Forge) edit(w http.ResponseWriter, r *http.Request, id string, hub bool) {
	for i := range f.comments {
		if strconv.FormatInt(f.comments[i].ID, 10) == id {
			f.comments[i].Body = body(r)
			say(w, http.StatusOK, form(&f.comments[i], hub))
			return
		}
	}
	say(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
}

// page answers with one page of comments.
func (f *Forge) page(w http.ResponseWriter, r *http.Request, hub bool) {
	per, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	out := []any{}
	for i := (page - 1) * per; i < min(page*per, len(f.comments)); i++ {
		out = append(out, form(&f.comments[i], hub))
	}
	say(w, http.StatusOK, out)
}

// form is a comment as one of the forges tells it.
func form(c *Comment, hub bool) map[string]any {
	if hub {
		return map[string]any{"id": c.ID, "body": c.Body, "html_url": fmt.Sprintf("https://github.example/%s/pull/%d#issuecomment-%d", Project, Number, c.ID), "user": map[string]any{"login": c.Author, "type": "User"}}
	}
	author := 99
	if c.Author == Bot {
		author = BotID
	}
	return map[string]any{"id": c.ID, "body": c.Body, "system": c.System, "author": map[string]any{"id": author, "username": c.Author}}
}

func body(r *http.Request) string {
	var c struct{ Body string }
	_ = json.NewDecoder(r.Body).Decode(&c) // a comment without a text shows in the test
	return c.Body
}

func say(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client is gone
}
