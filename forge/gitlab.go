package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// maxGitLab is how many characters GitLab takes. Source: GitLab, limits of
// descriptions and comments, 1,000,000 characters.
const maxGitLab = 1_000_000

// GitLab returns the conversation of a merge request.
// Source: GitLab, REST API v4, notes.
func GitLab(o Options) *Thread {
	t := newThread(o, maxGitLab)
	notes := fmt.Sprintf("/projects/%s/merge_requests/%d/notes", url.PathEscape(o.Project), o.Number)
	t.calls = calls{
		header: http.Header{"Private-Token": {o.Token}},
		self:   t.user,
		list: func(page int) string {
			return fmt.Sprintf("%s?per_page=%d&page=%d&sort=asc&order_by=created_at", notes, perPage, page)
		},
		post: notes,
		edit: func(id int64) (string, string) { return http.MethodPut, fmt.Sprintf("%s/%d", notes, id) },
		read: func(page []byte) ([]comment, error) { return t.at(readAll[gitLabNote](page)) },
		one: func(body []byte) (comment, error) {
			c, err := readOne[gitLabNote](body)
			if err != nil {
				return c, err
			}
			c.url = t.page(c.id)
			return c, nil
		},
	}
	return t
}

// at adds the pages of comments.
func (t *Thread) at(list []comment, err error) ([]comment, error) {
	for i := range list {
		list[i].url = t.page(list[i].id)
	}
	return list, err
}

// page is the page of a note, which the API does not tell.
func (t *Thread) page(id int64) string {
	if t.opt.Page == "" {
		return ""
	}
	return fmt.Sprintf("%s/-/merge_requests/%d#note_%d", t.opt.Page, t.opt.Number, id)
}

// user asks for the id of the token's owner.
func (t *Thread) user(ctx context.Context) (string, error) {
	body, err := t.call(ctx, http.MethodGet, "/user", nil)
	if err != nil {
		return "", err
	}
	var out struct{ ID int64 }
	if json.Unmarshal(body, &out) != nil || out.ID == 0 {
		return "", errWhose
	}
	return strconv.FormatInt(out.ID, 10), nil
}

type gitLabNote struct {
	ID     int64 `json:"id"`
	Author struct {
		ID int64 `json:"id"`
	} `json:"author"`
	Body   string `json:"body"`
	System bool   `json:"system"` // written by GitLab itself in the person's name
}

func (c gitLabNote) comment() comment {
	author := strconv.FormatInt(c.Author.ID, 10)
	if c.System {
		author = ""
	}
	return comment{id: c.ID, author: author, body: c.Body}
}
