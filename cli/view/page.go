package view

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"github.com/handbill/handbill/message"
)

// pages are the templates and the style of all pages. A page is one file that
// loads nothing and runs nothing: its policy allows its own style alone.
//
//go:embed page
var pages embed.FS

// page is what every page has.
type page struct {
	Title  string
	Style  template.CSS
	Policy string // the source that the policy allows styles from
}

func newPage(title string) (page, error) {
	css, err := pages.ReadFile("page/style.css")
	if err != nil {
		return page{}, err
	}
	sum := sha256.Sum256(css)
	return page{Title: title, Style: template.CSS(css), Policy: "sha256-" + base64.StdEncoding.EncodeToString(sum[:])}, nil
}

// render writes a page from the template name.
func render(w io.Writer, name string, data any) error {
	t, err := template.New("").Funcs(template.FuncMap{
		"safe":      func(s string) string { return inert(message.SafeText(s)) },
		"lines":     inertLines,
		"mark":      func(b byte) string { return string(rune(b)) },
		"parameter": func(label string) bool { return strings.HasPrefix(label, "{{") },
	}).ParseFS(pages, "page/parts.html", "page/"+name)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	// CI runners act on this text in their logs; see inert.
	_, err = w.Write(bytes.ReplaceAll(b.Bytes(), []byte("##["), []byte("##&#91;")))
	return err
}

// phone is a picture arranged as the page draws it.
type phone struct {
	Inside, Buttons, Sheet []Part
	Opens                  Text
	Cards                  []phone
}

func newPhone(parts []Part) phone {
	inside, actions, opened, cards := split(parts)
	p := phone{Inside: inside, Buttons: actions, Sheet: opened, Opens: fixed("opens")}
	if len(actions) > 0 {
		p.Opens = actions[0].Text
	}
	for _, c := range cards {
		card := newPhone(c.Parts)
		card.Inside = append([]Part{{Role: RoleFact, Label: c.Label, Text: c.Text}}, card.Inside...)
		p.Cards = append(p.Cards, card)
	}
	return p
}

// side is one of several phones that are drawn side by side.
type side struct {
	Caption string
	Phone   phone
}

// barPart is one part of a bar of counts.
type barPart struct {
	Name, Note string
	Count      string
	Color      int // of the style's eight
	X, W       float64
}

// bar is a row of counts drawn to scale.
type bar struct {
	Label string
	Total int
	Parts []barPart
}

const barWidth = 1000

// add appends n to the bar; scale places the parts once all are there.
func (b *bar) add(name, note string, color, n int) {
	if n > 0 {
		b.Parts = append(b.Parts, barPart{Name: name, Note: note, Count: Count(n), Color: color, W: float64(n)})
		b.Total += n
	}
}

func (b *bar) scale() {
	x := 0.0
	for i := range b.Parts {
		p := &b.Parts[i]
		p.X = round(x)
		p.W = round(p.W * barWidth / float64(b.Total))
		x += p.W
		b.Label += p.Name + " " + p.Count + ", "
	}
	b.Label = strings.TrimSuffix(b.Label, ", ")
}

// round keeps one decimal place.
func round(f float64) float64 { return float64(int(f*10+0.5)) / 10 }

// figure is one number that stands out.
type figure struct{ Value, Name string }
