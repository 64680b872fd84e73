package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/handbill/handbill/message"
)

// PreviewReport is the final report of "handbill preview": messages as a phone
// shows them.
type PreviewReport struct{ Groups []PreviewGroup }

// PreviewGroup is one message, once or for several recipients.
type PreviewGroup struct {
	Address string // of the message, or of the campaign that sends it
	Note    string
	Items   []PreviewItem
}

// PreviewItem is one drawing.
type PreviewItem struct {
	Caption string
	Picture Picture
}

// Text draws the messages for a terminal.
func (r *PreviewReport) Text(w io.Writer, s Style) error {
	var b strings.Builder
	for i, g := range r.Groups {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s\n", s.bold(message.SafeText(g.Address)))
		if g.Note != "" {
			fmt.Fprintf(&b, "%s\n", s.dim(message.SafeText(g.Note)))
		}
		for _, item := range g.Items {
			if item.Caption != "" {
				fmt.Fprintf(&b, "\n  %s\n", s.dim(message.SafeText(item.Caption)))
			}
			b.WriteString(item.Picture.Terminal(s))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type previewPage struct {
	page
	Groups []previewSection
}

type previewSection struct {
	Address, Note string
	Sides         []side
}

// HTML draws the messages as a self-contained page.
func (r *PreviewReport) HTML(w io.Writer, _ Style) error {
	base, err := newPage("handbill preview")
	if err != nil {
		return err
	}
	p := previewPage{page: base}
	for _, g := range r.Groups {
		group := previewSection{Address: g.Address, Note: g.Note}
		for _, item := range g.Items {
			group.Sides = append(group.Sides, side{message.SafeText(item.Caption), newPhone(item.Picture.Parts)})
		}
		p.Groups = append(p.Groups, group)
	}
	return render(w, "preview.html", &p)
}

// JSON writes the messages in words, as Markdown does.
func (r *PreviewReport) JSON(w io.Writer, _ Style) error {
	type item struct {
		Caption string   `json:"caption,omitempty"`
		Kind    string   `json:"kind"`
		Words   []string `json:"words"`
	}
	type group struct {
		Address string `json:"address"`
		Note    string `json:"note,omitempty"`
		Items   []item `json:"items"`
	}
	doc := struct {
		FormatVersion string  `json:"format_version"`
		Groups        []group `json:"previews"`
	}{planFormat, []group{}}
	for _, g := range r.Groups {
		out := group{Address: g.Address, Note: g.Note, Items: []item{}}
		for _, i := range g.Items {
			out.Items = append(out.Items, item{i.Caption, string(i.Picture.Kind), list(i.Picture.Words())})
		}
		doc.Groups = append(doc.Groups, out)
	}
	data, err := encode(doc)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
