package bench

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// writing is a way in which people write numbers of one country: the digits of the
// national number replace the letters N, in order.
type writing struct {
	region string
	prefix string // the first digits of the national number
	digits int    // of the national number
	forms  []string
}

// The region of the audience is DE, so national forms are German; the others
// have their calling codes.
var writings = []writing{
	{"DE", "151", 11, []string{"+49NNNNNNNNNNN", "0NNN NNNNNNNN", "0NNN-NNNNNNNN", "(0NNN) NNNNNNNN", "+49 NNN NNNNNNNN", "0049NNNNNNNNNNN", "+49 (NNN) NNNN-NNNN", "0NNNNNNNNNNN", "tel:+49NNNNNNNNNNN", "'+49NNNNNNNNNNN", "+49 (0)NNN NNNNNNNN", "0NNN/NNNNNNNN"}},
	{"ES", "6", 9, []string{"+34NNNNNNNNN", "+34 NNN NNN NNN", "0034 NNN NN NN NN", "+34-NNN-NNN-NNN"}},
	{"US", "415555", 10, []string{"+1NNNNNNNNNN", "+1 (NNN) NNN-NNNN", "+1 NNN-NNN-NNNN", "001 NNN NNN NNNN", "+1.NNN.NNN.NNNN"}},
	{"FR", "6", 9, []string{"+33NNNNNNNNN", "+33 N NN NN NN NN", "0033NNNNNNNNN"}},
	{"GB", "7400", 10, []string{"+44NNNNNNNNNN", "+44 NNNN NNNNNN", "0044 NNNN NNNNNN"}},
	{"IT", "3", 10, []string{"+39NNNNNNNNNN", "+39 NNN NNN NNNN"}},
	{"PL", "5", 9, []string{"+48NNNNNNNNN", "+48 NNN NNN NNN"}},
	{"TR", "53", 10, []string{"+90NNNNNNNNNN", "+90 NNN NNN NN NN"}},
	{"IN", "98", 10, []string{"+91NNNNNNNNNN", "+91 NNNNN NNNNN", "+91-NNNNNNNNNN"}},
	{"BR", "119", 11, []string{"+55NNNNNNNNNNN", "+55 NN NNNNN-NNNN", "+55 (NN) NNNNN-NNNN"}},
	{"MX", "55", 10, []string{"+52NNNNNNNNNN", "+52 NN NNNN NNNN"}},
	{"NL", "6", 9, []string{"+31NNNNNNNNN", "+31 N NNNNNNNN"}},
}

// given are first names in twenty scripts, some with emoji or with combining marks
// that are not in normal form C.
var given = []string{
	"Anna", "Peter", "Maria", "Jonas", "Sofia", "José", "Zoë", "Søren", "Łukasz", "Jose\u0301", "Βασίλης", "Ольга", "Иван", "أحمد", "فاطمة",
	"דוד", "प्रिया", "রহিম", "ਗੁਰਪ੍ਰੀਤ", "પ્રિયા", "தமிழ்", "సీత", "ಲಕ್ಷ್ಮಿ", "മീര", "สมชาย", "ລາວ", "မောင်", "ខ្មែរ", "ნინო", "Արամ", "አበበ",
	"李雷", "さくら", "김민준", "O'Brien", "Anna 🎉", "Kim 👩‍👩‍👧", "Mia 🇩🇪",
}

var (
	family = []string{"Müller", "Smith", "García", "Yılmaz", "Ivanova", "de la Cruz", "Nguyễn", "van Dijk", "Rossi, Jr.", `"Ace" Jones`}
	towns  = []string{"Köln", "Bonn", "Frankfurt, Main", "São Paulo", "Αθήνα", "Москва", "İzmir", "東京", "Berlin"}
	broken = []string{"", "n/a", "NULL", "+49", "4.91511E+12", "#REF!", "0151 12 ext. 4", "+49151/+49152", "max@example.com", "12345", "+999 123456789", "unknown"}
)

// writeRealistic writes an audience of n rows that looks like a real export:
// numbers of twelve countries in common notations, two fifths in E.164, names in
// twenty scripts, quoted cells, and 1 % of rows without a usable number.
func writeRealistic(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	r := rand.New(rand.NewPCG(3, 4))
	seen := time.Now().Add(-2 * time.Hour).UTC().Format(time.RFC3339)
	fmt.Fprintln(w, "phone,name,city,plan,seen")
	for i := range n {
		phone := number(r, i)
		if r.IntN(100) == 0 {
			phone = broken[r.IntN(len(broken))]
		}
		fmt.Fprintf(w, "%s,%s,%s,%s,%s\n", quoted(phone), quoted(given[r.IntN(len(given))]+" "+family[r.IntN(len(family))]),
			quoted(towns[r.IntN(len(towns))]), []string{"pro", "free"}[r.IntN(2)], seen)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// number returns the i-th number, in one of its country's notations. All numbers
// differ.
func number(r *rand.Rand, i int) string {
	c := &writings[0]
	if r.IntN(2) == 0 {
		c = &writings[1+r.IntN(len(writings)-1)]
	}
	form := c.forms[0]
	if r.IntN(5) > 1 {
		form = c.forms[r.IntN(len(c.forms))]
	}
	national := fmt.Sprintf("%s%0*d", c.prefix, c.digits-len(c.prefix), i%tens(c.digits-len(c.prefix)))
	var b strings.Builder
	for j := 0; j < len(form); j++ {
		if form[j] != 'N' {
			b.WriteByte(form[j])
			continue
		}
		b.WriteByte(national[0])
		national = national[1:]
	}
	return b.String()
}

func tens(n int) int {
	out := 1
	for range n {
		out *= 10
	}
	return out
}

func quoted(cell string) string {
	if !strings.ContainsAny(cell, "\",\n") {
		return cell
	}
	return `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
}
