package view

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// NoticeKinds are the kinds of notices that a state keeps, and what they are.
var NoticeKinds = []struct {
	Kind message.EventKind
	What string
}{
	{message.EventAccount, "about the account, its numbers and its templates"},
	{message.EventCall, "calls"},
	{message.EventEcho, "written from the number in the WhatsApp Business app"},
	{message.EventGroup, "written in groups"},
	{message.EventHistory, "old chats and contacts of the WhatsApp Business app"},
	{message.EventIdentity, "changes of people's numbers and user ids"},
	{message.EventOther, "not understood, or about a number that is not declared"},
}

// noticeWhat says what the notices of a kind are.
func noticeWhat(kind message.EventKind) string {
	for _, k := range NoticeKinds {
		if k.Kind == kind {
			return k.What
		}
	}
	return ""
}

// NoticeStatus counts the notices of one kind.
type NoticeStatus struct {
	Kind   string    `json:"kind"`
	Count  int       `json:"count"`
	Newest time.Time `json:"newest"`
}

// NewNotices converts the counts of notices for status.
func NewNotices(counts []state.NoticeCount) []NoticeStatus {
	out := make([]NoticeStatus, 0, len(counts))
	for _, c := range counts {
		out = append(out, NoticeStatus{string(c.Kind), c.Count, c.Newest.UTC()})
	}
	return out
}

func (n NoticeStatus) what() string { return noticeWhat(message.EventKind(n.Kind)) }

// noticeLines writes the lines of status about notices.
func noticeLines(b *strings.Builder, list []NoticeStatus) {
	if len(list) == 0 {
		return
	}
	b.WriteString("\nNotices, which are no messages to a number; \"handbill state notices\" shows them:\n")
	for _, n := range list {
		fmt.Fprintf(b, "  %s  %-8s  newest %s  %s\n", padLeft(Count(n.Count), 6), message.SafeText(n.Kind), n.Newest.Format("2006-01-02 15:04 MST"), n.what())
	}
}

// NoticeList is the final report of "state notices". Its rows are read while it is
// written.
type NoticeList struct {
	Notices iter.Seq2[state.Notice, error]
}

// Text writes one notice per line, oldest first, and their number. What providers
// sent may name people, so it is shown only together with recipients.
func (r *NoticeList) Text(w io.Writer, s Style) error {
	n := 0
	err := each(w, r.Notices, func(out *bufio.Writer, e *state.Notice) error {
		n++
		fmt.Fprintf(out, "%s  %-8s  %s", e.At.UTC().Format("2006-01-02 15:04 MST"), message.SafeText(string(e.Kind)), message.SafeText(e.Provider))
		for _, word := range [...]string{e.Field, s.reason(e)} {
			if word != "" {
				out.WriteString("  " + message.SafeText(word))
			}
		}
		if s.ShowRecipients {
			out.WriteString("\n    " + message.SafeText(string(e.Raw)))
		}
		return out.WriteByte('\n')
	})
	if err != nil {
		return err
	}
	return say(w, Plural(n, "notice")+".\n")
}

// JSON writes one document.
func (r *NoticeList) JSON(w io.Writer, s Style) error {
	return array(w, "notices", r.Notices, func(e *state.Notice) any {
		out := struct {
			At       time.Time       `json:"at"`
			Kind     string          `json:"kind"`
			Provider string          `json:"provider"`
			Field    string          `json:"field"`
			Reason   string          `json:"reason"`
			Raw      json.RawMessage `json:"raw,omitempty"`
		}{At: e.At.UTC(), Kind: string(e.Kind), Provider: e.Provider, Field: e.Field, Reason: s.reason(e)}
		if s.ShowRecipients && json.Valid(e.Raw) {
			out.Raw = e.Raw
		}
		return out
	})
}

// numberForm matches what may be a phone number in a text.
var numberForm = regexp.MustCompile(`\+?[0-9](?:[-. ()/]{0,2}[0-9]){6,}`)

// reason is the text of a notice, without phone numbers.
func (s Style) reason(n *state.Notice) string {
	if s.ShowRecipients {
		return n.Reason
	}
	return numberForm.ReplaceAllStringFunc(n.Reason, message.Mask)
}
