// Package message is the WhatsApp vocabulary of handbill: what can be sent
// (Text, List, Template, …), what comes back (Event, Answer), who it goes to
// (Recipient, Address), what bounds it (Limits, Check), and the Draft: a
// message whose texts still have slots for one recipient's values.
//
// It imports only the standard library and knows no provider, file or clock, so
// that every other package can use it.
package message
