package view

import (
	"strings"

	"github.com/rivo/uniseg"

	"github.com/handbill/handbill/message"
)

// bubbleWidth bounds the text of a bubble in columns: about what a phone shows on a
// line.
const bubbleWidth = 40

// Terminal draws the picture for a terminal: a bubble, the buttons under it,
// and the sheet that a list opens. Every line ends with a line break.
func (p Picture) Terminal(s Style) string {
	width := bubbleWidth
	if s.Width > 0 {
		width = min(width, max(s.Width-6, 12))
	}
	d := drawer{style: s, width: width}
	inside, actions, opened, cards := split(p.Parts)
	d.box("", d.inside(inside), d.buttons(actions))
	for i := range cards {
		in, act, _, _ := split(cards[i].Parts)
		d.box(cards[i].Label+" "+lineOf(cards[i].Text), d.inside(in), d.buttons(act))
	}
	if len(opened) > 0 {
		title := "opens"
		if len(actions) > 0 {
			title = lineOf(actions[0].Text)
		}
		d.box(title, d.sheet(opened), nil)
	}
	return d.b.String()
}

// split sorts parts by where the phone draws them: in the bubble, as buttons
// under it, on the sheet that a button opens, and as cards beside it.
func split(parts []Part) (inside, actions, opened, cards []Part) {
	for _, p := range parts {
		switch p.Role {
		case RoleAction, RoleReply:
			actions = append(actions, p)
			opened = append(opened, p.Parts...)
		case RoleSection, RoleRow:
			opened = append(opened, p)
		case RoleCard:
			cards = append(cards, p)
		default:
			inside = append(inside, p)
		}
	}
	return inside, actions, opened, cards
}

// drawer draws boxes below each other.
type drawer struct {
	style Style
	width int
	b     strings.Builder
}

// boxLine is one line of a box: its text, and how it is painted.
type boxLine struct {
	text   string
	paint  func(string) string
	middle bool
}

func (d *drawer) inside(parts []Part) []boxLine {
	var out []boxLine
	for _, p := range parts {
		paint, lead := func(t string) string { return t }, ""
		switch p.Role {
		case RoleHeader:
			paint = d.style.bold
		case RoleFooter:
			paint = d.style.dim
		case RoleMedia, RoleProduct, RoleFact, RoleOffer:
			lead, paint = "["+p.Label+"] ", d.style.dim
		case RoleBody:
			if strings.HasPrefix(p.Label, "{{") {
				lead = p.Label + " "
			}
		}
		for _, l := range d.wrap(lead + safeText(p.Text)) {
			out = append(out, boxLine{text: l, paint: paint})
		}
		for _, l := range d.wrap(safeText(p.Detail)) {
			out = append(out, boxLine{text: l, paint: d.style.dim})
		}
	}
	return out
}

func (d *drawer) buttons(parts []Part) []boxLine {
	var out []boxLine
	for _, p := range parts {
		for _, l := range d.wrap(safeText(p.Text)) {
			out = append(out, boxLine{text: l, paint: d.style.bold, middle: true})
		}
		if leads := safeText(p.Detail); leads != "" {
			for _, l := range d.wrap(leads) {
				out = append(out, boxLine{text: l, paint: d.style.dim, middle: true})
			}
		}
	}
	return out
}

func (d *drawer) sheet(parts []Part) []boxLine {
	var out []boxLine
	for _, p := range parts {
		title := lineOf(p.Text)
		switch p.Role {
		case RoleSection:
			if title != "" {
				out = append(out, boxLine{text: clip(title, d.width), paint: d.style.bold})
			}
			out = append(out, d.sheet(p.Parts)...)
			continue
		case RoleProduct:
			title = "[product] " + title
		default:
			title = "( ) " + title
		}
		for i, l := range wrapColumns(title, d.width-4) {
			if i > 0 {
				l = "    " + l
			}
			out = append(out, boxLine{text: l, paint: func(t string) string { return t }})
		}
		if detail := lineOf(p.Detail); detail != "" {
			for _, l := range wrapColumns(detail, d.width-4) {
				out = append(out, boxLine{text: "    " + l, paint: d.style.dim})
			}
		}
		out = append(out, d.sheet(p.Parts)...)
	}
	return out
}

// box draws lines in a frame, and buttons below a line.
func (d *drawer) box(title string, lines, buttons []boxLine) {
	if len(lines)+len(buttons) == 0 {
		return
	}
	title = clip(inert(message.SafeText(title)), d.width-2)
	head := strings.Repeat("─", d.width+2)
	if title != "" {
		head = "─ " + title + " " + strings.Repeat("─", d.width-1-columns(title))
	}
	d.b.WriteString("  ╭" + head + "╮\n")
	for _, l := range lines {
		d.line(l)
	}
	if len(lines) > 0 && len(buttons) > 0 {
		d.b.WriteString("  ├" + strings.Repeat("─", d.width+2) + "┤\n")
	}
	for _, l := range buttons {
		d.line(l)
	}
	d.b.WriteString("  ╰" + strings.Repeat("─", d.width+2) + "╯\n")
}

func (d *drawer) line(l boxLine) {
	before := 0
	if l.middle {
		before = max((d.width-columns(l.text))/2, 0)
	}
	after := max(d.width-before-columns(l.text), 0)
	d.b.WriteString("  │ " + strings.Repeat(" ", before) + l.paint(l.text) + strings.Repeat(" ", after) + " │\n")
}

// wrap breaks a safe text of several lines to the bubble's width.
func (d *drawer) wrap(text string) []string {
	if text == "" {
		return nil
	}
	var out []string
	for _, l := range strings.Split(text, "\n") {
		out = append(out, wrapColumns(l, d.width)...)
	}
	return out
}

// safeText returns a text of several lines, each safe to show.
func safeText(t Text) string { return inertLines(strings.TrimRight(t.String(), "\n")) }

// lineOf returns a text on one line, safe to show.
func lineOf(t Text) string { return inert(message.SafeText(t.String())) }

// wrapColumns breaks one line at spaces, and inside words that are too long, so
// that no line is wider than width columns.
func wrapColumns(line string, width int) []string {
	width = max(width, 2)
	if columns(line) <= width {
		return []string{line}
	}
	var out []string
	var current strings.Builder
	used := 0
	flush := func() {
		out = append(out, strings.TrimRight(current.String(), " "))
		current.Reset()
		used = 0
	}
	for _, word := range strings.SplitAfter(line, " ") {
		if bare := columns(strings.TrimRight(word, " ")); used > 0 && used+bare > width {
			flush()
		}
		state := -1
		for word != "" {
			var cluster string
			var w int
			cluster, word, w, state = uniseg.FirstGraphemeClusterInString(word, state)
			if cluster == " " && used+w > width {
				continue // a space at the end of a full line
			}
			if used+w > width {
				flush()
			}
			current.WriteString(cluster)
			used += w
		}
	}
	if current.Len() > 0 {
		flush()
	}
	return out
}

// Words describes the picture line by line for places without a phone to draw: each
// line has a label, a bar, and the text.
func (p Picture) Words() []string {
	var out []string
	words(&out, p.Parts, 0)
	return out
}

const wordColumn = 12 // what it is, with its indentation

func words(out *[]string, parts []Part, indent int) {
	for _, p := range parts {
		label := clip(strings.Repeat(" ", indent)+message.SafeText(p.Label), wordColumn)
		text := safeText(p.Text)
		if detail := safeText(p.Detail); detail != "" {
			text += " · " + detail
		}
		if id := lineOf(p.ID); id != "" {
			text += " (" + id + ")"
		}
		for i, l := range strings.Split(text, "\n") {
			if i > 0 {
				label = ""
			}
			*out = append(*out, strings.TrimRight(pad(label, wordColumn)+" | "+l, " "))
		}
		words(out, p.Parts, indent+2)
	}
}
