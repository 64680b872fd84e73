package view

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// TreePicture is the picture of a declared message from its tree, so that the
// message of the last apply can be drawn beside the current one.
func TreePicture(kind string, t *lang.Tree) Picture {
	p := Picture{Kind: message.Kind(kind)}
	p.Parts = treeParts(t)
	return p
}

// IsMessage reports whether a type of resource is a message that can be drawn.
func IsMessage(resourceType string) bool { return message.New(message.Kind(resourceType)) != nil }

// treeOrder lists the arguments of a message in the order in which a phone shows
// them.
var treeOrder = []struct {
	name string
	role Role
}{
	{"template", RoleFact}, {"language", RoleFact}, {"catalog", RoleFact},
	{"header", RoleHeader}, {"text", RoleHeader}, {"image", RoleMedia}, {"video", RoleMedia}, {"audio", RoleMedia},
	{"document", RoleMedia}, {"sticker", RoleMedia}, {"filename", RoleFact}, {"latitude", RoleFact}, {"longitude", RoleFact},
	{"name", RoleHeader}, {"address", RoleBody}, {"product", RoleProduct}, {"thumbnail", RoleProduct},
	{"body", RoleBody}, {"caption", RoleBody}, {"footer", RoleFooter}, {"button", RoleAction}, {"products", RoleProduct},
}

// treeParts returns the parts of a message or of a block of one: known arguments
// where the phone shows them, blocks in order, and everything else as facts, so
// that every change is visible.
func treeParts(t *lang.Tree) []Part {
	if t == nil {
		return nil
	}
	var head, tail []Part
	for _, b := range t.Blocks {
		if b.Type == "header" {
			head = append(head, treeParts(&b.Tree)...)
		}
	}
	used := map[string]bool{}
	for _, known := range treeOrder {
		if a := attribute(t, known.name); a != nil {
			used[known.name] = true
			head = append(head, attributeParts(known.role, a)...)
		}
	}
	for i := range t.Attributes {
		if a := &t.Attributes[i]; !used[a.Name] {
			tail = append(tail, Part{Role: RoleFact, Label: Reason(a.Name), Text: attributeText(a)})
		}
	}
	for i := range t.Blocks {
		if b := &t.Blocks[i]; b.Type != "header" {
			tail = append(tail, blockPart(b))
		}
	}
	return append(head, tail...)
}

func attribute(t *lang.Tree, name string) *lang.Attribute {
	for i := range t.Attributes {
		if t.Attributes[i].Name == name {
			return &t.Attributes[i]
		}
	}
	return nil
}

// attributeParts draws an argument: a list as one part for each element.
func attributeParts(role Role, a *lang.Attribute) []Part {
	var elements []json.RawMessage
	if !a.Reference && !a.Sensitive && json.Unmarshal([]byte(a.Value), &elements) == nil && len(elements) > 0 {
		var out []Part
		for i, e := range elements {
			label := Reason(strings.TrimSuffix(a.Name, "s"))
			if role == RoleBody {
				label = "{{" + strconv.Itoa(i+1) + "}}"
			}
			out = append(out, Part{Role: role, Label: label, Text: jsonSpan(e)})
		}
		return out
	}
	if inner, ok := strings.CutPrefix(a.Value, "["); ok && a.Reference && role == RoleBody {
		var out []Part
		for i, e := range listElements(strings.TrimSuffix(inner, "]")) {
			out = append(out, Part{Role: role, Label: "{{" + strconv.Itoa(i+1) + "}}", Text: sourceText(e)})
		}
		return out
	}
	text := attributeText(a)
	if len(text) == 0 {
		return nil
	}
	return []Part{{Role: role, Label: Reason(a.Name), Text: text}}
}

// blockPart draws a section, row, button or card.
func blockPart(b *lang.Block) Part {
	p := Part{Label: Reason(b.Type), Parts: treeParts(&b.Tree)}
	label := strings.Join(b.Labels, " ")
	switch b.Type {
	case "section":
		p.Role, p.Text = RoleSection, templateText(label)
	case "row", "button", "reply":
		p.Role, p.ID, p.Parts = RoleRow, templateText(label), nil
		if b.Type != "row" {
			p.Role = RoleReply
		}
		for i := range b.Attributes {
			switch a := &b.Attributes[i]; a.Name {
			case "title":
				p.Text = attributeText(a)
			case "description":
				p.Detail = attributeText(a)
			default:
				p.Parts = append(p.Parts, Part{Role: RoleFact, Label: Reason(a.Name), Text: attributeText(a)})
			}
		}
	default:
		p.Role, p.Text = RoleCard, templateText(label)
	}
	return p
}

// attributeText returns an argument's value as a text with slots.
func attributeText(a *lang.Attribute) Text {
	switch {
	case a.Sensitive:
		return fixed("(sensitive value)")
	case a.Reference:
		return Text{{Text: a.Value, Slot: strings.Contains(a.Value, "recipient.")}}
	}
	return jsonSpan(json.RawMessage(a.Value))
}

// listElements splits the source of a list at its commas.
func listElements(s string) []string {
	var out []string
	depth, quoted, from := 0, false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case c == ',' && depth == 0:
			out = append(out, strings.TrimSpace(s[from:i]))
			from = i + 1
		}
	}
	if rest := strings.TrimSpace(s[from:]); rest != "" {
		out = append(out, rest)
	}
	return out
}

// sourceText converts the source of an expression: a constant stays as it is,
// anything else becomes a slot.
func sourceText(src string) Text {
	var s string
	if json.Unmarshal([]byte(src), &s) == nil {
		return templateText(s)
	}
	return Text{{Text: src, Slot: true}}
}

// jsonSpan shows a JSON value to people: a text as it is, a product by its title
// and id.
func jsonSpan(src json.RawMessage) Text {
	var s string
	if json.Unmarshal(src, &s) == nil {
		return templateText(s)
	}
	var product struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	if json.Unmarshal(src, &product) == nil && product.ID != "" {
		if product.Title == "" {
			return fixed(product.ID)
		}
		return fixed(product.Title + " (" + product.ID + ")")
	}
	return fixed(jsonValue(string(src)))
}

// templateText splits the source of a template, "Hello, ${recipient.name}",
// into constants and slots.
func templateText(s string) Text {
	var out Text
	for s != "" {
		from := strings.Index(s, "${")
		if from < 0 || from > 0 && s[from-1] == '$' {
			return append(out, Span{Text: s})
		}
		to := closing(s[from+2:])
		if to < 0 {
			return append(out, Span{Text: s})
		}
		if from > 0 {
			out = append(out, Span{Text: s[:from]})
		}
		out = append(out, Span{Text: strings.TrimSpace(s[from+2 : from+2+to]), Slot: true})
		s = s[from+2+to+1:]
	}
	return out
}

// closing returns the index of the bracket that closes the one opened before s; -1
// if there is none. Brackets in quotes do not count.
func closing(s string) int {
	depth, quoted := 1, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '{' && !quoted:
			depth++
		case c == '}' && !quoted:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
