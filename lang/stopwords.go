package lang

import (
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/message"
)

const rootStopWords = "stop_words"

// AnyLanguage is the label of a stop_words block for every language.
const AnyLanguage = "any"

// StopWords is a stop_words block. For one language, it extends the words with
// which people ask for no more messages.
type StopWords struct {
	Module string // the module's address; "" for none
	// Language is BCP 47, or AnyLanguage. Questions and confirmations use it.
	Language string
	Anywhere []Phrase // means stop, even among a few other words
	Alone    []Phrase // means stop if the message is nothing else
	Unclear  []Phrase // alone, may mean stop: the person is asked
	Ignore   []Phrase // built-in phrases that do not mean stop here
	Tree     Tree
	// DeclRange is the block's head.
	DeclRange hcl.Range
}

// Address is "stop_words.de".
func (s *StopWords) Address() string {
	return message.WithModule(s.Module, rootStopWords+"."+s.Language)
}

// Phrase is one phrase of a StopWords.
type Phrase struct {
	Text      string
	DeclRange hcl.Range
}

// PhraseProblem is what is wrong with a phrase of a stop_words block.
type PhraseProblem struct {
	Phrase  Phrase
	Detail  string
	Warning bool // the phrase works all the same
}

var (
	stopWordsSchema = schema("anywhere alone unclear ignore")
	languageTag     = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

func (l *loader) decodeStopWords() {
	for decl := range l.of(rootStopWords) {
		l.cfg.StopWords = append(l.cfg.StopWords, l.stopWords(decl.block))
	}
	if l.ev.opt.StopWords == nil {
		return
	}
	for _, p := range l.ev.opt.StopWords(l.cfg.StopWords) {
		tell := l.diags.err
		if p.Warning {
			tell = l.diags.warn
		}
		tell("stop_word", p.Phrase.DeclRange, "%s", p.Detail)
	}
}

func (d *decoder) stopWords(b *block) *StopWords {
	c := d.content(b, stopWordsSchema)
	s := &StopWords{Module: b.module(), Language: b.label(0), DeclRange: b.defRange}
	if !languageTag.MatchString(s.Language) {
		d.diags.err("invalid_value", b.labelRange(0), "A stop_words block is for a language, such as \"de\" or \"pt-BR\", or for \"any\"; %q is neither.", s.Language)
	}
	s.Anywhere, s.Alone = d.phrases(c, "anywhere"), d.phrases(c, "alone")
	s.Unclear, s.Ignore = d.phrases(c, "unclear"), d.phrases(c, "ignore")
	if len(c.args) == 0 {
		d.diags.err("missing_argument", b.defRange, "A stop_words block lists phrases in anywhere, alone, unclear or ignore.")
	}
	b.tree.labels = nil
	s.Tree = b.tree.asTree()
	return s
}

// phrases is a list of strings with the place of each.
func (d *decoder) phrases(c *content, name string) []Phrase {
	texts := d.strings(c, name)
	out := make([]Phrase, len(texts))
	for i, text := range texts {
		out[i] = Phrase{text, c.rangeOf(name)}
	}
	if a := c.args[name]; a != nil {
		if list, ok := unwrap(a.expr).(*hclsyntax.TupleConsExpr); ok && len(list.Exprs) == len(out) {
			for i, e := range list.Exprs {
				out[i].DeclRange = e.Range()
			}
		}
	}
	return out
}
