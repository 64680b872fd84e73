package reply

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/handbill/handbill/message"
)

// Stop is a wish to get no more messages.
type Stop struct {
	// Word is the stop word that was found; "" for none.
	Word string
	// Exact says that the message was nothing else. Without it the word stands
	// among a few others: the wish is taken for granted, and a person should
	// look at it.
	Exact bool
	// Language is that of the word, BCP 47.
	Language string
}

// nearWords is how many words a message may have that holds a stop word among
// others and still counts.
const nearWords = 4

// stopWords are those that are honoured, by language. English is the list of
// 47 CFR 64.1200(a)(10), in force since 2025-04-11 (stop, quit, end, revoke,
// opt out, cancel, unsubscribe) and Meta's own button "Stop promotions"; the
// others are what people write for the same.
var stopWords = [...]struct {
	language string
	words    []string
}{
	{"en", []string{"stop", "stopall", "quit", "end", "revoke", "opt out", "optout", "opt-out", "cancel", "unsubscribe", "stop promotions", "remove me"}},
	{"de", []string{"stopp", "abmelden", "abbestellen", "austragen", "kündigen", "keine nachrichten", "keine nachrichten mehr", "keine werbung", "werbung stoppen"}},
	{"es", []string{"baja", "alto", "parar", "cancelar", "no más", "darme de baja", "dar de baja", "detener promociones"}},
	{"pt", []string{"pare", "parar", "sair", "cancelar", "descadastrar", "remover", "não quero mais", "parar promoções"}},
	{"fr", []string{"arrêt", "arrêter", "arrêtez", "désabonner", "désinscrire", "désinscription", "se désabonner", "arrêter les promotions"}},
	{"it", []string{"basta", "ferma", "fermare", "annulla", "disiscrivi", "disiscrivimi", "cancellami", "interrompi promozioni"}},
	{"hi", []string{"रोकें", "रोको", "बंद करें", "बंद करो", "बंद", "सदस्यता रद्द करें"}},
	{"id", []string{"berhenti", "hentikan", "batal", "keluar", "jangan kirim lagi"}},
	{"ar", []string{"إيقاف", "ايقاف", "توقف", "قف", "إلغاء", "الغاء", "إلغاء الاشتراك", "الغاء الاشتراك"}},
}

// confirmations say, once, that the wish was heard.
var confirmations = map[string]string{
	"en": "You will get no more messages from us.",
	"de": "Sie erhalten keine Nachrichten mehr von uns.",
	"es": "No recibirá más mensajes nuestros.",
	"pt": "Você não receberá mais mensagens nossas.",
	"fr": "Vous ne recevrez plus de messages de notre part.",
	"it": "Non riceverà più messaggi da parte nostra.",
	"hi": "अब आपको हमारी ओर से कोई संदेश नहीं मिलेगा।",
	"id": "Anda tidak akan menerima pesan dari kami lagi.",
	"ar": "لن تصلك أي رسائل أخرى منا.",
}

// Confirmation is the text that answers a stop word of that language.
func Confirmation(language string) string {
	if s, ok := confirmations[language]; ok {
		return s
	}
	return confirmations["en"]
}

// StopIn finds a stop word in what a person wrote, or in the quick reply of a
// template that a person tapped. Rows and buttons of other messages may be
// called "Cancel" for reasons of their own.
func StopIn(ev *message.Event) Stop {
	if ev.Type != "text" && ev.Type != "button" {
		return Stop{}
	}
	said := fold(ev.Text)
	if said == "" {
		return Stop{}
	}
	for _, w := range foldedStops() {
		if said == w.folded {
			return Stop{Word: w.word, Exact: true, Language: w.language}
		}
	}
	if ev.Type != "text" {
		return Stop{}
	}
	return nearStop(strings.Fields(said))
}

// nearStop finds a stop word among a few others.
func nearStop(words []string) Stop {
	if len(words) > nearWords {
		return Stop{}
	}
	for _, w := range foldedStops() {
		if holds(words, w.parts) {
			return Stop{Word: w.word, Language: w.language}
		}
	}
	return Stop{}
}

// foldedStop is a stop word as it is compared.
type foldedStop struct {
	language, word, folded string
	parts                  []string
}

// foldedStops is computed once and not changed after.
var foldedStops = sync.OnceValue(func() (out []foldedStop) {
	for _, l := range stopWords {
		for _, w := range l.words {
			f := fold(w)
			out = append(out, foldedStop{language: l.language, word: w, folded: f, parts: strings.Fields(f)})
		}
	}
	return out
})

// holds reports whether part stands in words, one after another.
func holds(words, part []string) bool {
	for i := 0; i+len(part) <= len(words); i++ {
		if slices.Equal(words[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// maxFold bounds what is compared, in bytes: no keyword is longer.
const maxFold = 4096

// fold brings a text into the form in which words are compared: compatibility
// characters replaced, case folded, punctuation and marks that are not seen
// taken out, white space to single spaces.
func fold(s string) string {
	if s = strings.TrimSpace(s); len(s) > maxFold {
		s = s[:maxFold]
	}
	s = cases.Fold().String(norm.NFKC.String(s))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsPunct(r) && r != '\'', unicode.IsSymbol(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.IsControl(r), r == '\'':
			return -1
		}
		return r
	}, norm.NFC.String(s))
	return strings.Join(strings.Fields(s), " ")
}

// StopLanguages are the languages of the stop words.
func StopLanguages() []string {
	out := make([]string, len(stopWords))
	for i := range stopWords {
		out[i] = stopWords[i].language
	}
	return out
}
