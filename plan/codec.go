package plan

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
)

// An entry is encoded as a length, a head (action, place, window, …) and a core,
// the part that the plan's digest covers. A recipient with a number, a digest, a
// window and two short values takes about 70 bytes:
//
//	uvarint  bytes of head and core
//	byte     action          byte  flags of the head
//	uvarint  attempt         uvarint  line in the source
//	uvarint  element, string file, varint window's end, varint due (Unix seconds), string reason: each by its flag
//	core     see appendCore
//
// A string is its length as a uvarint, and its bytes. A reader trusts nothing:
// whatever does not decode to the last byte is damage.

// maxEntry bounds one encoded entry when it is read, in bytes: more than the texts
// of any message that WhatsApp accepts.
const maxEntry = 1 << 20

// The flags of an entry's head.
const (
	hasFile = 1 << iota
	hasWindow
	hasReason
	hasElement
	hasDue
)

// The flags of an entry's core.
const (
	hasPhone = 1 << iota
	hasText  // a phone number that is no plain E.164
	hasUser
	hasDigest
	hasAttributes
	hasKept
)

// appendEntry appends e. core is what appendCore returned for it.
func appendEntry(dst []byte, e *Entry, source string, core []byte) []byte {
	var buf [96]byte
	head := appendHead(buf[:0], e, source)
	dst = binary.AppendUvarint(dst, uint64(len(head)+len(core)))
	dst = append(dst, head...)
	return append(dst, core...)
}

// appendHead writes which parts of an entry follow, and the action.
func appendHead(dst []byte, e *Entry, source string) []byte {
	var flags byte
	if e.Recipient.Place.File != source {
		flags |= hasFile
	}
	if !e.WindowUntil.IsZero() {
		flags |= hasWindow
	}
	if e.Reason != delivery.ReasonNone {
		flags |= hasReason
	}
	if e.Recipient.Place.Element > 0 {
		flags |= hasElement
	}
	if !e.Due.IsZero() {
		flags |= hasDue
	}
	dst = append(dst, byte(e.Action), flags)
	dst = binary.AppendUvarint(dst, uint64(e.Attempt))
	dst = binary.AppendUvarint(dst, uint64(max(e.Recipient.Place.Line, 0)))
	if flags&hasElement != 0 {
		dst = binary.AppendUvarint(dst, uint64(e.Recipient.Place.Element))
	}
	if flags&hasFile != 0 {
		dst = appendString(dst, e.Recipient.Place.File)
	}
	if flags&hasWindow != 0 {
		dst = binary.AppendVarint(dst, e.WindowUntil.Unix())
	}
	if flags&hasDue != 0 {
		dst = binary.AppendVarint(dst, e.Due.Unix())
	}
	if flags&hasReason != 0 {
		dst = appendString(dst, string(e.Reason))
	}
	return dst
}

// appendCore writes who gets the entry, and what.
func appendCore(dst []byte, e *Entry) []byte {
	phone, _ := phoneKey(e.Recipient.Phone)
	return appendCoreOf(dst, e, phone)
}

// appendCoreOf is appendCore for a recipient whose number has the id phone; 0 for
// none, or for one that is not plain E.164.
func appendCoreOf(dst []byte, e *Entry, phone uint64) []byte {
	var flags byte
	switch {
	case phone != 0:
		flags |= hasPhone
	case e.Recipient.Phone != "":
		flags |= hasText
	}
	if e.Recipient.UserID != "" {
		flags |= hasUser
	}
	if e.Digest != ([16]byte{}) {
		flags |= hasDigest
	}
	if len(e.Recipient.Attributes) > 0 {
		flags |= hasAttributes
	}
	if len(e.Kept) > 0 {
		flags |= hasKept
	}
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(e.Campaign))
	dst = binary.AppendUvarint(dst, uint64(e.Draft+1))
	if flags&hasPhone != 0 {
		dst = binary.AppendUvarint(dst, phone)
	}
	if flags&hasText != 0 {
		dst = appendString(dst, e.Recipient.Phone)
	}
	if flags&hasUser != 0 {
		dst = appendString(dst, e.Recipient.UserID)
	}
	if flags&hasDigest != 0 {
		dst = append(dst, e.Digest[:]...)
	}
	if flags&hasAttributes != 0 {
		dst = appendValues(dst, e.Recipient.Attributes)
	}
	if flags&hasKept != 0 {
		dst = appendValues(dst, e.Kept)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Values)))
	for _, v := range e.Values {
		dst = appendString(dst, v)
	}
	return dst
}

// appendValues writes each value with its kind, so that null and an empty text stay
// apart.
func appendValues(dst []byte, values []message.Value) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	for _, v := range values {
		dst = append(dst, byte(v.Kind))
		dst = appendString(dst, v.Text)
	}
	return dst
}

// appendString appends a text with its length.
func appendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// appendDecided appends the part of e that the plan's digest covers. It leaves out
// the entry's place and times, and keeps only the reason for recipients about whom
// apply does nothing. An entry that waits for its hour counts like one that does not.
func appendDecided(dst []byte, e *Entry, c *Campaign, core []byte) []byte {
	action := e.Action
	if action == Defer {
		action = Send
		if _, fallback, _ := c.MessageOf(e.Draft); fallback {
			action = Fallback
		}
	}
	dst = append(dst, byte(action))
	if !action.acts() {
		return appendString(dst, string(e.Reason))
	}
	dst = binary.AppendUvarint(dst, uint64(e.Attempt))
	return append(dst, core...)
}

var errEntry = errors.New("an entry is cut short or garbled")

// decoder reads the parts of one entry.
type decoder struct {
	b   []byte
	bad bool
	// skim reads an entry without its texts: each that is not empty is "…", and
	// the values are valid until the next entry.
	skim    bool
	skimmed []string
}

// skimmedText stands for the texts of an entry that is only skimmed. Making the
// texts would cost more than everything else.
const skimmedText = "…"

// byte reads one byte. After the end it sets bad and returns zero, as all reads
// do.
func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

// uvarint reads a number of 1 to 10 bytes.
func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad = true
		d.b = nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

// varint reads a number with a sign; 0 after an error.
func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad = true
		d.b = nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

// bytes returns the next n bytes of the spool, which are not copied; nil after an error.
func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.bad = true
		d.b = nil
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

// number reads a count or an index, bounded so that it fits an int on every
// machine.
func (d *decoder) number() int {
	v := d.uvarint()
	if v > 1<<31-1 {
		d.bad = true
		return 0
	}
	return int(v)
}

// count reads the number of items that follow, each of at least one byte.
func (d *decoder) count() int {
	n := d.number()
	if n > len(d.b) {
		d.bad = true
		return 0
	}
	return n
}

// string reads a text. Who only skims the plan gets the same one for all.
func (d *decoder) string() string {
	b := d.bytes(d.uvarint())
	if d.skim && len(b) > 0 {
		return skimmedText
	}
	return string(b)
}

// reason reads a reason; an unknown word makes the entry invalid.
func (d *decoder) reason() delivery.Reason {
	r, ok := delivery.ParseReason(d.bytes(d.uvarint()))
	d.bad = d.bad || !ok
	return r
}

// entry decodes one entry. core is where its core begins.
func (d *decoder) entry(campaigns []Campaign, e *Entry) (core []byte, err error) {
	*e = Entry{Action: Action(d.byte())}
	flags := d.byte()
	e.Attempt = d.number()
	e.Recipient.Place.Line = d.number()
	if flags&hasElement != 0 {
		e.Recipient.Place.Element = d.number()
	}
	file := ""
	if flags&hasFile != 0 {
		file = d.string()
	}
	if flags&hasWindow != 0 {
		e.WindowUntil = time.Unix(d.varint(), 0).UTC()
	}
	if flags&hasDue != 0 {
		e.Due = time.Unix(d.varint(), 0).UTC()
	}
	if flags&hasReason != 0 {
		e.Reason = d.reason()
	}
	core = d.b
	d.core(e)
	if d.bad || len(d.b) > 0 || e.Action > HeldOut || e.Campaign >= len(campaigns) {
		return nil, errEntry
	}
	e.Recipient.Place.File = file
	if flags&hasFile == 0 {
		e.Recipient.Place.File = campaigns[e.Campaign].Source
	}
	return core, nil
}

// core is the inverse of appendCore.
func (d *decoder) core(e *Entry) {
	flags := d.byte()
	e.Campaign = d.number()
	e.Draft = d.number() - 1
	if flags&hasPhone != 0 {
		e.Recipient.Phone = d.phone()
	}
	if flags&hasText != 0 {
		e.Recipient.Phone = d.string()
	}
	if flags&hasUser != 0 {
		e.Recipient.UserID = d.string()
	}
	if flags&hasDigest != 0 {
		copy(e.Digest[:], d.bytes(16))
	}
	if flags&hasAttributes != 0 {
		e.Recipient.Attributes = d.typed()
	}
	if flags&hasKept != 0 {
		e.Kept = d.typed()
	}
	if n := d.count(); n > 0 {
		e.Values = d.values(n)
	}
}

// typed is the inverse of appendValues.
func (d *decoder) typed() []message.Value {
	out := make([]message.Value, d.count())
	for i := range out {
		out[i] = message.Value{Kind: message.ValueKind(d.byte()), Text: d.string()}
	}
	return out
}

// phone reads a phone number, which is kept as its digits.
func (d *decoder) phone() string {
	phone := d.uvarint()
	if d.skim {
		return skimmedText
	}
	var buf [24]byte
	return string(strconv.AppendUint(append(buf[:0], '+'), phone, 10))
}

// values reads the end of an entry: values that share one string.
func (d *decoder) values(n int) []string {
	if d.skim {
		d.skimmed = slices.Grow(d.skimmed[:0], n)[:n]
		for i := range d.skimmed {
			d.skimmed[i] = d.string()
		}
		return d.skimmed
	}
	list, text := make([]string, n), string(d.b)
	for i := range list {
		size := uint64(len(d.bytes(d.uvarint())))
		end := len(text) - len(d.b)
		list[i] = text[end-int(size) : end]
	}
	return list
}
