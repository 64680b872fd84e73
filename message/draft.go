package message

// A Draft is a message compiled for one campaign or reply rule: its constant
// texts are final, and the others are parts with slots that one recipient's
// values fill. It is data: it goes into a saved plan, is what gets reviewed,
// and is exactly what gets sent.
//
// What a recipient's values can change is texts only. The shape of a message
// (how many rows, which header) is the same for everyone.
type Draft struct {
	// Message holds the constant texts; a text with slots holds "".
	Message Message
	// Bindings are the texts that have slots, in document order.
	Bindings []Binding
	// Slots name what fills each slot, as written in the configuration, such
	// as "recipient.name" or "upper(recipient.city)". Equal expressions share
	// one slot. len(Slots) is the length of every recipient's values.
	Slots []string
}

// Binding is one text with slots.
type Binding struct {
	Path  string // as Field.Path, such as "section[0].row[1].title"
	Parts []Part
}

// Part is a piece of a text: a constant, or the value of a slot.
type Part struct {
	Text string // the constant; "" when Slot is used
	Slot int    // index into the recipient's values; -1 for a constant
}
