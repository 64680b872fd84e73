package reply

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Stop is what a message says about being written to.
type Stop struct {
	// Word is the stop word that was found; "" for none.
	Word string
	// Exact says that the message was nothing else, politeness aside. Without it
	// the word stands among a few others: the wish is taken for granted, and a
	// person should look at it.
	Exact bool
	// Ask says that the message may mean something else. Marketing pauses, and
	// the person is asked once.
	Ask bool
	// Stay says that the message answers that question: go on.
	Stay bool
	// Language is that of the word, BCP 47, or lang.AnyLanguage.
	Language string
}

// Reason is what the state keeps: "stop_word", "stop_word_near",
// "stop_word_unclear", or "" where no word was found.
func (s Stop) Reason() string {
	switch {
	case s.Word == "" || s.Stay:
		return ""
	case s.Ask:
		return state.OptUnclear
	case s.Exact:
		return "stop_word"
	}
	return "stop_word_near"
}

// Kind is what the message says as the state takes it.
func (s Stop) Kind() state.WishKind {
	switch {
	case s.Word == "":
		return state.WishNone
	case s.Stay:
		return state.WishStay
	case s.Ask:
		return state.WishUnclear
	}
	return state.WishStop
}

// Wish is StopIn for the state, which asks when it joins a message; at is when
// the message was written.
func (w *Words) Wish(ev *message.Event, at time.Time) state.Wish {
	st := w.StopIn(ev)
	if ev.GroupID != "" && (!st.Exact || st.Ask || st.Stay) {
		return state.Wish{} // there, anything but a stop alone may be meant for others
	}
	evidence := fmt.Sprintf("wrote %q (%s) on %s", st.Word, st.Language, at.UTC().Format(time.RFC3339))
	switch {
	case st.Word == "":
		return state.Wish{}
	case st.Stay:
		return state.Wish{Kind: state.WishStay, Evidence: evidence}
	case st.Ask:
		return state.Wish{Kind: state.WishUnclear, Reason: st.Reason(), Evidence: evidence + ", which may mean something else: the person is asked"}
	case !st.Exact:
		evidence += ", among other words: to be looked at"
	case ev.GroupID != "":
		evidence += ", in a group"
	}
	return state.Wish{Kind: state.WishStop, Reason: st.Reason(), Evidence: evidence}
}

// Limits of what is taken for a wish among words that say something else.
const (
	fewWords  = 5  // beside a clear phrase
	manyWords = 40 // beside a clear phrase, to be asked about
	mostWords = 80 // of a text that is looked at
)

// stayWords answer the question of an unclear message.
var stayWords = []string{"start", "unstop", "resume"}

func isStay(key string) bool { return slices.Contains(stayWords, key) }

// index finds the phrases of stopWords. It is made once and not changed after.
type index struct {
	plain, exact map[string]entry // by words without and with accents
	longest      map[string]int   // by its first word without accents: words of the longest phrase
}

type entry struct {
	class          class
	word, language string
}

var phrases = sync.OnceValue(func() *index {
	s := &index{plain: map[string]entry{}, exact: map[string]entry{}, longest: map[string]int{}}
	for i := range stopWords {
		s.addLanguage(&stopWords[i])
	}
	return s
})

func (s *index) addLanguage(w *wordsOf) {
	for _, l := range [...]struct {
		class class
		list  string
	}{
		{clear, w.clear}, {stop, w.stop}, {alone, w.alone}, {maybe, w.maybe}, {ask, w.ask}, {want, w.want},
		{not, w.not}, {no, w.no}, {object, w.object}, {polite, w.polite},
	} {
		for phrase := range strings.SplitSeq(l.list, "/") {
			if phrase != "" {
				s.put(entry{l.class, phrase, w.language}, w.exact)
			}
		}
	}
}

// put adds a phrase where no other has its words.
func (s *index) put(e entry, exact bool) {
	into := s.plain
	if exact {
		into = s.exact
	}
	key := phraseKey(e.word, !exact)
	if _, ok := into[key]; ok || key == "" {
		return
	}
	into[key] = e
	first, _, _ := strings.Cut(key, " ")
	first = plain(first)
	s.longest[first] = max(s.longest[first], strings.Count(key, " ")+1)
}

func phraseKey(phrase string, accentless bool) string {
	ws := words(fold(phrase))
	if accentless {
		for i := range ws {
			ws[i] = plain(ws[i])
		}
	}
	return strings.Join(ws, " ")
}

// StopIn reads what a person's message says about being written to: a text, the
// caption of a picture, a video or a document, what a message says after it was
// edited, or what the person tapped. Titles
// count only where they say nothing else, and a row or a reply button may be
// called "Cancel" for reasons of its own.
func (w *Words) StopIn(ev *message.Event) Stop {
	weakest := maybe
	switch ev.Type {
	case "text", "image", "video", "document", "edit":
		return w.stopOf(ev.Text)
	case "button": // the quick reply of a template
		weakest = alone
	case "interactive":
		weakest = clear
		if ev.ReplyKind == "button_reply" {
			weakest = stop
		}
	default:
		return Stop{}
	}
	switch s, t := w.stopOf(ev.Text), w.phrases().tally(ev.Text); {
	case s.Stay && ev.Type == "button", s.Exact && t.word.class <= weakest:
		return s
	}
	return Stop{}
}

// tally counts what stands in a text.
type tally struct {
	count    [digit + 1]int
	word     entry // the clearest phrase
	others   int   // words that say something else; two letters without spaces are one
	turned   bool  // a word that turns it round stands right before a clear word
	question bool
}

func (s *index) tally(text string) tally {
	t := tally{question: strings.ContainsAny(text, "?？؟")}
	ws := words(fold(text))
	if len(ws) > mostWords {
		return t
	}
	bare := make([]string, len(ws))
	for i := range ws {
		bare[i] = plain(ws[i])
	}
	letters, before := 0, other
	for i := 0; i < len(ws); {
		e, n := s.longestAt(ws[i:], bare[i:])
		switch {
		case e.class == other && unspaced([]rune(ws[i])[0]):
			letters += n
		case e.class == other:
			t.others += n
		}
		t.note(e, before)
		before = e.class
		i += n
	}
	t.others += (letters + 1) / 2
	return t
}

func (t *tally) note(e entry, before class) {
	t.count[e.class]++
	switch e.class {
	case clear, stop, alone, maybe:
		if t.word.class == other || e.class < t.word.class {
			t.word = e
		}
		t.turned = t.turned || e.class == clear && before == not && !strings.Contains(e.word, " ")
	}
}

// longestAt is the longest phrase with which ws begins, and how many words it
// has.
func (s *index) longestAt(ws, bare []string) (entry, int) {
	for n := min(s.longest[bare[0]], len(ws)); n > 0; n-- {
		if e, ok := s.exact[strings.Join(ws[:n], " ")]; ok {
			return e, n
		}
		if e, ok := s.plain[strings.Join(bare[:n], " ")]; ok {
			return e, n
		}
	}
	if strings.IndexFunc(ws[0], func(r rune) bool { return !unicode.IsDigit(r) }) < 0 {
		return entry{class: digit}, 1
	}
	return entry{}, 1
}

// stopOf decides about a text. What means other things too counts only alone,
// with politeness or with what is to be stopped; what is clear also among a few
// other words. What may be meant so is to be asked about. A sentence that merely
// has such a word says nothing.
func (w *Words) stopOf(text string) Stop {
	t := w.phrases().tally(text)
	s := Stop{Word: t.word.word, Language: t.word.language}
	switch t.wish() {
	case wishStop:
		s.Exact = t.beside() == 0
	case wishAsk:
		s.Ask = true
	default:
		if key := phraseKey(text, true); isStay(key) {
			return Stop{Word: key, Stay: true, Language: "en"}
		}
		return Stop{}
	}
	return s
}

type wish uint8

const (
	wishNone wish = iota
	wishStop
	wishAsk
)

// beside is how many words say something else.
func (t *tally) beside() int { return t.others + t.count[not] + t.count[no] }

func (t *tally) wish() wish {
	n := &t.count
	switch {
	case t.word.class == other:
		return wishNone
	case t.word.class == clear:
		return t.clearWish()
	case t.others > 0 || n[not] > 0:
		return wishNone
	case n[digit] > 0, t.question, n[ask] > 0, n[want] > 0, n[no] > 0, n[stop]+n[alone] == 0, n[stop] == 0 && n[object] > 0:
		return wishAsk
	}
	return wishStop
}

// clearWish is that of a text with a clear phrase.
func (t *tally) clearWish() wish {
	switch asks := t.count[ask] > 0 || t.question && t.count[want] == 0; {
	case t.beside() > manyWords:
		return wishNone
	case asks, t.turned, t.beside() > fewWords:
		return wishAsk
	}
	return wishStop
}
