package message

// Limit bounds one text, number or list of a message.
type Limit struct {
	Min    int    // characters or items; 0 for none
	Max    int    // characters or items above which WhatsApp refuses; 0 for none
	Warn   int    // above it a warning; 0 for none
	Source string // where the figure is from
	Date   string // when it was read, YYYY-MM-DD
}

// Limits are the bounds of all messages, by name ("list.row.title"). A
// provider that bounds something more tightly hands its own copy with that
// entry replaced.
type Limits map[string]Limit
