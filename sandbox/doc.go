// Package sandbox is a WhatsApp network in a box. One listener speaks the wire
// formats of Meta's Cloud API, 360dialog, Kaleyra and 1msg, each under its own
// base path (see BasePath). It enforces WhatsApp's limits with its own code, keeps
// the 24-hour windows, reports sent, delivered, read and failed, posts signed
// webhooks, misbehaves as a Script says, and records every request in a ledger
// that a test can compare a campaign with.
//
// Beside the wire formats a running sandbox serves
//
//	GET  /                   phones, side by side (?chat=PROVIDER/NUMBER/USER pins one)
//	GET  /_sandbox/ledger    every POST as JSON lines (Entry)
//	GET  /_sandbox/rates     the most POSTs in any one second, per number (Rate)
//	GET  /_sandbox/totals    posts, acceptances, duplicates, webhooks (Totals)
//	POST /_sandbox/inbound   act as a phone (Inbound)
//	GET  /_sandbox/templates the account's templates as they are now (Template)
//	GET  /_sandbox/singletons what numbers have one of, such as a business profile (Singleton)
//	POST /_sandbox/singletons change the given attributes of it, as somebody does by hand
//	POST /_sandbox/templates add a template, or change the given fields of an existing one
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
// A script may also define the account's templates and what happens to them.
// While the account has no template, a send may use any; otherwise sends are
// checked against the account's templates:
//
//	{"templates": [{"name": "login_code", "language": "en_US", "category": "AUTHENTICATION", "components": […]}],
//	 "review": [{"match": {"name": "login_code"}, "after": "10m", "outcome": "pause"}],
//	 "edit_by_hand": [{"match": {"name": "login_code"}, "after": "1h", "components": […]}]}
//
// It may say what numbers have of what each has one of, and what goes wrong with it. An
// address of a webhook is asked with its word whether it is right, as Meta does, unless
// "webhooks_unasked" is true; from then on it gets the number's messages:
//
//	{"singletons": [{"kind": "business_profile", "values": {"about": "Hey there!"}}],
//	 "singleton_rules": [{"call": "write", "nth": 1, "does": "lost"}]}
//
// Kaleyra reports Meta's verdict by webhook only, so on its wire format a Meta
// code without an http status accepts the message, which fails later.
//
// The sandbox does not use message.Check: a sender and a simulator that share
// the code would share its mistakes.
package sandbox
