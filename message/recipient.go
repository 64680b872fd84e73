package message

import (
	"strconv"
	"strings"
)

// Address is where a message goes: a phone number, or a business-scoped user id for
// people who hide their number. If both are set the message goes to the number, and
// what is known about either id applies.
type Address struct {
	Phone  string // E.164 with "+", such as "+4915112345678"; "" when only UserID is known
	UserID string // business-scoped user id, such as "US.13491208655302741918"
}

// Key is the recipient's key in the plan and in the state: the phone number
// where there is one, else the user id.
func (a Address) Key() string {
	if a.Phone != "" {
		return a.Phone
	}
	return a.UserID
}

// AddressOf returns the address that a recipient's key stands for.
func AddressOf(key string) Address {
	if strings.HasPrefix(key, "+") {
		return Address{Phone: key}
	}
	return Address{UserID: key}
}

// Recipient is one person of an audience, ready to be planned.
type Recipient struct {
	Address
	// Attributes are the values of the audience's declared attributes, in the
	// order of the audience's attribute names.
	Attributes []Value
	// Place is where the recipient comes from, for diagnostics.
	Place Place
}

// Place is a position in an audience's source.
type Place struct {
	File string // base name, such as "contacts.csv"; "" for a query
	Line int    // 1-based line of the record's first byte; for a query the row's number
	// Element is the 1-based number of an element in a JSON document's array, since
	// many may be on one line; 0 for anything else.
	Element int
}

// String is "contacts.csv:118", and for the fourth element of a JSON document
// "contacts.json[3]", with its line where that is not the first one:
// "contacts.json:20[3]".
func (p Place) String() string {
	if p.File == "" {
		return "row " + strconv.Itoa(p.Line)
	}
	return p.File + p.Within()
}

// Within is String without the file.
func (p Place) Within() string {
	switch {
	case p.Element == 0:
		return ":" + strconv.Itoa(p.Line)
	case p.Line <= 1:
		return "[" + strconv.Itoa(p.Element-1) + "]"
	}
	return ":" + strconv.Itoa(p.Line) + "[" + strconv.Itoa(p.Element-1) + "]"
}
