package view

import (
	"fmt"
	"io"

	"github.com/handbill/handbill/message"
)

// CommentReport is the final report of "comment".
type CommentReport struct {
	Did    string `json:"did"`           // created, updated or unchanged
	URL    string `json:"url,omitempty"` // of the comment's page
	Others int    `json:"others"`        // further comments with the same marker, left as they are
}

// Text says what became of the comment, and where it is.
func (r *CommentReport) Text(w io.Writer, _ Style) error {
	text := map[string]string{"created": "Commented", "updated": "Replaced the comment", "unchanged": "The comment says so already"}[r.Did]
	if r.URL != "" {
		text += ": " + message.SafeText(r.URL)
	} else {
		text += "."
	}
	if r.Others > 0 {
		text += fmt.Sprintf("\n%s with the same marker left as they are; delete them by hand.", Plural(r.Others, "other comment"))
	}
	return say(w, text+"\n")
}
