package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// maxGitHub is how many characters GitHub takes.
// Source: its answer "Body is too long (maximum is 65536 characters)".
const maxGitHub = 65536

// GitHub returns the conversation of a pull request.
// Source: GitHub, REST API 2022-11-28, issue comments.
func GitHub(o Options) *Thread {
	t := newThread(o, maxGitHub)
	issue := fmt.Sprintf("/repos/%s/issues/%d/comments", o.Project, o.Number)
	t.calls = calls{
		header: http.Header{"Authorization": {"Bearer " + o.Token}, "Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}},
		self:   t.viewer,
		list:   func(page int) string { return fmt.Sprintf("%s?per_page=%d&page=%d", issue, perPage, page) },
		post:   issue,
		edit: func(id int64) (string, string) {
			return http.MethodPatch, fmt.Sprintf("/repos/%s/issues/comments/%d", o.Project, id)
		},
		read: readAll[gitHubComment],
		one:  readOne[gitHubComment],
	}
	return t
}

// viewer asks for the login of the token's owner. An app's token, as jobs have one,
// can't ask the REST API for it.
func (t *Thread) viewer(ctx context.Context) (string, error) {
	to := t.opt.GraphQL
	if to == "" {
		// Of a server of one's own, REST is at /api/v3.
		to = strings.TrimSuffix(strings.TrimSuffix(t.opt.API, "/"), "/v3") + "/graphql"
	}
	body, err := t.request(ctx, http.MethodPost, to, []byte(`{"query":"{viewer{login}}"}`))
	if err != nil {
		return "", err
	}
	var out struct {
		Data struct{ Viewer struct{ Login string } }
	}
	if json.Unmarshal(body, &out) != nil || out.Data.Viewer.Login == "" {
		return "", errWhose
	}
	return out.Data.Viewer.Login, nil
}

type gitHubComment struct {
	ID   int64 `json:"id"`
	User *struct {
		Login string `json:"login"`
	} `json:"user"` // null where the account is gone
	Body string `json:"body"`
	URL  string `json:"html_url"`
}

func (c gitHubComment) comment() comment {
	author := ""
	if c.User != nil {
		author = c.User.Login
	}
	return comment{c.ID, author, c.Body, c.URL}
}

// told is a comment in the form of a forge.
type told interface{ comment() comment }

func readAll[T told](page []byte) ([]comment, error) {
	var list []T
	if err := json.Unmarshal(page, &list); err != nil {
		return nil, err
	}
	out := make([]comment, len(list))
	for i := range list {
		out[i] = list[i].comment()
	}
	return out, nil
}

func readOne[T told](body []byte) (comment, error) {
	var c T
	if err := json.Unmarshal(body, &c); err != nil {
		return comment{}, err
	}
	out := c.comment()
	if out.id == 0 {
		return comment{}, errors.New("it has no id")
	}
	return out, nil
}
