package message

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
	"strings"
)

// refEncoding has neither padding nor characters that a provider might escape.
var refEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewRef makes the reference of one attempt of one delivery. Providers with a field
// for it echo it in their events. It consists of "hb1.", a tag of the state's
// lineage, a keyed hash of the delivery and attempt, and a keyed check. It has 46
// characters, contains nothing about a person, and is the same for the same
// arguments. Bound: Kaleyra's ref takes 255 characters, Meta's
// biz_opaque_callback_data 512.
func NewRef(lineage, campaign, recipient string, revision, attempt int) string {
	return NewReferences(lineage).Of(campaign, recipient, revision, attempt)
}

// References makes many references of one lineage, the same as NewRef does, at a
// third of the cost. It is not safe for concurrent use.
type References struct {
	head string
	mac  hash.Hash // keyed with the lineage
	buf  []byte
}

// NewReferences returns a References for a lineage.
func NewReferences(lineage string) *References {
	return &References{head: refHead(lineage), mac: hmac.New(sha256.New, []byte(lineage))}
}

// Of returns the reference of one attempt of one delivery.
func (r *References) Of(campaign, recipient string, revision, attempt int) string {
	b := r.buf[:0]
	for _, s := range [...]string{campaign, recipient} {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
	}
	for _, i := range [...]int{revision, attempt} {
		b = binary.BigEndian.AppendUint64(b, uint64(i))
	}
	b = r.sum(b)
	ref := refEncoding.AppendEncode([]byte(r.head), b[len(b)-sha256.Size:][:15])
	r.buf = append(append(b[:0], refCheckOf...), ref...)
	b = r.sum(r.buf)
	ref = refEncoding.AppendEncode(append(ref, '.'), b[len(b)-sha256.Size:][:5])
	r.buf = b
	return string(ref)
}

// sum appends a keyed hash of b to b.
func (r *References) sum(b []byte) []byte {
	r.mac.Reset()
	r.mac.Write(b)
	return r.mac.Sum(b)
}

// OurRef reports whether ref was made by NewRef for this lineage. If it was and the
// state does not know it, the state is older than what was really sent.
func OurRef(lineage, ref string) bool {
	i := strings.LastIndexByte(ref, '.')
	if i < 0 || !strings.HasPrefix(ref, refHead(lineage)) {
		return false
	}
	return hmac.Equal([]byte(refCheck(lineage, ref[:i])), []byte(ref[i+1:]))
}

func refHead(lineage string) string {
	sum := sha256.Sum256([]byte("ref tag " + lineage))
	return "hb1." + refEncoding.EncodeToString(sum[:5]) + "."
}

// refCheckOf is the prefix of the input from which a reference's check is computed.
const refCheckOf = "ref check "

func refCheck(lineage, head string) string {
	mac := hmac.New(sha256.New, []byte(lineage))
	mac.Write([]byte(refCheckOf + head))
	return refEncoding.EncodeToString(mac.Sum(nil)[:5])
}
