// Package sandbox is a WhatsApp network in a box. One listener speaks the wire
// formats of Meta's Cloud API, 360dialog, Kaleyra and 1msg, each under its own
// base path (see BasePath); it enforces WhatsApp's limits by its own code, keeps
// the 24-hour windows, reports sent, delivered, read and failed, posts signed
// webhooks, misbehaves as a Script says, and remembers every request in a
// ledger that a test can hold a campaign against.
//
// Beside the wire formats a running sandbox serves
//
//	GET  /                   phones, side by side (?chat=PROVIDER/NUMBER/USER pins one)
//	GET  /_sandbox/ledger    every POST as JSON lines (Entry)
//	GET  /_sandbox/rates     the most POSTs in any one second, per number (Rate)
//	GET  /_sandbox/totals    posts, acceptances, duplicates, webhooks (Totals)
//	POST /_sandbox/inbound   act as a phone (Inbound)
//	GET  /_sandbox/templates the account's templates as they are now (Template)
//	POST /_sandbox/templates add one, or change the fields given of the one of that name and language
//
// A script is JSON:
//
//	{"rules": [
//	  {"match": {"to": "+491511234567", "nth": 7}, "answer": {"code": 131056}},
//	  {"match": {"provider": "onemsg", "share": 0.05}, "answer": {"code": 130429, "http": 429, "retry_after": 2}},
//	  {"match": {"every": 100}, "behaviour": "reset_after_read", "accepts": true},
//	  {"match": {"kind": "template", "first": 3}, "fails": 131049}
//	]}
//
// A script may also hold the account's templates and what becomes of them.
// Without a template in the account every template is taken; with one, sends are
// held against what the account has:
//
//	{"templates": [{"name": "login_code", "language": "en_US", "category": "AUTHENTICATION", "components": […]}],
//	 "review": [{"match": {"name": "login_code"}, "after": "10m", "outcome": "pause"}],
//	 "edit_by_hand": [{"match": {"name": "login_code"}, "after": "1h", "components": […]}]}
//
// Kaleyra gives Meta's verdict by webhook only, so there a Meta code without an
// http status is an acceptance that fails later.
//
// Nothing of message.Check is used here: a sender that counts wrongly and a
// simulator that counts the same way would agree on a mistake.
package sandbox
