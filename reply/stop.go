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

// Stop is what a message says about getting further messages.
type Stop struct {
	// Word is the stop word that was found; "" for none.
	Word string
	// Exact says that the message says nothing else, apart from politeness. Otherwise
	// the word stands among a few others: marketing stops, and a person should look
	// at the message.
	Exact bool
	// Ask says that the message may mean something else. Marketing pauses, and
	// the person is asked once.
	Ask bool
	// Stay says that the message answers that question with a wish to go on.
	Stay bool
	// Language is that of the word, BCP 47, or lang.AnyLanguage.
	Language string
}

// Reason returns the reason that the state keeps: "stop_word", "stop_word_near",
// "stop_word_unclear", or "" if no word was found.
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

// Kind returns the same as a kind of wish, for the state.
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

// Wish returns the result of StopIn in the state's form, with evidence such as:
// wrote "STOP" (en) on 2026-03-02T12:00:00Z. The state calls it when it folds a
// message in; at is when the message was written. A message in a group counts only
// if it is nothing but a stop.
func (w *Words) Wish(ev *message.Event, at time.Time) state.Wish {
	st := w.StopIn(ev)
	if ev.GroupID != "" && (!st.Exact || st.Ask || st.Stay) {
		return state.Wish{} // it may be meant for others in the group
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

// How many words may say something else.
const (
	fewWords  = 5  // with up to this many, a clear phrase is a stop
	manyWords = 40 // with up to this many, the person is asked
	mostWords = 80 // a text of more words is not searched
)

// stayWords answer the question about an unclear message with: go on.
var stayWords = []string{"start", "unstop", "resume"}

// isStay reports whether a word takes a stop back.
func isStay(key string) bool { return slices.Contains(stayWords, key) }

// index finds stop phrases. It is not changed after it was made. exact has the
// phrases of languages in which accents distinguish words, such as Vietnamese.
type index struct {
	plain, exact map[string]entry // by words without and with accents
	longest      map[string]int   // by first word without accents: the number of words of the longest phrase
}

// entry is a phrase with what it says and its language.
type entry struct {
	class          class
	word, language string
}

// phrases is the index of handbill's built-in words.
var phrases = sync.OnceValue(func() *index {
	s := &index{plain: map[string]entry{}, exact: map[string]entry{}, longest: map[string]int{}}
	for i := range stopWords {
		s.addLanguage(&stopWords[i])
	}
	return s
})

// addLanguage adds the phrases of one language. A phrase that several classes or
// languages have belongs to the first of them.
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

// put adds a phrase unless there is one with the same words.
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

// phraseKey returns the form of a phrase that is compared: folded, with words joined
// by single spaces, and without accents unless they distinguish words.
func phraseKey(phrase string, accentless bool) string {
	ws := words(fold(phrase))
	if accentless {
		for i := range ws {
			ws[i] = plain(ws[i])
		}
	}
	return strings.Join(ws, " ")
}

// StopIn reads what a person's message says about getting further messages. It looks
// at a text, at the caption of a picture, a video or a document, at a message after
// it was edited, and at the title of what the person tapped. A title counts only if
// it says nothing else. More words count for a template's button than for a row of a
// list, which may be called "Cancel" for other reasons.
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

// tally counts what a text holds.
type tally struct {
	count    [digit + 1]int
	word     entry // the clearest phrase
	others   int   // words that say something else; in scripts without spaces, two letters count as one
	turned   bool  // a negation comes right before a clear word
	question bool
}

// tally reads a text word by word, the longest phrase first, and counts what it
// finds. A text of more than mostWords words says nothing about a wish.
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

// note counts a phrase, and keeps it if it is clearer than those before. A negation,
// as in "don't stop", reverses a stop.
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

// longestAt returns the longest phrase at the start of ws, and its number of words.
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

// stopOf decides about a text.
//
//	"unsubscribe"                a stop
//	"please stop it"             a stop: nothing else is said
//	"stop, the shop was closed"  nothing: the word is part of a sentence
//	"how do I unsubscribe?"      to be asked about
//	"don't stop"                 nothing
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

// wish is the result for a text.
type wish uint8

const (
	wishNone wish = iota
	wishStop
	wishAsk
)

// beside counts the words that say something else.
func (t *tally) beside() int { return t.others + t.count[not] + t.count[no] }

// wish decides by the counts. The order of the cases is the order of the rules:
// a text with no stop word says nothing; a clear phrase counts among other
// words; any other stop word counts only in a text that says nothing else.
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

// clearWish decides about a text with a clear phrase.
func (t *tally) clearWish() wish {
	switch asks := t.count[ask] > 0 || t.question && t.count[want] == 0; {
	case t.beside() > manyWords:
		return wishNone
	case asks, t.turned, t.beside() > fewWords:
		return wishAsk
	}
	return wishStop
}
