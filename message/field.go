package message

// FieldType tells how a text is written into a request.
type FieldType uint8

// The types of Field.
const (
	FieldText   FieldType = iota // a JSON string
	FieldID                      // an id: never with outer spaces
	FieldURL                     // an http(s) URL
	FieldNumber                  // digits that a request carries as a JSON number or string
	FieldJSON                    // a JSON object that a request carries as it is
)

// Field is one text of a message: where it stands, what bounds it, and the
// text itself.
type Field struct {
	// Path is the field's place in the words of the language, counted from 0:
	// "body", "section[1].row[3].title", "button[0].id", "card[2].body[0]".
	Path     string
	Type     FieldType
	Limit    string // name in Limits; "" for unbounded
	Optional bool   // an empty text means that the field is absent
	Text     *string
}

// visitor is handed to Message.fields.
type visitor struct {
	visit func(Field)
}

// Fields visits every text of m in document order. The pointers are m's own.
func Fields(m Message, visit func(Field)) { m.fields(&visitor{visit: visit}) }

// Clone copies m deeply.
func Clone(m Message) Message { return m.clone() }
