package reply

// class is what a phrase says about the wish to get no more messages.
type class uint8

// The classes of phrases, the clearest first.
const (
	other  class = iota // an unknown word
	clear               // says it also among a few other words: "unsubscribe"
	stop                // says it alone, or with what it is about: "stop it"
	alone               // says it only alone, since it has other meanings: "cancel"
	maybe               // may say it when alone; the person is asked
	object              // what may be stopped: "it", "all", "messages"
	polite              // adds nothing: "please"
	ask                 // makes a question of it: "how do I"
	want                // makes a wish of it: "I want to"
	not                 // reverses it: "don't"
	no                  // a bare no; what it refuses is unclear
	digit               // a number
)

// wordsOf are the phrases of one language, by class, separated by slashes. Case,
// accents, punctuation and invisible characters do not matter.
type wordsOf struct {
	language string // BCP 47
	// exact says that accents distinguish words in this language.
	exact bool

	clear, stop, alone, maybe, object, polite, ask, want, not, no string
}

// stopWords are the project's own. English has the list of 47 CFR
// 64.1200(a)(10), in force since 2025-04-11 (stop, quit, end, revoke, opt out,
// cancel, unsubscribe), and Meta's own button "Stop promotions"; the others are
// what people write for the same. A phrase of two languages belongs to the first.
var stopWords = []wordsOf{
	{
		language: "en",
		clear: "unsubscribe/unsub/unsubscribed/unsubcribe/unsuscribe/unsubscibe/opt out/optout/opted out/opt me out/opting out/remove my number/delete my number/take my number off/" +
			"take me off/remove me from your list/remove me from the list/remove me from this list/delete my contact/no more messages/no more texts/no more promotions/no more ads/no more spam/" +
			"stop texting/stop messaging me/stop messaging us/stop contacting/stop spamming/stop sending me messages/stop sending me texts/stop sending messages/stop sending texts/stop sending these/" +
			"stop writing to me/stop writing me/stop promotions/stop promotion/do not contact me/dont contact me/do not text me/dont text me/do not message me/dont message me/" +
			"dont send me messages/do not send me messages/dont send me any more/do not send me any more/dont write me again/not interested in your messages/leave me alone/lose my number",
		stop:   "stop/stopall/stop all/stop sending me/stop sending/stop messages/stop messaging/cancel subscription/cancel my subscription/cancel messages/end messages",
		alone:  "quit/end/revoke/cancel/remove me/exit",
		maybe:  "can i cancel/remove/delete/leave/block/halt/opt/not interested/no more/enough/cease",
		object: "it/this/that/these/those/all/everything/messages/message/msgs/texts/sms/promotions/promos/ads/spam/offers/marketing/newsletter/notifications/from you/whatsapp",
		polite: "please/pls/plz/thanks/thank you/thank you very much/thx/ty/now/right now/immediately/at once/already/just/ok/okay/hi/hello/hey/sorry/sir/madam/kindly/bye/today/and/so",
		ask:    "how do i/how do we/how can i/how can we/how to/how should i/where do i/where can i/can i/may i/could i/do i have to/should i/what happens if i/reply/text/type/send/write",
		want:   "i want to/i want you to/i would like to/id like to/i wish to/i need to/can you/could you/would you/will you/want to/lets",
		not:    "dont/not/never/didnt/wont/cant/cannot/do not/did not/will not/can not/couldnt",
		no:     "no/nope/nah",
	},
	{
		language: "de",
		clear: "abmelden/abmeldung/melden sie mich ab/melde mich ab/abbestellen/austragen/tragen sie mich aus/trag mich aus/keine nachrichten mehr/keine nachrichten/keine werbung/keine werbung mehr/werbung stoppen/" +
			"newsletter abbestellen/löschen sie meine nummer/lösch meine nummer/meine nummer löschen/nicht mehr schreiben/schreiben sie mir nicht mehr/schreibt mir nicht mehr/nicht mehr anschreiben/" +
			"keine weiteren nachrichten/aus dem verteiler/von der liste streichen/lassen sie mich in ruhe/lasst mich in ruhe",
		stop:   "stopp/stoppen/aufhören/hör auf/hören sie auf/hört auf/stopp bitte",
		alone:  "ende/beenden/kündigen/schluss",
		maybe:  "abbrechen/stornieren/löschen/kündigung/abo kündigen/kein interesse",
		object: "alles/alle/das/damit/werbung/nachrichten/mehr",
		polite: "bitte/danke/vielen dank/danke schön/sofort/jetzt/endlich/hallo/guten tag/mal/mit freundlichen grüßen/sehr geehrte damen und herren",
		ask:    "wie kann ich/wie kann man/wie/wo kann ich/kann ich/antworten sie mit",
		want:   "ich möchte/ich will/ich möchte mich/ich will mich/können sie/könnt ihr/bitte mich",
		not:    "nicht/kein/keine/nie",
		no:     "nein",
	},
	{
		language: "es",
		clear: "darme de baja/dar de baja/darse de baja/dadme de baja/dame de baja/deme de baja/desuscribir/desuscribirme/desuscribirse/cancelar suscripción/cancelar la suscripción/anular suscripción/" +
			"no más mensajes/no quiero más mensajes/no quiero recibir/no deseo recibir/no me escriban más/no me escriba más/no me manden más/no me envíen más/dejen de escribirme/deje de escribirme/" +
			"dejen de enviarme/borren mi número/elimine mi número/eliminen mi número/quítenme de la lista/detener promociones/sin publicidad",
		stop:   "baja/detener/detengan/paren/dejen de molestar",
		alone:  "alto/parar/pare/cancelar/no más/basta ya/salir/terminar",
		maybe:  "cancela/eliminar/borrar/anular/no me interesa",
		object: "esto/todo/todos/los mensajes/mensajes/promociones/publicidad",
		polite: "por favor/porfavor/porfa/gracias/muchas gracias/ya/ahora/hola/buenos días/buenas tardes/inmediatamente/de una vez",
		ask:    "cómo puedo/cómo/cómo me doy/dónde puedo/puedo/se puede/responda/envíe",
		want:   "quiero/quisiera/me gustaría/deseo/solicito/pueden/podrían",
		not:    "nunca",
	},
	{
		language: "pt",
		clear: "descadastrar/descadastre/descadastrem/descadastro/desinscrever/cancelar inscrição/cancelar assinatura/cancelar a inscrição/não quero mais mensagens/não quero receber/não quero mais receber/" +
			"não desejo receber/não me mande mais/não me mandem mais/não envie mais/não enviem mais/pare de enviar/parem de enviar/pare de me mandar/parem de me mandar/sem mais mensagens/" +
			"remova meu número/remover meu número/apague meu número/exclua meu número/tire meu número/me tire da lista/me remova da lista/me tira da lista/parar promoções",
		stop:   "pare/parem/não quero mais/parar mensagens/chega de mensagens",
		alone:  "parar/sair/cancelar/remover/encerrar/chega",
		maybe:  "cancela/excluir/apagar/não tenho interesse",
		object: "isso/isto/tudo/mensagens/as mensagens/promoções/propaganda",
		polite: "por favor/obrigado/obrigada/agora/já/oi/olá/bom dia/boa tarde/boa noite/favor/imediatamente",
		ask:    "como faço para/como posso/como/onde posso/posso/responda/envie",
		want:   "eu quero/quero/gostaria de/desejo/preciso/podem/poderiam",
		not:    "nunca",
		no:     "não",
	},
	{
		language: "fr",
		clear: "désabonner/se désabonner/me désabonner/désabonnez/désabonnez moi/désabonne moi/désabonnement/désinscrire/désinscrivez/désinscription/me désinscrire/ne plus recevoir/ne plus me contacter/" +
			"ne m'écrivez plus/ne m'envoyez plus/n'envoyez plus/ne me contactez plus/plus de messages/plus de publicité/supprimez mon numéro/effacez mon numéro/retirez mon numéro/retirez moi de la liste/" +
			"arrêtez de m'envoyer/arrêtez de m'écrire/arrêter les promotions/laissez moi tranquille",
		stop:   "arrêt/arrêter/arrêtez/arrête/stopper/stoppez",
		alone:  "quitter/sortir",
		maybe:  "annuler/annulez/résilier/supprimer/pas intéressé/pas intéressée/ça suffit",
		object: "tout/ça/ceci/cela/messages/les messages/pub/pubs/la pub",
		polite: "s'il vous plaît/s'il te plaît/svp/stp/s il vous plait/merci/merci beaucoup/maintenant/bonjour/bonsoir/immédiatement/tout de suite",
		ask:    "comment puis je/comment/comment faire pour/puis je/où puis je/est ce que je peux/répondez/envoyez",
		want:   "je veux/je voudrais/je souhaite/j'aimerais/pouvez vous/veuillez",
		not:    "pas/jamais",
		no:     "non",
	},
	{
		language: "it",
		clear: "disiscrivi/disiscrivimi/disiscrivetemi/disiscrizione/disiscrivermi/cancellami/cancellatemi/cancella iscrizione/annulla iscrizione/non voglio più messaggi/non voglio ricevere/non voglio più ricevere/" +
			"non scrivetemi più/non mandatemi più/non inviatemi più/basta messaggi/niente più messaggi/rimuovi il mio numero/rimuovete il mio numero/cancellate il mio numero/smettete di scrivermi/smettetela di scrivermi/interrompi promozioni",
		stop:   "ferma/fermare/fermate/fermatevi/smettila/smettetela/interrompi",
		alone:  "basta/annulla/esci",
		maybe:  "cancella/disdire/annullare/rimuovi/non mi interessa",
		object: "questo/tutto/messaggi/pubblicità/promozioni",
		polite: "per favore/per piacere/grazie/grazie mille/adesso/ora/subito/ciao/buongiorno/buonasera/vi prego",
		ask:    "come posso/come si fa a/come faccio a/come/posso/dove posso/rispondi/invia",
		want:   "voglio/vorrei/desidero/potete/potreste",
		not:    "mai",
	},
	{
		language: "nl",
		clear: "uitschrijven/schrijf me uit/schrijf mij uit/uitschrijving/afmelden/afmelding/meld me af/meld mij af/geen berichten meer/geen reclame/geen reclame meer/geen appjes meer/verwijder mijn nummer/" +
			"wis mijn nummer/stuur me niets meer/stuur mij niets meer/niet meer sturen/haal me van de lijst/haal mij van de lijst",
		stop:   "stoppen maar/ophouden/hou op/houd op/stop ermee",
		alone:  "einde/stoppen/beëindigen",
		maybe:  "opzeggen/annuleren/annuleer/verwijderen/geen interesse",
		object: "alles/dit/dat/berichten/reclame/hiermee/mee",
		polite: "alsjeblieft/alstublieft/aub/a u b/bedankt/dank je/dank u/dank u wel/nu/direct/meteen/graag/goedendag",
		ask:    "hoe kan ik/hoe kan ik me/hoe/waar kan ik/kan ik/mag ik",
		want:   "ik wil/ik wil me/ik wil mij/ik wil graag/kunt u/kun je",
		not:    "niet/geen/nooit",
		no:     "nee",
	},
	{
		language: "sv",
		clear:    "avregistrera/avregistrera mig/avprenumerera/avanmäl/avanmäla/avanmäl mig/inga fler meddelanden/inga fler sms/ingen reklam/ingen mer reklam/ta bort mitt nummer/radera mitt nummer/skicka inget mer/sluta skicka/sluta messa/sluta skriva till mig",
		stop:     "sluta/stoppa/upphör",
		alone:    "avsluta/avslut/slut",
		maybe:    "avbryt/avboka/säg upp/ta bort/inte intresserad",
		object:   "allt/detta/det här/meddelanden/reklam/reklamen",
		polite:   "snälla/tack/tack så mycket/vänligen/nu/genast/hej/omedelbart",
		ask:      "hur kan jag/hur gör jag för att/hur/kan jag/var kan jag",
		want:     "jag vill/jag skulle vilja/kan ni/kan du",
		not:      "inte/aldrig",
		no:       "nej",
	},
	{
		language: "da",
		clear:    "afmeld/afmeld mig/framelde/frameld mig/ingen flere beskeder/ingen reklamer/slet mit nummer/fjern mit nummer/hold op med at skrive/stop med at skrive",
		stop:     "hold op/stands",
		alone:    "afslut/afslutte",
		maybe:    "annuller/opsig/ikke interesseret",
		object:   "dette/det hele/beskeder/reklamer",
		polite:   "tak/mange tak/venligst/vær venlig/straks",
		ask:      "hvordan kan jeg/hvordan/kan jeg",
		want:     "jeg vil/jeg vil gerne",
		not:      "ikke/aldrig",
	},
	{
		language: "nb",
		clear:    "meld meg av/avmeld/avmeld meg/ingen flere meldinger/ikke mer reklame/slett nummeret mitt/fjern nummeret mitt/slutt å sende",
		stop:     "slutt/stans/gi dere",
		alone:    "avslutt/avslutte",
		maybe:    "avbestill/si opp/ikke interessert",
		object:   "dette her/meldinger/reklame",
		polite:   "takk/tusen takk/vennligst/vær så snill/nå/hei",
		ask:      "hvordan kan jeg/hvordan",
		want:     "jeg ønsker å/jeg vil gjerne",
		no:       "nei",
	},
	{
		language: "pl",
		clear:    "wypisz/wypisz mnie/wypisać/wypisuję się/proszę mnie wypisać/wypiszcie mnie/rezygnuję z subskrypcji/anuluj subskrypcję/nie chcę więcej wiadomości/nie chcę wiadomości/nie pisz do mnie/nie piszcie do mnie/nie wysyłaj więcej/nie wysyłajcie więcej/usuń mój numer/usuńcie mój numer/żadnych reklam/koniec wiadomości",
		stop:     "przestań/przestańcie/zatrzymaj/przestań pisać",
		alone:    "koniec/zakończ/rezygnuję/wyloguj",
		maybe:    "anuluj/rezygnacja/usuń/nie jestem zainteresowany/nie jestem zainteresowana",
		object:   "to/wszystko/wiadomości/reklamy",
		polite:   "proszę/dziękuję/dzięki/teraz/natychmiast/dzień dobry/cześć/już",
		ask:      "jak mogę/jak/gdzie mogę/czy mogę",
		want:     "chcę/chcę się/chciałbym/chciałabym/czy możecie",
		not:      "nigdy",
		no:       "nie",
	},
	{
		language: "cs",
		clear:    "odhlásit/odhlásit odběr/odhlaste mě/odhlašte mě/zrušit odběr/zrušte odběr/odhlášení/už mi nepište/nepište mi/neposílejte mi/žádné další zprávy/žádnou reklamu/smažte moje číslo/vymažte mé číslo",
		stop:     "přestaňte/přestaň/zastavit/dost už",
		alone:    "ukončit/skončit",
		maybe:    "zrušit/zrušte/storno/nemám zájem",
		object:   "vše/všechno/zprávy/reklamy",
		polite:   "prosím/děkuji/díky/hned/ihned/dobrý den/ahoj",
		ask:      "jak mohu/jak můžu/mohu/můžu",
		want:     "chci/chci se/chtěl bych/chtěla bych/můžete",
	},
	{
		language: "ro",
		clear:    "dezabonare/dezabonează mă/dezabonați mă/mă dezabonez/dezabonez/renunț la abonare/nu mai vreau mesaje/nu vreau mesaje/nu mai trimiteți/nu îmi mai scrieți/nu mi mai trimiteți/fără reclame/ștergeți numărul meu/șterge numărul meu",
		stop:     "opriți/oprește/opreste te/încetați/oprire",
		alone:    "renunț/ieșire",
		maybe:    "gata/anulează/anulare/ștergeți/nu mă interesează",
		object:   "asta/tot/mesajele/reclamele",
		polite:   "vă rog/te rog/mulțumesc/mersi/acum/imediat/bună ziua/bună",
		ask:      "cum pot/cum mă/cum",
		want:     "vreau să/vreau să mă/aș dori să/puteți să",
		not:      "niciodată",
		no:       "nu",
	},
	{
		language: "tr",
		clear:    "abonelikten çık/abonelikten çıkmak istiyorum/abonelikten çıkar/aboneliği iptal et/aboneliğimi iptal edin/listeden çıkar/listeden çıkarın/beni listeden çıkarın/mesaj istemiyorum/mesaj almak istemiyorum/mesaj atmayın/bana mesaj atmayın/mesaj göndermeyin/bir daha yazmayın/numaramı silin/numaramı sil/reklam istemiyorum",
		stop:     "dur/durdur/durdurun/durun/kes/yeter artık",
		alone:    "iptal/ret/bitir/çıkış/çık",
		maybe:    "iptal et/sil/yeter/ilgilenmiyorum",
		object:   "bunu/hepsi/hepsini/mesajları/mesajlar/reklamları",
		polite:   "lütfen/teşekkürler/teşekkür ederim/sağolun/artık/hemen/şimdi/merhaba/selam",
		ask:      "nasıl/nasıl yapabilirim",
		want:     "istiyorum/isterim",
		not:      "asla",
		no:       "hayır",
	},
	{
		language: "ru",
		clear: "отписаться/отпишите/отпишите меня/отписка/отписываюсь/отпиши меня/отпишись/не пишите мне/не пишите больше/больше не пишите/не присылайте/не присылайте больше/больше не присылайте/не шлите/уберите мой номер/" +
			"удалите мой номер/удалите меня/уберите меня из рассылки/отключите рассылку/отмена подписки/отменить подписку/без рекламы/не хочу получать/не беспокоить/не беспокойте",
		stop:   "стоп/хватит/прекратите/прекрати/остановите/остановить/перестаньте/стопэ",
		alone:  "конец/выход/закончить",
		maybe:  "отмена/отменить/удалить/отказ/отказываюсь/не интересно/достаточно",
		object: "это/все/рассылку/рассылка/сообщения/рекламу/спам/мне писать",
		polite: "пожалуйста/спасибо/сейчас/немедленно/уже/здравствуйте/добрый день/привет/прошу/большое спасибо",
		ask:    "как мне/как/где можно/можно ли/можно",
		want:   "хочу/я хочу/хотел бы/хотела бы/можете",
		not:    "никогда/не",
		no:     "нет",
	},
	{
		language: "uk",
		clear:    "відписатися/відписатись/відпишіть/відпишіть мене/відписка/не пишіть мені/не пишіть більше/більше не пишіть/не надсилайте/більше не надсилайте/видаліть мій номер/приберіть мій номер/скасувати підписку/без реклами/не хочу отримувати/не турбувати/не турбуйте",
		stop:     "зупиніть/зупинити/досить/припиніть/годі/перестаньте писати",
		alone:    "кінець/вихід/завершити",
		maybe:    "скасувати/видалити/відмова/не цікаво",
		object:   "це/усе/розсилку/повідомлення",
		polite:   "будь ласка/дякую/зараз/негайно/вже/добрий день/вітаю/привіт/прошу вас",
		ask:      "як мені/як/чи можна/де можна",
		want:     "я хотів би/я хотіла б/хотів би/можете мене",
		not:      "ніколи",
		no:       "ні",
	},
	{
		language: "el",
		clear:    "απεγγραφή/διαγραφή από τη λίστα/διαγράψτε με/διαγράψτε τον αριθμό μου/θέλω να διαγραφώ/μη μου στέλνετε/μην μου στέλνετε/μη μου ξαναστείλετε/όχι άλλα μηνύματα/όχι διαφημίσεις",
		stop:     "στοπ/σταματήστε/σταμάτα/διακοπή/σταματήσετε",
		alone:    "διαγραφή/τέλος/έξοδος",
		maybe:    "ακύρωση/ακυρώστε/δεν ενδιαφέρομαι",
		object:   "αυτό/όλα/μηνύματα/τα μηνύματα/διαφημίσεις",
		polite:   "παρακαλώ/ευχαριστώ/τώρα/αμέσως/γεια σας/γεια/καλημέρα",
		ask:      "πώς μπορώ να/πώς/μπορώ να",
		want:     "θέλω να/θα ήθελα να/μπορείτε να",
		not:      "ποτέ/μην",
		no:       "όχι",
	},
	{
		language: "he",
		clear:    "הסירו אותי/הסר אותי/תסירו אותי/להסיר אותי/להסרה מהרשימה/הסירו את המספר שלי/מחקו את המספר שלי/לא לשלוח לי/אל תשלחו לי/אל תכתבו לי/די לשלוח/תפסיקו לשלוח/ביטול מנוי/בלי פרסומות",
		stop:     "הסר/הסרה/להסיר/עצור/עצרו/תפסיקו/להפסיק/הפסק/סטופ",
		alone:    "סיום/מספיק/די",
		maybe:    "ביטול/לבטל/לא מעוניין/לא מעוניינת",
		object:   "הכל/את זה/הודעות/פרסומות",
		polite:   "בבקשה/תודה/תודה רבה/עכשיו/מיד/שלום/נא",
		ask:      "איך אני/איך אפשר/איך/האם אפשר",
		want:     "אני רוצה/אבקש/אפשר",
		not:      "לעולם לא",
		no:       "לא",
	},
	{
		language: "ar",
		clear: "إلغاء الاشتراك/الغاء الاشتراك/ألغ اشتراكي/الغي اشتراكي/ألغوا اشتراكي/لا تراسلني/لا تراسلوني/لا ترسل لي/لا ترسلوا لي/لا أريد رسائل/لا اريد رسائل/لا أرغب في الرسائل/أوقف الرسائل/أوقفوا الرسائل/" +
			"إيقاف الرسائل/كفى رسائل/احذف رقمي/احذفوا رقمي/امسحوا رقمي/أزيلوا رقمي/بدون إعلانات",
		stop:   "إيقاف/توقف/توقفوا/قف/أوقف/أوقفوا/ستوب",
		alone:  "إلغاء/إنهاء/كفى/خروج",
		maybe:  "حذف/ألغي/غير مهتم/غير مهتمة",
		object: "هذا/كل شيء/الكل/الرسائل/رسائل/الإعلانات",
		polite: "من فضلك/لو سمحت/رجاء/الرجاء/شكرا/شكرا جزيلا/الآن/فورا/مرحبا/السلام عليكم",
		ask:    "كيف يمكنني/كيف/هل يمكنني/كيفية",
		want:   "أريد/اريد/أرغب في/أود/هل يمكنكم",
		not:    "أبدا",
		no:     "لا",
	},
	{
		language: "fa",
		clear:    "لغو اشتراک/لغو عضویت/پیام ندهید/به من پیام ندهید/دیگر پیام نفرستید/شماره من را حذف کنید",
		stop:     "توقف کنید/بس کنید/متوقف کنید/نفرستید",
		alone:    "پایان/خروج از لیست",
		maybe:    "لغو/انصراف/علاقه ندارم",
		object:   "همه/این را/پیامها",
		polite:   "لطفا/ممنون/متشکرم/سلام/همین حالا",
		ask:      "چگونه/چطور",
		want:     "میخواهم",
		no:       "نه",
	},
	{
		language: "hi",
		clear:    "सदस्यता रद्द करें/अनसब्सक्राइब/मुझे संदेश न भेजें/मुझे मैसेज मत भेजो/मैसेज मत भेजो/मैसेज मत भेजिए/संदेश न भेजें/मेरा नंबर हटाओ/मेरा नंबर हटाएं/मेरा नंबर हटा दो/मैसेज बंद करो/संदेश बंद करें/message mat bhejo/msg mat bhejo/mera number hatao",
		stop:     "रोकें/रोको/बंद करें/बंद करो/बंद कीजिए/स्टॉप/रुको/band karo",
		alone:    "बंद/समाप्त",
		maybe:    "रद्द/रद्द करें/हटाओ",
		object:   "यह/सब/इसे/संदेश/मैसेज",
		polite:   "कृपया/धन्यवाद/शुक्रिया/अभी/तुरंत/नमस्ते/प्लीज/प्लीज़",
		ask:      "कैसे/मैं कैसे",
		want:     "मैं चाहता हूँ/मैं चाहती हूँ",
		not:      "मत/कभी नहीं",
		no:       "नहीं",
	},
	{
		language: "id",
		clear:    "berhenti berlangganan/jangan kirim lagi/jangan kirim pesan/jangan kirim pesan lagi/jangan hubungi saya/jangan chat saya lagi/hapus nomor saya/hapus nomorku/stop kirim/tidak mau terima pesan/tidak ingin menerima pesan/henti langganan/batal langganan/jangan mesej saya",
		stop:     "berhenti/hentikan/setop/henti",
		alone:    "batal/keluar",
		maybe:    "selesai/batalkan/hapus/tidak tertarik/cukup",
		object:   "ini/semua/pesan/promosi/iklan",
		polite:   "tolong/mohon/terima kasih/makasih/sekarang/segera/halo/dong/ya/sila",
		ask:      "bagaimana cara/bagaimana/gimana cara/bisakah saya",
		want:     "saya ingin/saya mau/aku mau",
		not:      "jangan/tidak",
	},
	{
		language: "vi", exact: true,
		clear:  "hủy đăng ký/huỷ đăng ký/huy dang ky/đừng nhắn tin nữa/đừng nhắn cho tôi/đừng gửi tin nhắn/đừng gửi nữa/không nhận tin/không nhận tin nhắn nữa/không muốn nhận tin/xóa số của tôi/xoá số của tôi/ngừng gửi tin/dừng gửi tin/khong nhan tin",
		stop:   "dừng/dừng lại/ngừng/ngừng lại/ngung/thôi đừng gửi",
		alone:  "kết thúc/thoát/từ chối",
		maybe:  "hủy/huỷ/huy/hủy bỏ/không quan tâm",
		object: "tất cả/tin nhắn/quảng cáo/cái này",
		polite: "vui lòng/làm ơn/cảm ơn/cám ơn/ngay/xin/xin chào/ạ/đi/giúp tôi/với",
		ask:    "làm sao để/làm thế nào để/cách",
		want:   "tôi muốn/mình muốn",
		no:     "không",
	},
	{
		language: "th",
		clear:    "ยกเลิกการสมัคร/ยกเลิกการรับข่าวสาร/ยกเลิกรับข่าวสาร/เลิกติดตาม/เลิกส่งข้อความ/หยุดส่งข้อความ/หยุดส่ง/ไม่ต้องส่งมาอีก/ไม่ต้องส่งมาแล้ว/อย่าส่งมาอีก/ไม่รับข่าวสาร/ไม่อยากรับข้อความ/ลบเบอร์ของฉัน/ลบเบอร์ผม",
		stop:     "หยุด/สต็อป/เลิกส่ง",
		alone:    "ออกจากรายการ/จบ",
		maybe:    "ยกเลิก/ไม่สนใจ/พอแล้ว/ลบ",
		object:   "ทั้งหมด/ข้อความ/โฆษณา",
		polite:   "ครับ/ค่ะ/คะ/กรุณา/โปรด/ขอบคุณ/หน่อย/ด้วย/นะ/ได้แล้ว/เดี๋ยวนี้/สวัสดี",
		ask:      "อย่างไร/ยังไง/ทำยังไง/ไหม",
		want:     "ต้องการ/อยาก/ขอ",
	},
	{
		language: "zh",
		clear:    "取消订阅/取消訂閱/退订短信/停止发送/停止發送/停止发消息/不要再发/不要再發/别再发/別再發/请勿打扰/請勿打擾/不要给我发/不要給我發/不要发消息/不要再联系我/不要再聯絡我/删除我的号码/刪除我的號碼/不想收到/拒收消息",
		stop:     "停止/停/退订/退訂/拒收/别发了/別發了/不要发了/不要發了/停止推送",
		alone:    "结束/結束/退出/td",
		maybe:    "取消/删除/刪除/没兴趣/沒興趣/够了",
		object:   "所有/全部/消息/短信/广告/廣告/信息/这个/我",
		polite:   "请/請/麻烦/麻煩/谢谢/謝謝/马上/馬上/立即/现在/現在/了/吧/您好/你好",
		ask:      "怎么/怎麼/如何/怎样/怎樣/吗/嗎/回复/回覆",
		want:     "我要/我想",
	},
	{
		language: "ja",
		clear:    "配信停止/登録解除/購読解除/受信拒否/送らないで/送ってこないで/送信しないで/配信を停止/配信をやめて/連絡しないで/メッセージ不要/広告不要/番号を削除/もう送らない",
		stop:     "停止/ストップ/やめて/止めて/やめろ/配信不要/中止",
		alone:    "終了/退会/解除",
		maybe:    "キャンセル/取消/取り消し/削除/興味ない",
		object:   "全部/すべて/これ/メッセージ/広告/配信/を",
		polite:   "ください/下さい/お願いします/お願い/おねがいします/してください/して/ありがとう/ありがとうございます/今すぐ/もう/すみません/です/ね/よ/こんにちは",
		ask:      "どうやって/どうすれば/方法/ですか/できますか",
		want:     "したい/したいです/希望/希望します",
	},
	{
		language: "ko",
		clear:    "수신거부/수신 거부/구독취소/구독 취소/구독 해지/구독해지/보내지 마세요/보내지마세요/보내지 마/보내지마/그만 보내세요/그만보내세요/그만 보내/문자 그만/연락하지 마세요/연락하지마세요/제 번호 삭제/번호 삭제해 주세요/광고 거부/광고거부",
		stop:     "중지/그만/멈춰/정지/스톱/중단/그만해/그만해주세요/중지해주세요/중지해 주세요",
		alone:    "종료/탈퇴/거부",
		maybe:    "취소/해지/삭제/관심 없어요/관심없어요",
		object:   "모두/전부/이거/메시지/문자/광고",
		polite:   "제발/부탁합니다/부탁드립니다/부탁해요/감사합니다/고맙습니다/지금/당장/안녕하세요/이제/좀/해주세요/해 주세요/요",
		ask:      "어떻게/방법",
		want:     "하고 싶어요/하고싶어요/원합니다",
		no:       "아니요/아니오",
	},
}
