package message

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// refEncoding has neither padding nor characters that a provider might escape.
var refEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewRef makes the reference of one attempt of one delivery, which providers
// with a place for it echo in their events: "hb1.", a tag of the state's
// lineage, a keyed hash of the delivery and attempt, and a keyed check. It has
// 46 characters, holds nothing about a person, and is the same for the same
// arguments. Bound: Kaleyra's ref takes 255 characters, Meta's
// biz_opaque_callback_data 512.
func NewRef(lineage, campaign, recipient string, revision, attempt int) string {
	mac := hmac.New(sha256.New, []byte(lineage))
	var n [8]byte
	for _, s := range [...]string{campaign, recipient} {
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		mac.Write(n[:])
		mac.Write([]byte(s))
	}
	for _, i := range [...]int{revision, attempt} {
		binary.BigEndian.PutUint64(n[:], uint64(i))
		mac.Write(n[:])
	}
	head := refHead(lineage) + refEncoding.EncodeToString(mac.Sum(nil)[:15])
	return head + "." + refCheck(lineage, head)
}

// OurRef reports whether ref was made by NewRef for this lineage. A reference
// that is ours and that the state does not know means that the state is older
// than reality.
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

func refCheck(lineage, head string) string {
	mac := hmac.New(sha256.New, []byte(lineage))
	mac.Write([]byte("ref check " + head))
	return refEncoding.EncodeToString(mac.Sum(nil)[:5])
}
