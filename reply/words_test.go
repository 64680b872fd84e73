package reply

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/lang"
)

func phraseList(texts ...string) (out []lang.Phrase) {
	for _, t := range texts {
		out = append(out, lang.Phrase{Text: t})
	}
	return out
}

// TestWordsOfAConfiguration lists messages by what stop_words blocks make of
// them.
func TestWordsOfAConfiguration(t *testing.T) {
	w := NewWords([]*lang.StopWords{
		{Language: "de", Anywhere: phraseList("Post einstellen"), Alone: phraseList("Ruhe", "Genug!"), Ignore: phraseList("Ende", "kündigen"), Unclear: phraseList("Abo")},
		{Language: "sq", Alone: phraseList("Mjaft"), Unclear: phraseList("cancel")},
		{Language: "vi", Alone: phraseList("nghỉ"), Ignore: phraseList("dừng")},
		{Language: lang.AnyLanguage, Alone: phraseList("0")},
	})
	for what, list := range map[string][]string{
		"stop": {
			"Post einstellen", "bitte die POST EINSTELLEN, Herr Maier", "Ruhe", "ruhe bitte!", "genug", "mjaft", "Mjäft", "nghỉ", "0", "STOP", "unsubscribe", "dừng lại",
		},
		"ask":     {"Abo", "cancel", "Ruhe?", "stornieren"},
		"nothing": {"Ende", "ende bitte", "kündigen", "in Ruhe lesen", "Abo verlängern", "nghi", "dừng", "10", "0 Euro", "Einstellen"},
	} {
		for _, text := range list {
			got := "nothing"
			switch s := w.stopOf(text); {
			case s.Ask:
				got = "ask"
			case s.Word != "":
				got = "stop"
			}
			if got != what {
				t.Errorf("%q: %s, want %s", text, got, what)
			}
		}
	}
	for text, want := range map[string]string{"Ende": "de", "Ruhe": "", "cancel": "en", "dừng": "vi"} {
		if got := BuiltIn().stopOf(text).Language; got != want {
			t.Errorf("the built-in words changed: %q is of %q, want %q", text, got, want)
		}
	}
	for language, want := range map[string]string{"sq": "en", "pt-BR": "pt", "de": "de", lang.AnyLanguage: "en"} {
		if Spoken(language) != want || Question(language) != textsOf[want].question || Confirmation(language) != textsOf[want].confirmation {
			t.Errorf("%s is answered in %s, want %s", language, Spoken(language), want)
		}
	}
	if s := w.stopOf("Mjaft"); s.Language != "sq" || s.Word != "Mjaft" || !s.Exact {
		t.Errorf("%+v", s)
	}
}

// TestCheckWords lists everything that can be wrong with a phrase, and the
// error for it.
func TestCheckWords(t *testing.T) {
	var got []string
	for _, p := range CheckWords([]*lang.StopWords{
		{Language: "de", Anywhere: phraseList("", "!?", "🛑", "abmelden", "Post einstellen", "POST einstellen!", "bitte", "2024", strings.Repeat("wort ", mostWords+1)),
			Alone: phraseList("stopp", "ende", "Start", "nein"), Unclear: phraseList("stornieren", "quit", "Stop"), Ignore: phraseList("aufhören", "Wetter", "danke", "cancel", "STOP", "unstop")},
		{Language: "any", Alone: phraseList("post einstellen", "unsubscribe", "0"), Ignore: phraseList("Désabonner", "stornieren")},
	}) {
		line := p.Detail
		if p.Warning {
			line = "warning: " + line
		}
		got = append(got, line)
	}
	want := []string{
		`"" has no letter and no digit, so every message would hold it.`,
		`"!?" has no letter and no digit, so every message would hold it.`,
		`"🛑" has no letter and no digit, so every message would hold it.`,
		`"abmelden" is a stop word already (de), and is taken so. Take it out of the list.`,
		`"POST einstellen!" stands twice; the first is at :0,0-0. Accents, case and punctuation do not tell phrases apart.`,
		`"bitte" stands beside stop words in what people write (de), as in "stop please", and cannot be one itself.`,
		`"2024" would be found in prices and dates. Put it into alone: there it counts as an answer of its own.`,
		`The phrase has more than 80 words. Longer messages are not searched for stop words.`,
		`"stopp" is a stop word already (de), and is taken so. Take it out of the list.`,
		`"ende" is a stop word already (de), and is taken so. Take it out of the list.`,
		`"Start" is what people answer who want to go on. It cannot be a stop word.`,
		`"nein" stands beside stop words in what people write (de), as in "stop please", and cannot be one itself.`,
		`"stornieren" is a stop word already (de), and is taken so. Take it out of the list.`,
		`warning: In the United States whoever writes "quit" has opted out (47 CFR 64.1200(a)(10)), and here it is only asked about. Keep the built-in word if people there get these messages.`,
		`STOP is what people are told to answer, and means the same in every language. It can be neither changed nor ignored.`,
		`"Wetter" is no stop word, so there is nothing to ignore. Give the whole phrase as it is built in.`,
		`"danke" is no stop word, so there is nothing to ignore. Give the whole phrase as it is built in.`,
		`warning: In the United States whoever writes "cancel" has opted out (47 CFR 64.1200(a)(10)), and here it says nothing. Keep the built-in word if people there get these messages.`,
		`STOP is what people are told to answer, and means the same in every language. It can be neither changed nor ignored.`,
		`"unstop" is what people answer who want to go on. It cannot be a stop word.`,
		`"post einstellen" stands twice; the first is at :0,0-0. Accents, case and punctuation do not tell phrases apart.`,
		`"stornieren" stands twice; the first is at :0,0-0. Accents, case and punctuation do not tell phrases apart.`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestEveryOtherStopWordStays checks that a block changes only the phrases that
// it lists.
func TestEveryOtherStopWordStays(t *testing.T) {
	w := NewWords([]*lang.StopWords{{Language: "de", Alone: phraseList("Ruhe"), Ignore: phraseList("ende")}})
	for i := range stopWords {
		own := &stopWords[i]
		for _, list := range []string{own.clear, own.stop, own.alone, own.maybe} {
			for phrase := range strings.SplitSeq(list, "/") {
				if phrase == "" || phraseKey(phrase, true) == "ende" {
					continue
				}
				if a, b := BuiltIn().stopOf(phrase), w.stopOf(phrase); a != b {
					t.Errorf("%q: %+v, want %+v", phrase, b, a)
				}
			}
		}
	}
}
