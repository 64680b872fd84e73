package reply

import (
	"fmt"
	"maps"
	"strings"

	"github.com/handbill/handbill/lang"
)

// Words are the words by which people ask for no more messages: the built-in ones,
// as changed by the stop_words blocks of a configuration. Nil are the built-in
// words. Words are immutable and safe for concurrent use.
type Words struct{ index *index }

// BuiltIn returns the built-in words.
func BuiltIn() *Words { return nil }

// NewWords are the words of a configuration's stop_words blocks.
func NewWords(blocks []*lang.StopWords) *Words {
	if len(blocks) == 0 {
		return nil
	}
	own := phrases()
	s := &index{plain: maps.Clone(own.plain), exact: maps.Clone(own.exact), longest: maps.Clone(own.longest)}
	for _, b := range blocks {
		for _, p := range b.Ignore {
			s.drop(p.Text)
		}
	}
	for _, b := range blocks {
		for _, l := range added(b) {
			for _, p := range l.phrases {
				s.drop(p.Text)
				s.put(entry{l.class, p.Text, b.Language}, isExact(b.Language))
			}
		}
	}
	return &Words{s}
}

func (w *Words) phrases() *index {
	if w == nil {
		return phrases()
	}
	return w.index
}

// addition is an argument of a stop_words block, and the class of its phrases.
type addition struct {
	name    string
	class   class
	phrases []lang.Phrase
}

func added(b *lang.StopWords) [3]addition {
	return [...]addition{{"anywhere", clear, b.Anywhere}, {"alone", alone, b.Alone}, {"unclear", maybe, b.Unclear}}
}

func isExact(language string) bool {
	for i := range stopWords {
		if stopWords[i].language == language {
			return stopWords[i].exact
		}
	}
	return false
}

// find returns the entry of a phrase.
func (s *index) find(phrase string) (entry, bool) {
	if e, ok := s.exact[phraseKey(phrase, false)]; ok {
		return e, true
	}
	e, ok := s.plain[phraseKey(phrase, true)]
	return e, ok
}

// drop forgets a phrase.
func (s *index) drop(phrase string) {
	if key := phraseKey(phrase, false); s.exact[key].class != other {
		delete(s.exact, key)
		return
	}
	delete(s.plain, phraseKey(phrase, true))
}

// federal are the words that always opt a person out in the United States, whatever
// the sender decides: 47 CFR 64.1200(a)(10), in force since 2025-04-11.
var federal = []string{"stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"}

// CheckWords returns what is wrong with the phrases of stop_words blocks.
func CheckWords(blocks []*lang.StopWords) []lang.PhraseProblem {
	c := wordsCheck{seen: map[string]lang.Phrase{}}
	for _, b := range blocks {
		for _, l := range added(b) {
			for _, p := range l.phrases {
				c.added(p, &l)
			}
		}
		for _, p := range b.Ignore {
			c.ignored(p)
		}
	}
	return c.problems
}

type wordsCheck struct {
	seen     map[string]lang.Phrase // by key
	problems []lang.PhraseProblem
}

func (c *wordsCheck) fail(p lang.Phrase, format string, args ...any) {
	c.problems = append(c.problems, lang.PhraseProblem{Phrase: p, Detail: fmt.Sprintf(format, args...)})
}

func (c *wordsCheck) warnFederal(p lang.Phrase, key, what string) {
	for _, word := range federal {
		if key == word {
			c.problems = append(c.problems, lang.PhraseProblem{Phrase: p, Warning: true,
				Detail: fmt.Sprintf("In the United States whoever writes %q has opted out (47 CFR 64.1200(a)(10)), and here it %s. Keep the built-in word if people there get these messages.", word, what)})
		}
	}
}

// usable reports whether a phrase may be a stop word, apart from other blocks.
func (c *wordsCheck) usable(p lang.Phrase) (key string, ok bool) {
	key = phraseKey(p.Text, true)
	first, twice := c.seen[key]
	switch {
	case key == "":
		c.fail(p, "%q has no letter and no digit, so every message would hold it.", p.Text)
	case strings.Count(key, " ") >= mostWords:
		c.fail(p, "The phrase has more than %d words. Longer messages are not searched for stop words.", mostWords)
	case twice:
		c.fail(p, "%q stands twice; the first is at %s. Accents, case and punctuation do not tell phrases apart.", p.Text, first.DeclRange)
	case key == "stop":
		c.fail(p, "STOP is what people are told to answer, and means the same in every language. It can be neither changed nor ignored.")
	case isStay(key):
		c.fail(p, "%q is what people answer who want to go on. It cannot be a stop word.", p.Text)
	default:
		c.seen[key] = p
		return key, true
	}
	return key, false
}

func (c *wordsCheck) added(p lang.Phrase, to *addition) {
	key, ok := c.usable(p)
	if !ok {
		return
	}
	e, known := phrases().find(p.Text)
	switch {
	case known && (e.class == to.class || e.class == stop && to.class == alone):
		c.fail(p, "%q is a stop word already (%s), and is taken so. Take it out of the list.", p.Text, e.language)
	case known && e.class > maybe:
		c.fail(p, "%q stands beside stop words in what people write (%s), as in \"stop please\", and cannot be one itself.", p.Text, e.language)
	case to.class == clear && strings.Trim(key, "0123456789 ") == "":
		c.fail(p, "%q would be found in prices and dates. Put it into alone: there it counts as an answer of its own.", p.Text)
	case to.class == maybe:
		c.warnFederal(p, key, "is only asked about")
	}
}

func (c *wordsCheck) ignored(p lang.Phrase) {
	key, ok := c.usable(p)
	if !ok {
		return
	}
	if e, known := phrases().find(p.Text); !known || e.class > maybe {
		c.fail(p, "%q is no stop word, so there is nothing to ignore. Give the whole phrase as it is built in.", p.Text)
		return
	}
	c.warnFederal(p, key, "says nothing")
}
