package providertest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// behaviour is what a server does with one message, and the class that its answer
// must have by the table of attempts in docs/delivery.md.
type behaviour struct {
	name  string
	read  extent // how much of the request the server reads before it answers
	say   func(c Case, at place) string
	end   ending
	class message.Class
	// except are the providers whose documentation gives the answer another class.
	except map[string]message.Class
	id     string        // of an accepted message, where it isn't the message's own
	wait   time.Duration // that the provider asks for
	tls    *secured      // set for the trials over TLS
	again  bool          // the connection carries the next message too, since nothing is left on it
	idle   func(p *peer) // what it does before the next message comes
}

// want is the class for one provider.
func (b behaviour) want(provider string) message.Class {
	if class, ok := b.except[provider]; ok {
		return class
	}
	return b.class
}

// extent is how much of a request a server reads. With nothing, it only waits for
// the first byte: before that the client may still be connecting.
type extent uint8

const (
	whole extent = iota
	head
	nothing
)

// ending is what a server does when it has said everything.
type ending uint8

const (
	keep  ending = iota // it serves the next request
	fin                 // it sends no more, and reads what still comes
	drop                // it closes
	reset               // it resets the connection
	hold                // it is silent until the client gives up
)

// place is the server's address and the number of the message that meets a
// behaviour.
type place struct {
	self, another string
	number        int
}

// newRecord splits text in one TCP segment into two TLS records.
const newRecord = "\x00|\x00"

// text returns an answer that is the same for every provider.
func text(s string) func(Case, place) string {
	return func(Case, place) string { return s }
}

// reply returns a plain, whole answer; status is like "502 Bad Gateway".
func reply(status, body string, header ...string) string {
	lines := append([]string{"HTTP/1.1 " + status}, header...)
	return strings.Join(lines, "\r\n") + fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// accepts is the body that accepts the n-th message.
func accepts(c Case, n int) string {
	return strings.ReplaceAll(c.Success.Text, c.ID, identity(c, n))
}

func line(b Body) string { return fmt.Sprintf("%d %s", b.Status, http.StatusText(b.Status)) }

// success is the answer that accepts the n-th message.
func success(c Case, n int, header ...string) string {
	return reply(line(c.Success), accepts(c, n), header...)
}

// taken returns an answer that accepts the message, between the texts before and
// after.
func taken(before, after string, header ...string) func(Case, place) string {
	return func(c Case, at place) string { return before + success(c, at.number, header...) + after }
}

// headed returns the provider's success with another head, and with its body
// altered by change.
func headed(head string, change func(body string) string) func(Case, place) string {
	return func(c Case, at place) string {
		body := accepts(c, at.number)
		if change != nil {
			body = change(body)
		}
		return strings.NewReplacer("{status}", line(c.Success), "{n}", fmt.Sprint(len(body)),
			"{n+10}", fmt.Sprint(len(body)+10), "{n-5}", fmt.Sprint(len(body)-5)).Replace(head) + body
	}
}

// named returns a whole success with id, a JSON value, in place of the message's id.
func named(id string) func(Case, place) string {
	return func(c Case, _ place) string {
		return reply(line(c.Success), strings.ReplaceAll(c.Success.Text, `"`+c.ID+`"`, id))
	}
}

// filled returns a success whose body has size bytes.
func filled(size int) func(Case, place) string {
	return func(c Case, at place) string {
		body := accepts(c, at.number)
		return reply(line(c.Success), body+strings.Repeat(" ", size-len(body)))
	}
}

func successOf(body string) func(Case, place) string {
	return func(c Case, _ place) string { return reply(line(c.Success), body) }
}

func chunk(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s)) // into memory
	_ = z.Close()
	return b.String()
}

// behaviours are all that the suite knows.
func behaviours() []behaviour {
	out := append(breaks(), lengths()...)
	out = append(out, heads()...)
	out = append(out, bodies()...)
	out = append(out, surpluses()...)
	out = append(out, meanwhiles()...)
	out = append(out, redirects()...)
	return append(out, statuses()...)
}

// breaks end the exchange before there is a whole answer.
func breaks() []behaviour {
	const status, headers = "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Type: applic"
	half := func(c Case, at place) string { s := success(c, at.number); return s[:len(s)-len(c.Success.Text)/2] }
	return []behaviour{
		{name: "reset before reading", read: nothing, end: reset},
		{name: "reset after the head", read: head, end: reset},
		{name: "reset after reading", end: reset},
		{name: "closed before reading", read: nothing, end: fin},
		{name: "closed after the head", read: head, end: fin},
		{name: "closed after reading", end: fin},
		{name: "silence before reading", read: nothing, end: hold},
		{name: "silence after reading", end: hold},
		{name: "half a status line", say: text(status), end: fin},
		{name: "half a status line and silence", say: text(status), end: hold},
		{name: "half a head", say: text(headers), end: fin},
		{name: "half a head and reset", say: text(headers), end: reset},
		{name: "half a head and silence", say: text(headers), end: hold},
		{name: "half a body", say: half, end: fin},
		{name: "half a body and silence", say: half, end: hold},
		{name: "half a refusal", end: fin, say: func(c Case, _ place) string {
			s := reply(line(c.Refusal), c.Refusal.Text)
			return s[:len(s)-5]
		}},
		{name: "silence after the head", read: head, end: hold},
		{name: "half a status line and reset", say: text(status), end: reset},
		{name: "half a body and reset", say: half, end: reset},
		{name: "half of a wait", say: text("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 9\r\n\r\nslow"), end: fin},
		{name: "half a redirect", say: text("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 9\r\n\r\n<"), end: fin},
		{name: "half a body of no length", end: fin,
			say: headed("HTTP/1.1 {status}\r\n\r\n", func(s string) string { return s[:len(s)/2] })},
	}
}

// lengths are about where a body ends.
func lengths() []behaviour {
	const sized, chunked = "HTTP/1.1 {status}\r\nContent-Length: ", "HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n"
	whole := func(s string) string { return chunk(s[:7]) + chunk(s[7:]) + "0\r\n\r\n" }
	return []behaviour{
		{name: "length too long", say: headed(sized+"{n+10}\r\n\r\n", nil), end: fin},
		{name: "length too long and silence", say: headed(sized+"{n+10}\r\n\r\n", nil), end: hold},
		{name: "length too short for the answer", say: headed(sized+"{n-5}\r\n\r\n", nil)},
		{name: "two lengths", say: headed(sized+"{n}\r\nContent-Length: {n+10}\r\n\r\n", nil)},
		{name: "one length twice", say: headed(sized+"{n}\r\nContent-Length: {n}\r\n\r\n", nil), class: message.Accepted, again: true},
		{name: "length of nothing before a body", say: headed(sized+"0\r\n\r\n", nil)},
		{name: "negative length", say: headed(sized+"-1\r\n\r\n", nil)},
		{name: "length beyond any number", say: headed(sized+"99999999999999999999\r\n\r\n", nil)},
		{name: "length of a library", say: headed(sized+"4611686018427387904\r\n\r\n", nil), end: fin},
		{name: "length that is no number", say: headed(sized+"0x{n}\r\n\r\n", nil)},
		{name: "in chunks", say: headed(chunked, whole), class: message.Accepted, again: true},
		{name: "in chunks and with a length", class: message.Accepted, again: true,
			say: headed("HTTP/1.1 {status}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", whole)},
		{name: "chunk of no size", say: headed(chunked, func(s string) string { return "zz\r\n" + s + "\r\n0\r\n\r\n" })},
		{name: "chunk of a size beyond any number", say: headed(chunked, func(s string) string { return "fffffffffffffffff\r\n" + s + "\r\n0\r\n\r\n" })},
		{name: "chunk that runs over", say: headed(chunked, func(s string) string { return chunk(s)[:len(chunk(s))-2] + "0\r\n\r\n" })},
		{name: "no end after the last chunk", say: headed(chunked, func(s string) string { return chunk(s) + "0\r\n" }), end: fin},
		{name: "no last chunk", say: headed(chunked, chunk), end: fin},
		{name: "no last chunk and silence", say: headed(chunked, chunk), end: hold},
		{name: "coding that nobody knows", say: headed("HTTP/1.1 {status}\r\nTransfer-Encoding: brr\r\n\r\n", nil)},
		{name: "body until the end, in HTTP/1.0", say: headed("HTTP/1.0 {status}\r\n\r\n", nil), end: drop, class: message.Accepted},
	}
}

// heads are about what comes before the body.
func heads() []behaviour {
	const wait = "HTTP/1.1 100 Continue\r\n\r\n"
	const sized = "\r\nContent-Length: {n}\r\n\r\n"
	return []behaviour{
		{name: "100 before the answer", say: taken(wait, ""), class: message.Accepted, again: true},
		{name: "102 before the answer", say: taken("HTTP/1.1 102 Processing\r\n\r\n", ""), class: message.Accepted, again: true},
		{name: "103 before the answer", say: taken("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", ""), class: message.Accepted, again: true},
		{name: "several times wait", say: taken(wait+"HTTP/1.1 102 Processing\r\n\r\n"+wait, ""), class: message.Accepted, again: true},
		{name: "five times wait", say: taken(strings.Repeat(wait, 5), ""), class: message.Accepted, again: true},
		{name: "six times wait", say: taken(strings.Repeat(wait, 6), "")},
		{name: "wait and then nothing", say: text(wait), end: fin},
		{name: "wait and then silence", say: text(wait), end: hold},
		{name: "wait before the body is read", read: head, say: text(wait), end: fin},
		{name: "wait without an end", say: text(strings.Repeat(wait, 50))},
		{name: "101", say: taken("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "")},
		{name: "HTTP/0.9", say: headed("", nil), end: fin},
		{name: "HTTP/1.0", say: headed("HTTP/1.0 {status}"+sized, nil), class: message.Accepted},
		{name: "HTTP/1.0 that keeps the connection", say: headed("HTTP/1.0 {status}\r\nConnection: keep-alive"+sized, nil), class: message.Accepted, again: true},
		{name: "HTTP/7.3 that asks to wait", say: text("HTTP/7.3 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")},
		{name: "HTTP/2.0 in the status line", say: headed("HTTP/2.0 {status}"+sized, nil)},
		{name: "HTTP/7.3", say: headed("HTTP/7.3 {status}"+sized, nil)},
		{name: "HTTP/one", say: headed("HTTP/one {status}"+sized, nil)},
		{name: "another protocol", say: text("220 mail.example ESMTP\r\n\r\n"), end: fin},
		{name: "an alert of TLS", say: text("\x15\x03\x01\x00\x02\x02\x46"), end: fin},
		{name: "status 000", say: text(reply("000 Nothing", ""))},
		{name: "status 1000", say: text(reply("1000 Much", ""))},
		{name: "status 000 before an answer", say: taken("HTTP/1.1 000 \r\n\r\n", "")},
		{name: "status 099 before an answer", say: taken("HTTP/1.1 099 \r\n\r\n", "")},
		{name: "status 999", say: headed("HTTP/1.1 999 Odd"+sized, nil), again: true},
		{name: "status of two digits", say: headed("HTTP/1.1 20 OK"+sized, nil)},
		{name: "negative status", say: headed("HTTP/1.1 -20 OK"+sized, nil)},
		{name: "status in words", say: headed("HTTP/1.1 OK"+sized, nil)},
		{name: "header beyond any size", say: taken("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 300<<10)+"\r\n\r\n", "")},
		{name: "headers beyond any number", say: headed("HTTP/1.1 {status}\r\n"+strings.Repeat("X: y\r\n", 50<<10)+sized[2:], nil)},
		{name: "header without a name", say: headed("HTTP/1.1 {status}\r\n: x"+sized, nil)},
		{name: "header without a colon", say: headed("HTTP/1.1 {status}\r\nnonsense"+sized, nil)},
		{name: "header with odd bytes in its name", say: headed("HTTP/1.1 {status}\r\nX\x00\xff: x"+sized, nil)},
		{name: "header that asks to close", say: taken("", "", "Connection: close"), class: message.Accepted},
		{name: "answer before the request is read", read: nothing, say: taken("", ""), class: message.Accepted, again: true},
		{name: "answer before the request is read, then closed", read: nothing, say: taken("", "", "Connection: close"), end: fin, class: message.Accepted},
	}
}

// bodies are whole successes that say too little, or too much.
func bodies() []behaviour {
	long := strings.Repeat("x", 100_000)
	cut := func(c Case, at place) string {
		return reply(line(c.Success), accepts(c, at.number)[:len(c.Success.Text)/2])
	}
	bomb := zipped(strings.Repeat(" ", 64<<20))
	out := []behaviour{
		{name: "204", say: text("HTTP/1.1 204 No Content\r\n\r\n")},
		{name: "success without a body", say: successOf("")},
		{name: "success in HTML", say: successOf("<html>OK</html>")},
		{name: "success of an empty object", say: successOf("{}")},
		{name: "success of null", say: successOf("null")},
		{name: "success of an array", say: successOf("[]")},
		{name: "success cut off in the middle", say: cut},
		{name: "success with an empty id", say: named(`""`)},
		{name: "success with the id null", say: named("null")},
		{name: "success with a number as id", say: named("17")},
		{name: "success with an object as id", say: named(`{"id":"x"}`)},
		{name: "success with an id that is long", say: named(`"` + long + `"`), class: message.Accepted, id: providers.ID(long)},
		{name: "success of 1 MiB", say: filled(wire.MaxReply), class: message.Accepted},
		{name: "success without its last byte", say: headed("HTTP/1.1 {status}\r\nContent-Length: {n}\r\n\r\n", func(s string) string { return s[:len(s)-1] })},
		{name: "success twice in one", say: headed("HTTP/1.1 {status}\r\nContent-Length: {n}\r\n\r\n", func(s string) string { return s + s })},
		{name: "success that says it is packed", class: message.Accepted, say: headed("HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\nContent-Length: {n}\r\n\r\n", nil)},
		{name: "success packed unasked", say: headed("HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\nContent-Length: {n}\r\n\r\n", zipped)},
		{name: "success packed too well", say: headed("HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\nContent-Length: {n}\r\n\r\n",
			func(string) string { return bomb })},
	}
	return append(clean(out), behaviour{name: "success of 1 MiB and a byte", say: filled(wire.MaxReply + 1)})
}

// clean are answers after which nothing is left on the connection.
func clean(list []behaviour) []behaviour {
	for i := range list {
		list[i].again = true
	}
	return list
}

// surpluses are whole answers with extra bytes behind them, which the next message
// must not take for its answer.
func surpluses() []behaviour {
	stray := func(before, between string) func(Case, place) string {
		return func(c Case, at place) string { return before + success(c, at.number) + between + success(c, 9) }
	}
	const timeout = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	return []behaviour{
		{name: "bytes after the body", say: taken("", "}\r\n"), class: message.Accepted},
		{name: "an answer that nobody asked for", say: stray("", ""), class: message.Accepted},
		{name: "an answer that nobody asked for, in a record of its own", say: stray("", newRecord), class: message.Accepted},
		{name: "part of an answer that nobody asked for, in a record of its own", say: taken("", newRecord+"HTTP/1.1 2"), class: message.Accepted},
		{name: "a wait, and the answer after all", class: message.Throttled,
			say: func(c Case, at place) string { return reply("429 Too Many Requests", "") + newRecord + success(c, 9) }},
		{name: "a long answer, and one that nobody asked for", class: message.Accepted, say: func(c Case, at place) string {
			return filled(40<<10)(c, at) + newRecord + success(c, 9)
		}},
		{name: "a time-out behind the answer", say: taken("", timeout), class: message.Accepted},
		{name: "204 with a body", say: func(c Case, at place) string { return "HTTP/1.1 204 No Content\r\n\r\n" + success(c, 9) }},
		{name: "304 with a body", class: message.AccountFault,
			say: func(c Case, at place) string { return "HTTP/1.1 304 Not Modified\r\n\r\n" + success(c, 9) }},
	}
}

// meanwhiles are what happens to an idle connection after a whole answer. The
// client must notice it and send the next message on another connection.
func meanwhiles() []behaviour {
	const timeout = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	out := []behaviour{
		{name: "closed while idle", idle: func(p *peer) { p.end() }},
		{name: "reset while idle", idle: func(p *peer) { p.reset() }},
		{name: "a time-out while idle", idle: func(p *peer) { p.say(timeout); p.end() }},
		{name: "bytes while idle", idle: func(p *peer) { p.say("\r\n") }},
		{name: "an answer that nobody asked for while idle", idle: func(p *peer) { p.say(p.stray) }},
	}
	for i := range out {
		out[i].say, out[i].class = taken("", ""), message.Accepted
	}
	return out
}

// redirects lead to the same and to another host.
func redirects() []behaviour {
	var out []behaviour
	for _, status := range []int{301, 302, 303, 307, 308} {
		to := func(another bool) func(Case, place) string {
			return func(_ Case, at place) string {
				where := at.self
				if another {
					where = at.another
				}
				return reply(line(Body{Status: status}), "", "Location: "+where+"/messages")
			}
		}
		out = append(out,
			behaviour{name: fmt.Sprintf("%d to itself", status), say: to(false), class: message.AccountFault},
			behaviour{name: fmt.Sprintf("%d to another host", status), say: to(true), class: message.AccountFault})
	}
	out = append(out, behaviour{name: "304", say: text("HTTP/1.1 304 Not Modified\r\n\r\n"), class: message.AccountFault})
	return clean(append(out, behaviour{name: "307 to nowhere", say: text(reply("307 Temporary Redirect", "")), class: message.AccountFault}))
}

// statuses are whole answers that say nothing except their status.
func statuses() []behaviour {
	const date = "Date: Mon, 04 May 2026 12:00:00 GMT"
	// A gateway's page proves nothing, even if its words look like a known error.
	const page = "<html>The industrial template does not exist (131047); trial, rate limit</html>"
	const later = "Retry-After: Mon, 04 May 2026 12:01:00 GMT"
	slow := func(wait time.Duration, name string, header ...string) behaviour {
		return behaviour{name: "429 " + name, say: text(reply("429 Too Many Requests", "slow down", header...)), class: message.Throttled, wait: wait}
	}
	out := []behaviour{
		slow(0, "without a wait"), slow(30*time.Second, "with seconds", "Retry-After: 30"), slow(time.Minute, "with a date", date, later),
		slow(time.Hour, "with an absurd wait", "Retry-After: 999999999"), slow(0, "with a wait in words", "Retry-After: soon"),
		slow(time.Hour, "with a wait beyond any number", "Retry-After: 99999999999999999999"), slow(0, "with a negative wait", "Retry-After: -30"),
		slow(0, "with a date and no clock", later), slow(0, "with a date that is past", "Date: Tue, 05 May 2026 12:00:00 GMT", later),
		{name: "400 with a text as JSON", say: text(reply("400 Bad Request", `{"error":"nonsense"}`)),
			// Both refuse messages with this status: docs.360dialog.com, API reference; 1msg's OpenAPI, response 400.
			except: map[string]message.Class{"dialog360": message.Refused, "onemsg": message.Refused}},
		{name: "500 in JSON", say: text(reply("500 Internal Server Error", `{"error":"nonsense"}`, "Content-Type: application/json"))},
		{name: "503 with a wait", say: text(reply("503 Service Unavailable", "", "Retry-After: 1"))},
	}
	for _, row := range []struct {
		class message.Class
		list  []int
	}{
		{message.Unknown, []int{400, 402, 406, 408, 409, 411, 412, 413, 417, 421, 425, 431, 500, 501, 502, 503, 504, 507, 520, 599}},
		{message.AccountFault, []int{300, 401, 403, 404, 405, 410, 415, 422}},
	} {
		for _, status := range row.list {
			out = append(out, behaviour{name: fmt.Sprint(status), class: row.class,
				say: text(reply(line(Body{Status: status}), page, "Content-Type: text/html"))})
		}
	}
	return clean(out)
}
