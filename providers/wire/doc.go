// Package wire is the HTTP client that every provider sends with. "Send once" rests
// on the guarantees of this package:
//
//  1. One call makes at most one request. No redirect is followed and nothing
//     is repeated, not even on a connection that turns out to be dead. No header
//     invites a proxy or gateway to repeat it either.
//  2. "Not sent" is proved, never guessed. [Client.Post] says NotSent only where
//     there was no connection to write on. Once there is one, any failure is
//     Unknown: a byte may have left.
//  3. A request never uses a connection that the other side closed while it was
//     idle, or that still holds data of an earlier request. Either would leave a
//     message in doubt for no reason.
//  4. A connection carries one exchange at a time (HTTP/1.1). With HTTP/2 one reset
//     would leave everything in flight in doubt instead of one message.
//  5. Nothing is read from the environment, and only idle connections are kept
//     between requests: there are no cookies, and no proxy except that of the
//     options. The proxy's tunnel is set up before there is a connection to the
//     provider, so any failure of the proxy is NotSent.
//  6. An answer counts only if it came whole, within 1 MiB and the time-outs. What
//     the HTTP status alone proves is in [ByStatus]; the provider's package
//     interprets the rest.
//  7. Errors and titles hold no address, host name, credential or phone number.
//
// The tests of this package check each guarantee, and the mutants 03 and 06 to 08
// in faults/mutants break some on purpose. docs/decisions/0004-connections-of-our-own.md
// says why handbill has its own client; docs/benchmarks.md measures its cost.
package wire
