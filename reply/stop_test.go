package reply

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/message"
)

// TestWhatIsAWish lists texts by what they are understood as: a stop, a
// question to the person, or nothing.
func TestWhatIsAWish(t *testing.T) {
	for what, list := range map[string][]string{
		"a wish": {
			"Quit!", "STOOOOP", "s.t.o.p", "stop stop stop", "end, please", "Stop this now", "stop all messages", "Stop unsubscribe quit", "please remove my number from this",
			"Hello, I would like to unsubscribe", "could you please take me off?", "Désinscription svp", "arretez", "stop danke", "Nehmt mich raus: abmelden", "darme de baja por favor", "BAJA YA",
			"chega de mensagens", "basta grazie", "hou op", "sluta nu tack", "afmeld", "meld meg av", "przestań proszę", "odhlásit", "oprește", "durdurun lütfen", "хватит уже", "досить",
			"σταματηστε παρακαλω", "הסירו אותי בבקשה", "أوقفوا من فضلك", "لغو اشتراک", "रोको प्लीज", "tolong hentikan", "ngừng lại", "ดูหน่อย หยุดส่งข้อความ", "หยุดครับ", "请停止", "麻煩退訂", "別再發了",
			"配信を停止してください", "やめてください", "그만 보내세요", "중지해 주세요",
		},
		"to be asked about": {
			"how can I stop this", "stop?", "cancel it", "no, stop", "stop 77", "I want to quit", "unsubscribe?", "reply stop to unsubscribe", "can't unsubscribe", "wie kann ich kündigen?", "quiero cancelar",
			"comment annuler", "annuleren", "zrušit", "ακύρωση", "取消", "キャンセル", "취소", "hủy bỏ", "ยกเลิกค่ะ", "怎么退订",
			"For the third time, as I told your colleague on the phone last week, unsubscribe my wife",
		},
		"nothing": {
			"non-stop flights", "the last stop", "please end the call at five", "cancel order 12", "end of the month", "quit my job", "don't stop", "don't quit", "un color más alto", "la baja de precios",
			"sair de casa", "arrêt de bus", "basta così", "das Ende ist gut", "Đúng", "dùng", "停车场在哪", "不要辣", "停止发货", "Fine, thanks", "fin", "red", "no thanks", "नहीं", "no", "yes", "ok", "", "🛑", "42",
		},
	} {
		for _, text := range list {
			got := "nothing"
			switch s := BuiltIn().stopOf(text); {
			case s.Ask:
				got = "to be asked about"
			case s.Word != "":
				got = "a wish"
			}
			if got != what {
				t.Errorf("%q is %s, want it to be %s", text, got, what)
			}
		}
	}
}

func TestOnlyAClearTitleIsAStop(t *testing.T) {
	for _, c := range []struct {
		typ, kind, title string
		want             bool
	}{
		{"button", "button", "Cancel", true}, {"button", "button", "Abbrechen", false}, {"button", "button", "Stop promotions", true},
		{"interactive", "button_reply", "STOP", true}, {"interactive", "button_reply", "Cancel", false}, {"interactive", "button_reply", "Unsubscribe", true},
		{"interactive", "list_reply", "Stop", false}, {"interactive", "list_reply", "Unsubscribe", true}, {"interactive", "list_reply", "Unsubscribe from mail", false},
	} {
		ev := message.Event{Type: c.typ, ReplyKind: c.kind, Text: c.title}
		if got := BuiltIn().StopIn(&ev).Word != ""; got != c.want {
			t.Errorf("the title %q of a %s is a wish: %v, want %v", c.title, c.kind, got, c.want)
		}
	}
}

// TestEveryStopWordIsHeeded checks that each phrase of the table has the effect
// of its class, also in capitals.
func TestEveryStopWordIsHeeded(t *testing.T) {
	for i := range stopWords {
		w := &stopWords[i]
		if w.clear == "" || w.stop == "" || textsOf[w.language].question == "" || textsOf[w.language].confirmation == "" {
			t.Errorf("%s is not complete", w.language)
		}
		for list, asks := range map[string]bool{w.clear: false, w.stop: false, w.alone: false} {
			for phrase := range strings.SplitSeq(list, "/") {
				for _, text := range []string{phrase, strings.ToUpper(phrase)} {
					if s := BuiltIn().stopOf(text); phrase != "" && (s.Word == "" || s.Ask != asks) {
						t.Errorf("%s: %q gives %+v", w.language, text, s)
					}
				}
			}
		}
	}
}

func BenchmarkStopOf(b *testing.B) {
	text := strings.Repeat("when will the parcel that I ordered arrive ", 20)
	for b.Loop() {
		BuiltIn().stopOf(text)
	}
}
