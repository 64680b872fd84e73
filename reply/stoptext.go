package reply

import "strings"

// textsOf holds, by language, the text that confirms a stop, and the question about
// an unclear message. The answers are STOP and START in every language.
var textsOf = map[string]struct{ confirmation, question string }{
	"en": {"You will get no more messages from us.", "Do you want no more messages from us? Answer STOP for none, or START to keep them."},
	"de": {"Sie erhalten keine Nachrichten mehr von uns.", "Möchten Sie keine Nachrichten mehr von uns? Antworten Sie STOP für keine oder START, um sie zu behalten."},
	"es": {"No recibirá más mensajes nuestros.", "¿No quiere recibir más mensajes nuestros? Responda STOP para no recibirlos, o START para seguir."},
	"pt": {"Você não receberá mais mensagens nossas.", "Você não quer mais receber nossas mensagens? Responda STOP para não receber, ou START para continuar."},
	"fr": {"Vous ne recevrez plus de messages de notre part.", "Ne voulez-vous plus recevoir nos messages ? Répondez STOP pour ne plus en recevoir, ou START pour continuer."},
	"it": {"Non riceverà più messaggi da parte nostra.", "Non vuole più ricevere i nostri messaggi? Risponda STOP per non riceverli, o START per continuare."},
	"nl": {"U ontvangt geen berichten meer van ons.", "Wilt u geen berichten meer van ons? Antwoord STOP voor geen, of START om ze te houden."},
	"sv": {"Du får inga fler meddelanden från oss.", "Vill du inte ha fler meddelanden från oss? Svara STOP för inga, eller START för att behålla dem."},
	"da": {"Du får ikke flere beskeder fra os.", "Vil du ikke have flere beskeder fra os? Svar STOP for ingen eller START for at beholde dem."},
	"nb": {"Du får ikke flere meldinger fra oss.", "Vil du ikke ha flere meldinger fra oss? Svar STOP for ingen eller START for å beholde dem."},
	"pl": {"Nie otrzymasz od nas więcej wiadomości.", "Nie chcesz już naszych wiadomości? Odpowiedz STOP, aby ich nie dostawać, albo START, aby je zachować."},
	"cs": {"Už od nás nedostanete žádné zprávy.", "Nechcete už od nás dostávat zprávy? Odpovězte STOP, pokud ne, nebo START, pokud ano."},
	"ro": {"Nu veți mai primi mesaje de la noi.", "Nu mai doriți mesaje de la noi? Răspundeți STOP pentru niciunul sau START pentru a le păstra."},
	"tr": {"Bizden başka mesaj almayacaksınız.", "Artık bizden mesaj istemiyor musunuz? İstemiyorsanız STOP, devam etmek için START yazın."},
	"ru": {"Вы больше не будете получать от нас сообщений.", "Вы не хотите получать от нас сообщения? Ответьте STOP, чтобы не получать, или START, чтобы продолжить."},
	"uk": {"Ви більше не отримуватимете від нас повідомлень.", "Ви не хочете отримувати наші повідомлення? Відповідайте STOP, щоб не отримувати, або START, щоб продовжити."},
	"el": {"Δεν θα λαμβάνετε άλλα μηνύματα από εμάς.", "Δεν θέλετε άλλα μηνύματα από εμάς; Απαντήστε STOP για κανένα ή START για να συνεχίσετε."},
	"he": {"לא תקבלו מאיתנו הודעות נוספות.", "לא רוצים לקבל מאיתנו עוד הודעות? השיבו STOP כדי להפסיק, או START כדי להמשיך."},
	"ar": {"لن تصلك أي رسائل أخرى منا.", "هل تريد ألا تصلك رسائلنا؟ أجب STOP لإيقافها أو START للاستمرار."},
	"fa": {"دیگر پیامی از ما دریافت نخواهید کرد.", "آیا دیگر پیامی از ما نمی‌خواهید؟ برای توقف STOP و برای ادامه START را بفرستید."},
	"hi": {"अब आपको हमारी ओर से कोई संदेश नहीं मिलेगा।", "क्या आप हमारे संदेश नहीं चाहते? बंद करने के लिए STOP लिखें, जारी रखने के लिए START।"},
	"id": {"Anda tidak akan menerima pesan dari kami lagi.", "Apakah Anda tidak ingin menerima pesan kami lagi? Balas STOP untuk berhenti, atau START untuk melanjutkan."},
	"vi": {"Bạn sẽ không nhận thêm tin nhắn nào từ chúng tôi.", "Bạn không muốn nhận tin nhắn của chúng tôi nữa? Trả lời STOP để dừng, hoặc START để tiếp tục."},
	"th": {"คุณจะไม่ได้รับข้อความจากเราอีก", "คุณไม่ต้องการรับข้อความจากเราอีกใช่ไหม ตอบ STOP เพื่อหยุด หรือ START เพื่อรับต่อ"},
	"zh": {"您将不再收到我们的消息。", "您不想再收到我们的消息吗？回复 STOP 停止接收，回复 START 继续接收。"},
	"ja": {"今後メッセージはお送りしません。", "今後メッセージを希望されませんか？停止は STOP、継続は START とご返信ください。"},
	"ko": {"더 이상 메시지를 보내지 않겠습니다.", "더 이상 메시지를 원하지 않으십니까? 중지하려면 STOP, 계속 받으려면 START라고 답해 주세요."},
}

// Confirmation returns the text that answers a stop word of that language.
func Confirmation(language string) string { return textsOf[Spoken(language)].confirmation }

// Spoken returns the language of the answer to a stop word of that language: the same
// language, or its base language, or else English.
func Spoken(language string) string {
	base, _, _ := strings.Cut(language, "-")
	for _, l := range [...]string{language, base} {
		if _, ok := textsOf[l]; ok {
			return l
		}
	}
	return "en"
}

// Question returns the text that asks what an unclear message of that language meant.
func Question(language string) string { return textsOf[Spoken(language)].question }

// StopLanguages returns the languages of the stop words.
func StopLanguages() []string {
	out := make([]string, len(stopWords))
	for i := range stopWords {
		out[i] = stopWords[i].language
	}
	return out
}
