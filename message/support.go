package message

// Support says whether a sending number can do something: carry a kind of message,
// or have a feature. The zero value is No, so that a forgotten case promises
// nothing.
type Support uint8

// The grades.
const (
	No      Support = iota // a plan refuses it
	Doubted                // a plan warns
	Yes
)

// String is the grade's word.
func (s Support) String() string {
	switch s {
	case Yes:
		return "yes"
	case Doubted:
		return "doubted"
	}
	return "no"
}

// MarshalText implements encoding.TextMarshaler, and with it JSON.
func (s Support) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
