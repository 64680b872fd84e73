// Package message is the WhatsApp vocabulary of handbill: what can be sent
// (Text, List, Template, …), what comes back (Event, Answer), who it goes to
// (Recipient, Address), what bounds it (Limits, Check), and the Draft: a
// message whose texts still have slots for one recipient's values.
//
// It imports the standard library only and knows no provider, no file and no
// clock, so that every other room can speak its language.
package message
