package message

// ValueKind tells what a Value holds.
type ValueKind uint8

// The kinds of a Value.
const (
	Null   ValueKind = iota // nothing: an empty SQL column, JSON null, an absent key
	String                  // Text is the string itself
	Number                  // Text is its decimal form, as HCL prints it: "3", "0.5"
	Bool                    // Text is "true" or "false"
	JSON                    // Text is a JSON array or object
)

// Value is one cell of an audience's row or one attribute of a recipient. It is
// comparable and can be passed without an allocation; it is decoded only by
// expressions that look into an array or object.
type Value struct {
	Kind ValueKind
	Text string
}

// Str makes a string Value.
func Str(s string) Value { return Value{Kind: String, Text: s} }

// Empty reports whether v would render as nothing: null, or a string with nothing
// but white space.
func (v Value) Empty() bool {
	switch v.Kind {
	case Null:
		return true
	case String:
		for i := 0; i < len(v.Text); i++ {
			switch v.Text[i] {
			case ' ', '\t', '\r', '\n':
			default:
				return false
			}
		}
		return true
	}
	return false
}
