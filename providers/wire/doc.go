// Package wire is the HTTP client that every provider sends with. What sending
// once rests on is held here, and nowhere above it:
//
//  1. One call makes at most one request. No redirect is followed and nothing
//     is repeated, not even on a connection that turns out to be dead. No header
//     invites anybody on the way to repeat it either.
//  2. "Not sent" is proved, never guessed. [Client.Post] says NotSent only where
//     there was no connection to write on. Once there is one, whatever goes wrong
//     is Unknown: a byte may have left.
//  3. A request never has a connection that the other side closed while it was
//     idle, or on which something is left of the request before. Either would
//     make a doubt where none is needed.
//  4. One exchange at a time has a connection (HTTP/1.1). With HTTP/2 one reset
//     would leave everything in flight in doubt instead of one message.
//  5. Nothing is taken from the environment and nothing is kept between requests
//     but idle connections: no cookie, and no proxy but that of the options.
//     A proxy is asked for a way to the provider before there is a connection to
//     write on, so whatever it says or does then is NotSent.
//  6. An answer counts when it came whole, within 1 MiB and the time-outs. What
//     HTTP's status alone proves is in [ByStatus]; the rest is the provider's to
//     tell.
//  7. Errors and titles hold no address, host name, credential or phone number.
//
// The tests of this package hold each of them, and mutants 03 and 06 to 08 of
// faults/mutants break some. Why the client is our own:
// docs/decisions/0004-connections-of-our-own.md; its cost: docs/benchmarks.md.
package wire
