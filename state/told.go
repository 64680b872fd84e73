package state

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
)

// ToldTemplate is what webhooks reported about one language of a template. Each word has its own time, since events
// come in any order.
type ToldTemplate struct {
	Provider string `json:"provider"`          // address of the number at which the notices came
	Account  string `json:"account,omitempty"` // the provider's id of it; "" where it does not say
	ID       string `json:"id,omitempty"`      // Meta's, of this language
	Name     string `json:"name"`
	Language string `json:"language"` // with "_", as in "en_US"

	Status    ToldWord `json:"status,omitzero"`
	Category  ToldWord `json:"category,omitzero"`
	Announced ToldWord `json:"announced,omitzero"` // a category that is to come; "" at a time for none any more
	Quality   ToldWord `json:"quality,omitzero"`
	// Content is when its words were last reported to have changed; zero for never.
	Content time.Time `json:"content,omitzero"`
}

// ToldWord is a word that was reported, and when it became true by the provider's clock.
type ToldWord struct {
	Word   string    `json:"word"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// sendable is the one status in which a template may be sent.
const sendable = "APPROVED"

// join adds a word: the later one stands. Of two at one moment the same one stands in any order; of statuses, one in
// which nothing is sent.
func (w *ToldWord) join(o ToldWord) {
	if cmp.Or(o.At.Compare(w.At), notSent(o.Word)-notSent(w.Word), cmp.Compare(o.Word, w.Word), cmp.Compare(o.Reason, w.Reason)) > 0 {
		*w = o
	}
}

func notSent(status string) int {
	if status == sendable {
		return 0
	}
	return 1
}

// toldPrefix begins the names of the blobs with what webhooks reported about templates.
const toldPrefix = "told/template/"

// foldLanguage spells a language as the account does: webhooks have "en-US", too.
func foldLanguage(language string) string { return strings.ReplaceAll(language, "-", "_") }

// ToldName is the name under which a store keeps what a notice at a number is about.
func ToldName(provider string, n *message.TemplateNotice) string {
	return toldPrefix + strings.Join([]string{n.Name, foldLanguage(n.Language), n.ID, provider}, "/")
}

// TellTemplate joins a notice of a moment, in milliseconds, to what a store keeps under its ToldName; nil for nothing.
// Notices lead to the same result in any order and with any repetition.
func TellTemplate(kept []byte, provider string, at int64, n *message.TemplateNotice) ([]byte, error) {
	t := ToldTemplate{Provider: provider, Account: n.Account, ID: n.ID, Name: n.Name, Language: foldLanguage(n.Language)}
	if kept != nil {
		if err := json.Unmarshal(kept, &t); err != nil {
			return nil, fmt.Errorf("%w: what was reported about a template: %w", ErrDamaged, err)
		}
	}
	when := Moment(at)
	t.Account = max(t.Account, n.Account)
	for _, w := range []struct {
		to           *ToldWord
		word, reason string
		told         bool
	}{
		{&t.Status, n.Status, n.Reason, n.Status != ""}, {&t.Category, n.Category, "", n.Category != ""},
		{&t.Announced, n.Announced, "", n.Announced != "" || n.Recategorized}, {&t.Quality, n.Quality, "", n.Quality != ""},
	} {
		if w.told {
			w.to.join(ToldWord{w.word, w.reason, when})
		}
	}
	if n.Content && when.After(t.Content) {
		t.Content = when
	}
	return json.Marshal(&t)
}

// ToldTemplates returns what webhooks reported about templates, by name, language and id.
func ToldTemplates(ctx context.Context, s interface {
	Blobs(ctx context.Context, prefix string) (map[string][]byte, error)
}) ([]ToldTemplate, error) {
	blobs, err := s.Blobs(ctx, toldPrefix)
	if err != nil {
		return nil, err
	}
	var out []ToldTemplate
	for _, data := range blobs {
		var t ToldTemplate
		if err := json.Unmarshal(data, &t); err != nil {
			return nil, fmt.Errorf("%w: what was reported about a template: %w", ErrDamaged, err)
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b ToldTemplate) int {
		return strings.Compare(strings.Join([]string{a.Name, a.Language, a.ID, a.Provider}, "/"), strings.Join([]string{b.Name, b.Language, b.ID, b.Provider}, "/"))
	})
	return out, nil
}

// about reports whether it is about the template with this id, or else with this name and language, in the account of
// the number at an address. Either of account and id may be "".
func (t *ToldTemplate) about(provider, account, id, name, language string) bool {
	if t.ID != "" && id != "" {
		return t.ID == id
	}
	same := t.Account != "" && t.Account == account || t.Provider == provider
	return same && t.Name == name && t.Language == foldLanguage(language)
}

// ToldSince joins what list reports about a template after a moment, from all the numbers at which notices came; words
// that are older are left out. See about.
func ToldSince(list []ToldTemplate, since time.Time, provider, account, id, name, language string) (out ToldTemplate) {
	for i := range list {
		t := &list[i]
		if !t.about(provider, account, id, name, language) {
			continue
		}
		for _, w := range []struct{ to, from *ToldWord }{{&out.Status, &t.Status}, {&out.Category, &t.Category}, {&out.Announced, &t.Announced}, {&out.Quality, &t.Quality}} {
			if w.from.At.After(since) {
				w.to.join(*w.from)
			}
		}
		if t.Content.After(since) && t.Content.After(out.Content) {
			out.Content = t.Content
		}
	}
	return out
}

// Told joins what list reports about a managed template since it was last read.
func (m *Managed) Told(list []ToldTemplate) ToldTemplate {
	name, language, _ := strings.Cut(m.Key, "/")
	return ToldSince(list, m.ObservedAt, m.Provider, m.Account, m.RemoteID, name, language)
}

// Newest is the time of the newest word; zero for none.
func (t *ToldTemplate) Newest() time.Time {
	newest := t.Content
	for _, w := range []*ToldWord{&t.Status, &t.Category, &t.Announced, &t.Quality} {
		if w.At.After(newest) {
			newest = w.At
		}
	}
	return newest
}
