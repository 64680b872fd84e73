// Package sandbox is a WhatsApp network in a box. One listener speaks the wire
// formats of Meta's Cloud API, 360dialog, Kaleyra and 1msg, each under its own
// base path (see BasePath); it enforces WhatsApp's limits by its own code, keeps
// the 24-hour windows, reports sent, delivered, read and failed, posts signed
// webhooks, misbehaves as a Script says, and remembers every request in a
// ledger that a test can hold a campaign against.
//
// Nothing of message.Check is used here: a sender that counts wrongly and a
// simulator that counts the same way would agree on a mistake.
package sandbox
