package message

import (
	"reflect"
	"strings"

	"pgregory.net/rapid"
)

// drawText draws a realistic text: mostly ordinary, sometimes with everything that
// a rule looks for.
func drawText(t *rapid.T, label string) string {
	odd := []string{
		"", " ", "   ", "\u00a0", "\u200b", "a", "a", "b", " a", "a ", "é ", "\u00a0x", "x\u2003",
		"$", "%", "{name}", "${name}", "$", "{", "\x00", "\x1b[31m", "\u0085", "a\nb", "\n\n\n", "a\tb", "\r\n",
		"a     b", "a  ", "   b", "\xff", "\xe2\x82", "\xac", "\xf0\x9f", "\x98\x80", "😀", "👨‍👩‍👧‍👦",
		"https://", "https://shop.example", "https://shop.example/", "http://shop.example/a b", "shop.example/x", "?q=1",
		"{}", `{"a":1}`, `{"a":`, "[1]", "12", "-12.5", "43201", "0", "180.5", "IN", "EUR", "en_US", "2001-02-29", "1796083200000", "a@b",
		"\ufffd", "\u202e",
	}
	switch rapid.IntRange(0, 3).Draw(t, label+" kind") {
	case 0:
		return rapid.SampledFrom(odd).Draw(t, label)
	case 1:
		return rapid.SampledFrom([]string{"a", "é", "😀", "$", " a"}).Draw(t, label+" unit") +
			strings.Repeat(rapid.SampledFrom([]string{"a", "é", "😀", "a "}).Draw(t, label+" unit"),
				rapid.SampledFrom([]int{3, 10, 19, 20, 23, 24, 60, 72, 80, 160, 200, 256, 512, 600, 1023, 1024, 4096}).Draw(t, label+" length"))
	}
	return rapid.StringMatching(`[a-z]{1,6}( [a-z]{1,5})?`).Draw(t, label)
}

// drawMessage draws a message of any kind and any shape.
func drawMessage(t *rapid.T) Message {
	m := New(rapid.SampledFrom(Kinds()).Draw(t, "kind"))
	fill(t, reflect.ValueOf(m).Elem())
	Fields(m, func(f Field) {
		if !f.Optional || rapid.Bool().Draw(t, f.Path+" set") {
			*f.Text = drawText(t, f.Path)
		}
	})
	return m
}

func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "present") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.Slice:
		n := rapid.SampledFrom([]int{0, 1, 2, 2, 3, 4}).Draw(t, "items")
		if n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range n {
			fill(t, v.Index(i))
		}
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "flag"))
	case reflect.Int:
		v.SetInt(int64(rapid.IntRange(-1, 11).Draw(t, "number")))
	case reflect.String:
		v.SetString(drawWord(t, v.Type()))
	}
}

// drawWord draws a keyword of a message's shape.
func drawWord(t *rapid.T, typ reflect.Type) string {
	switch typ {
	case reflect.TypeFor[MediaType]():
		return rapid.SampledFrom([]string{"image", "video", "audio", "document", "sticker", "gif", ""}).Draw(t, "medium")
	case reflect.TypeFor[TemplateButtonType]():
		return rapid.SampledFrom([]string{"quick_reply", "url", "copy_code", "catalog", "mpm", "flow", "voice_call", "", "spm"}).Draw(t, "button")
	}
	return rapid.SampledFrom([]string{"", "name", "navigate", "data_exchange", "draft"}).Draw(t, "word")
}

// drawDraft draws a draft some of whose texts have slots, and one recipient's
// values.
func drawDraft(t *rapid.T) (*Draft, []string) {
	d := &Draft{Message: drawMessage(t)}
	var values []string
	for i := range rapid.IntRange(1, 4).Draw(t, "slots") {
		d.Slots = append(d.Slots, "recipient.a"+itoa(i))
		values = append(values, drawText(t, "value"))
	}
	Fields(d.Message, func(f Field) {
		if rapid.IntRange(0, 2).Draw(t, "bind") > 0 {
			return
		}
		*f.Text = ""
		b := Binding{Path: f.Path}
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			if rapid.Bool().Draw(t, "slot") {
				b.Parts = append(b.Parts, Part{Slot: rapid.IntRange(0, len(values)-1).Draw(t, "which")})
			} else {
				b.Parts = append(b.Parts, Part{Text: drawText(t, "part"), Slot: -1})
			}
		}
		d.Bindings = append(d.Bindings, b)
	})
	return d, values
}
