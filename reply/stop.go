package reply

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

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
	// Language is that of the word, BCP 47.
	Language string
}

// Reason is what the state keeps: "stop_word", "stop_word_near",
// "stop_word_unclear", or "" where no word was found.
func (s Stop) Reason() string {
	switch {
	case s.Word == "" || s.Stay:
		return ""
	case s.Ask:
		return state.ReasonUnclear
	case s.Exact:
		return "stop_word"
	}
	return "stop_word_near"
}

// Wish is StopIn for the state, which asks when it joins a message; at is when
// the message was written.
func Wish(ev *message.Event, at time.Time) state.Wish {
	st := StopIn(ev)
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
	}
	return state.Wish{Kind: state.WishStop, Reason: st.Reason(), Evidence: evidence}
}

const (
	// nearWords is how many words a message may have that holds a clear word
	// among others and still counts.
	nearWords = 4
	// nearPhrase is the same for a clear phrase of several words.
	nearPhrase = 8
)

// language is what people write in one language. What is honoured in English is
// the list of 47 CFR 64.1200(a)(10), in force since 2025-04-11 (stop, quit, end,
// revoke, opt out, cancel, unsubscribe) and Meta's own button "Stop promotions";
// the others are what people write for the same.
type language struct {
	code string
	// clear words and phrases mean one thing. They also count among a few others.
	clear []string
	// alone are words that mean other things too ("when does it end"). They count
	// only where nothing but politeness stands beside them.
	alone []string
	// ask are texts that may be a wish to stop or a question about something else.
	ask []string
	// confirmation says that the wish was heard, question asks what was meant.
	// Question's answers are STOP and START in every language.
	confirmation, question string
}

var languages = [...]language{
	{"en", []string{"unsubscribe", "unsub", "opt out", "optout", "opt me out", "stop promotions", "stopall", "stop all messages", "remove me", "remove my number", "delete my number", "take me off", "no more messages", "no more texts", "stop texting", "stop messaging", "stop sending", "stop writing", "stop contacting", "do not contact me", "dont contact me", "dont message me", "dont text me", "leave me alone"},
		[]string{"stop", "quit", "end", "revoke", "cancel"}, []string{"how do i cancel", "how can i cancel", "how to cancel", "how do i stop", "how do i stop this", "how can i stop this", "can i cancel", "i want to cancel", "i want to stop"},
		"You will get no more messages from us.", "Do you want no more messages from us? Answer STOP for none, or START to keep them."},
	{"de", []string{"abmelden", "abbestellen", "austragen", "keine nachrichten", "keine werbung", "werbung stoppen", "nicht mehr schreiben"}, []string{"stopp", "stoppen", "kündigen", "aufhören", "schluss"}, []string{"wie kann ich kündigen", "wie kündige ich"},
		"Sie erhalten keine Nachrichten mehr von uns.", "Möchten Sie keine Nachrichten mehr von uns? Antworten Sie STOP für keine oder START, um sie zu behalten."},
	{"es", []string{"darme de baja", "dar de baja", "deme de baja", "dame de baja", "no más mensajes", "no quiero más mensajes", "detener promociones", "desuscribir", "cancelar suscripción"}, []string{"baja", "alto", "parar", "pare", "cancelar", "no más", "basta"}, []string{"cómo cancelo", "cómo puedo cancelar", "quiero cancelar"},
		"No recibirá más mensajes nuestros.", "¿No quiere recibir más mensajes nuestros? Responda STOP para no recibirlos, o START para seguir."},
	{"pt", []string{"descadastrar", "não quero mais mensagens", "não quero mais receber", "parar promoções", "pare de mandar", "pare de enviar", "remover meu número"}, []string{"pare", "parar", "sair", "cancelar", "remover", "não quero mais"}, []string{"como cancelo", "como faço para cancelar", "quero cancelar"},
		"Você não receberá mais mensagens nossas.", "Você não quer mais receber nossas mensagens? Responda STOP para não receber, ou START para continuar."},
	{"fr", []string{"désabonner", "désabonnez moi", "désabonnement", "désinscrire", "désinscription", "désinscrivez moi", "se désabonner", "me désabonner", "arrêter les promotions", "ne plus recevoir", "plus de messages"}, []string{"arrêt", "arrête", "arrêter", "arrêtez"}, []string{"comment annuler", "comment arrêter"},
		"Vous ne recevrez plus de messages de notre part.", "Ne voulez-vous plus recevoir nos messages ? Répondez STOP pour ne plus en recevoir, ou START pour continuer."},
	{"it", []string{"disiscrivi", "disiscrivimi", "cancellami", "interrompi promozioni", "niente più messaggi", "non scrivetemi più"}, []string{"basta", "ferma", "fermare", "annulla"}, []string{"come annullo", "come faccio ad annullare"},
		"Non riceverà più messaggi da parte nostra.", "Non vuole più ricevere i nostri messaggi? Risponda STOP per non riceverli, o START per continuare."},
	{"hi", []string{"सदस्यता रद्द करें", "संदेश बंद करें", "मैसेज बंद करो"}, []string{"रोकें", "रोको", "बंद करें", "बंद करो", "बंद"}, nil,
		"अब आपको हमारी ओर से कोई संदेश नहीं मिलेगा।", "क्या आप हमारे संदेश नहीं चाहते? बंद करने के लिए STOP लिखें, जारी रखने के लिए START।"},
	{"id", []string{"berhenti berlangganan", "jangan kirim lagi", "jangan kirim pesan"}, []string{"berhenti", "hentikan", "batal", "keluar"}, []string{"bagaimana cara batal", "bagaimana cara berhenti"},
		"Anda tidak akan menerima pesan dari kami lagi.", "Apakah Anda tidak ingin menerima pesan kami lagi? Balas STOP untuk berhenti, atau START untuk melanjutkan."},
	{"ar", []string{"إلغاء الاشتراك", "لا تراسلني", "لا ترسل لي", "أوقف الرسائل"}, []string{"إيقاف", "توقف", "قف", "إلغاء"}, nil,
		"لن تصلك أي رسائل أخرى منا.", "هل تريد ألا تصلك رسائلنا؟ أجب STOP لإيقافها أو START للاستمرار."},
	{"nl", []string{"uitschrijven", "afmelden", "schrijf me uit", "geen berichten meer", "geen reclame"}, []string{"stoppen", "opzeggen", "annuleren"}, []string{"hoe kan ik opzeggen", "hoe kan ik annuleren"},
		"U ontvangt geen berichten meer van ons.", "Wilt u geen berichten meer van ons? Antwoord STOP voor geen, of START om ze te houden."},
	{"sv", []string{"avregistrera", "avprenumerera", "inga fler meddelanden"}, []string{"stoppa", "avsluta", "sluta"}, nil,
		"Du får inga fler meddelanden från oss.", "Vill du inte ha fler meddelanden från oss? Svara STOP för inga, eller START för att behålla dem."},
	{"pl", []string{"wypisz", "wypisz mnie", "rezygnuję z wiadomości", "nie piszcie więcej"}, []string{"zatrzymaj", "koniec", "anuluj", "rezygnuję"}, nil,
		"Nie otrzymasz od nas więcej wiadomości.", "Nie chcesz już naszych wiadomości? Odpowiedz STOP, aby ich nie dostawać, albo START, aby je zachować."},
	{"ru", []string{"отписаться", "отпишите меня", "отписка", "не пишите мне", "больше не пишите"}, []string{"стоп", "хватит", "отмена", "прекратите"}, []string{"как отменить"},
		"Вы больше не будете получать от нас сообщений.", "Вы не хотите получать от нас сообщения? Ответьте STOP, чтобы не получать, или START, чтобы продолжить."},
	{"uk", []string{"відписатися", "відпишіть мене", "не пишіть мені"}, []string{"годі", "скасувати", "досить"}, nil,
		"Ви більше не отримуватимете від нас повідомлень.", "Ви не хочете отримувати наші повідомлення? Відповідайте STOP, щоб не отримувати, або START, щоб продовжити."},
	{"tr", []string{"abonelikten çık", "üyelikten çık", "mesaj atmayın", "mesaj göndermeyin"}, []string{"dur", "durdur", "iptal", "ret"}, nil,
		"Bizden başka mesaj almayacaksınız.", "Artık bizden mesaj istemiyor musunuz? İstemiyorsanız STOP, devam etmek için START yazın."},
	{"zh", []string{"退订", "取消订阅", "不要再发", "别再发了"}, []string{"停止", "停"}, []string{"取消"},
		"您将不再收到我们的消息。", "您不想再收到我们的消息吗？回复 STOP 停止接收，回复 START 继续接收。"},
	{"ja", []string{"配信停止", "購読解除", "メッセージを止めて"}, []string{"停止", "解除"}, []string{"キャンセル"},
		"今後メッセージはお送りしません。", "今後メッセージを希望されませんか？停止は STOP、継続は START とご返信ください。"},
	{"ko", []string{"수신거부", "수신 거부", "구독 취소"}, []string{"중지", "그만"}, []string{"취소"},
		"더 이상 메시지를 보내지 않겠습니다.", "더 이상 메시지를 원하지 않으십니까? 중지하려면 STOP, 계속 받으려면 START라고 답해 주세요."},
	{"th", []string{"ยกเลิกการสมัคร", "ยกเลิกรับข้อความ"}, []string{"หยุด", "หยุดส่ง"}, []string{"ยกเลิก"},
		"คุณจะไม่ได้รับข้อความจากเราอีก", "คุณไม่ต้องการรับข้อความจากเราอีกใช่ไหม ตอบ STOP เพื่อหยุด หรือ START เพื่อรับต่อ"},
	{"vi", []string{"hủy đăng ký", "ngừng nhắn tin", "đừng nhắn nữa"}, []string{"dừng", "ngừng"}, []string{"hủy"},
		"Bạn sẽ không nhận thêm tin nhắn nào từ chúng tôi.", "Bạn không muốn nhận tin nhắn của chúng tôi nữa? Trả lời STOP để dừng, hoặc START để tiếp tục."},
	{"ro", []string{"dezabonare", "dezabonați-mă", "nu mai trimiteți"}, []string{"oprește", "opriți", "anulare"}, nil,
		"Nu veți mai primi mesaje de la noi.", "Nu mai doriți mesaje de la noi? Răspundeți STOP pentru niciunul sau START pentru a le păstra."},
}

// stayWords answer the question of an unclear message.
var stayWords = []string{"start", "unstop", "resume"}

// polite are words that change nothing beside a stop word.
var polite = set("please", "pls", "plz", "thanks", "thank", "you", "all", "it", "now", "this", "bitte", "danke", "jetzt", "alles", "por", "favor", "gracias", "ya", "obrigado", "obrigada", "merci", "svp", "stp", "grazie", "per", "favore", "alstublieft", "tack", "spasibo", "спасибо", "пожалуйста", "dziękuję", "proszę", "lütfen", "tolong", "शुक्रिया", "धन्यवाद", "شكرا")

// negations beside a clear word make the wish unclear.
var negations = set("not", "dont", "never", "nicht", "no", "não", "pas", "non", "не", "niet")

// buttonWords are what a reply button of any message may be called and still be
// heeded, beside the clear words. "Cancel" has reasons of its own there, and so
// has a row of a list that is called "Stop".
var buttonWords = set("stop", "stopp", "стоп", "arrêt")

func set(words ...string) map[string]bool {
	out := make(map[string]bool, len(words))
	for _, w := range words {
		out[fold(w)] = true
	}
	return out
}

// Confirmation is the text that answers a stop word of that language.
func Confirmation(code string) string { return in(code).confirmation }

// Question is the text that asks what an unclear message of that language meant.
func Question(code string) string { return in(code).question }

func in(code string) *language {
	for i := range languages {
		if languages[i].code == code {
			return &languages[i]
		}
	}
	return &languages[0]
}

// StopIn reads what a person's message says about being written to: a text, the
// caption of a picture, a video or a document, or what the person tapped.
func StopIn(ev *message.Event) Stop {
	said := fold(ev.Text)
	if said == "" {
		return Stop{}
	}
	switch ev.Type {
	case "text", "image", "video", "document":
		return stopIn(strings.Fields(said))
	case "button": // the quick reply of a template
		if s := stopIn(strings.Fields(said)); s.Exact || s.Stay {
			return s
		}
	case "interactive":
		button := ev.ReplyKind == "button_reply" && buttonWords[said]
		if s := stopIn(strings.Fields(said)); s.Exact && (button || isClear(said)) {
			return s
		}
	}
	return Stop{}
}

func stopIn(words []string) Stop {
	rest := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return polite[w] })
	whole, core := strings.Join(words, " "), strings.Join(rest, " ")
	for _, w := range stayWords {
		if core == w {
			return Stop{Word: w, Stay: true, Language: "en"}
		}
	}
	var near, ask Stop
	for _, w := range foldedStops() {
		switch {
		case w.kind == asks:
			if whole == w.folded || core == w.folded {
				ask = Stop{Word: w.word, Ask: true, Language: w.language}
			}
		case whole == w.folded || core == w.folded || repeated(rest, w.parts):
			return Stop{Word: w.word, Exact: true, Language: w.language}
		case w.kind == clear && near.Word == "":
			near = w.among(words)
		case w.kind == alone && ask.Word == "" && wordAndNumber(rest, w.folded):
			ask = Stop{Word: w.word, Ask: true, Language: w.language}
		}
	}
	if near.Word != "" {
		return near
	}
	return ask
}

// among finds a clear word or phrase among a few others. A negation before a
// word makes the wish unclear.
func (w *foldedStop) among(words []string) Stop {
	limit := nearWords
	if len(w.parts) > 1 {
		limit = nearPhrase
	}
	i := indexOf(words, w.parts)
	if i < 0 || len(words) > limit {
		return Stop{}
	}
	s := Stop{Word: w.word, Language: w.language}
	s.Ask = len(w.parts) == 1 && slices.ContainsFunc(words[:i], func(o string) bool { return negations[o] })
	return s
}

// repeated reports whether words are nothing but part, said again and again.
func repeated(words, part []string) bool {
	if len(words) == 0 || len(words)%len(part) != 0 {
		return false
	}
	for at := range slices.Chunk(words, len(part)) {
		if !slices.Equal(at, part) {
			return false
		}
	}
	return true
}

// wordAndNumber reports whether words are a stop word and a number: in some
// systems "stop 123" ends one thing only.
func wordAndNumber(words []string, word string) bool {
	if len(words) != 2 || words[0] != word {
		return false
	}
	return strings.Trim(words[1], "0123456789") == ""
}

func isClear(said string) bool {
	return slices.ContainsFunc(foldedStops(), func(w foldedStop) bool { return w.kind == clear && w.folded == said })
}

// kind tells how a stop word counts.
type kind int

const (
	clear kind = iota
	alone
	asks
)

// foldedStop is a stop word as it is compared.
type foldedStop struct {
	kind                   kind
	language, word, folded string
	parts                  []string
}

// foldedStops is computed once and not changed after.
var foldedStops = sync.OnceValue(func() (out []foldedStop) {
	for _, l := range languages {
		for k, words := range [...][]string{clear: l.clear, alone: l.alone, asks: l.ask} {
			for _, w := range words {
				f := fold(w)
				out = append(out, foldedStop{kind: kind(k), language: l.code, word: w, folded: f, parts: strings.Fields(f)})
			}
		}
	}
	return out
})

// indexOf is where part stands in words, one after another; -1 for nowhere.
func indexOf(words, part []string) int {
	for i := 0; i+len(part) <= len(words); i++ {
		if slices.Equal(words[i:i+len(part)], part) {
			return i
		}
	}
	return -1
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
	// Accents are left out: "arret" and "hủy" without marks are the same words.
	s = norm.NFD.String(cases.Fold().String(norm.NFKC.String(s)))
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x300 && r < 0x370, r >= 0x653 && r < 0x656: // Latin marks, Arabic hamza and madda
			return -1
		case r == '\u0131':
			return 'i'
		case unicode.IsSpace(r), unicode.IsPunct(r) && r != '\'' && r != '’', unicode.IsSymbol(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.IsControl(r), r == '\'', r == '’':
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// StopLanguages are the languages of the stop words.
func StopLanguages() []string {
	out := make([]string, len(languages))
	for i := range languages {
		out[i] = languages[i].code
	}
	return out
}
