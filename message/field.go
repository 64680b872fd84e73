package message

import "strconv"

// FieldType tells how a text is written into a request.
type FieldType uint8

// The types of Field.
const (
	FieldText      FieldType = iota // a JSON string
	FieldID                         // an id: never with outer spaces
	FieldURL                        // an http(s) URL
	FieldNumber                     // digits that a request carries as a JSON number or string
	FieldJSON                       // a JSON object that a request carries as it is
	FieldParameter                  // a template's parameter: one line, never empty
)

// Field is one text of a message: its path, its limit, and the text itself.
type Field struct {
	// Path is the field's path in the configuration language, counted from 0:
	// "body", "section[1].row[3].title", "button[0].id", "card[2].body[0]".
	Path     string
	Type     FieldType
	Limit    string // name in Limits and first part of its rules; unbounded where Limits has no such entry
	Optional bool   // an empty text means that the field is absent
	Text     *string
}

// visitor is passed to Message.fields. It tracks the path of the current field, at
// no cost for visits that need no paths.
type visitor struct {
	visit func(path []byte, f Field)
	path  []byte
}

// add visits the text p, which stands under name at the current place.
func (v *visitor) add(name string, p *string, f Field) {
	mark := v.push(name)
	f.Text = p
	v.visit(v.path, f)
	v.pop(mark)
}

// push enters name and returns what pop needs to leave it.
func (v *visitor) push(name string) int {
	mark := len(v.path)
	if mark > 0 {
		v.path = append(v.path, '.')
	}
	v.path = append(v.path, name...)
	return mark
}

// pushAt enters the i-th of the things called name.
func (v *visitor) pushAt(name string, i int) int {
	mark := v.push(name)
	v.path = append(v.path, '[')
	v.path = strconv.AppendInt(v.path, int64(i), 10)
	v.path = append(v.path, ']')
	return mark
}

func (v *visitor) pop(mark int) { v.path = v.path[:mark] }

// Fields visits every text of m in document order: everything that a recipient's
// values can change. The pointers point into m. It does not visit the message's
// shape: kinds of media and buttons, a flow's mode and action, names of template
// parameters, numbers and flags.
func Fields(m Message, visit func(Field)) {
	visitAll(m, &visitor{visit: func(path []byte, f Field) {
		f.Path = string(path)
		visit(f)
	}})
}
