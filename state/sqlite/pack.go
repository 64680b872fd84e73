package sqlite

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// refEncoding is that of message.NewRef.
var refEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// The parts of a reference that the lineage does not imply: the delivery and
// the check, 24 and 8 characters that stand for 15 and 5 bytes.
const refText, refBytes, refFirst = 24 + 1 + 8, 20, 15

// refHead is how the references of a lineage begin.
func refHead(lineage string) string {
	ref := message.NewRef(lineage, "", "", 0, 0)
	return ref[:len(ref)-refText]
}

// packRef shortens a reference that message.NewRef made for the lineage with
// this head to the 20 bytes that the lineage does not imply. Any other
// reference is kept as text, and "" as NULL.
func packRef(head, ref string) any {
	if ref == "" {
		return nil
	}
	text, ok := strings.CutPrefix(ref, head)
	if !ok || len(text) != refText {
		return ref
	}
	var raw [refText]byte
	copy(raw[:], text)
	b := make([]byte, refBytes)
	_, err1 := refEncoding.Decode(b[:refFirst], raw[:24])
	_, err2 := refEncoding.Decode(b[refFirst:], raw[25:])
	var back [refText]byte
	if err1 != nil || err2 != nil || string(joinRef(back[:0], b)) != text {
		return ref
	}
	return b
}

// joinRef appends the text that b was.
func joinRef(out, b []byte) []byte {
	return refEncoding.AppendEncode(append(refEncoding.AppendEncode(out, b[:refFirst]), '.'), b[refFirst:])
}

// unpackRef is the inverse of packRef.
func unpackRef(head string, st *sqlite.Stmt, col int) string {
	switch st.ColumnType(col) {
	case sqlite.TypeBlob:
		if b := columnBlob(st, col); len(b) == refBytes {
			return string(joinRef([]byte(head), b))
		}
	case sqlite.TypeText:
		return st.ColumnText(col)
	}
	return ""
}

// wamid is how Meta's message ids begin; base64 follows.
const wamid = "wamid."

// packID shortens Meta's message ids, which are "wamid." and base64, to the
// bytes that the base64 stands for. Any other id is kept as text, and "" as
// NULL.
func packID(id string) any {
	if id == "" {
		return nil
	}
	text, ok := strings.CutPrefix(id, wamid)
	if !ok {
		return id
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(b) != text || len(b) == 0 {
		return id
	}
	return b
}

// unpackID is the inverse of packID.
func unpackID(st *sqlite.Stmt, col int) string {
	switch st.ColumnType(col) {
	case sqlite.TypeBlob:
		return wamid + base64.StdEncoding.EncodeToString(columnBlob(st, col))
	case sqlite.TypeText:
		return st.ColumnText(col)
	}
	return ""
}

// hash48 is the 48 bits of an id's SHA-256 that it is found by; 0 for "". Two
// ids may share them, so whoever finds a row compares the id itself.
func hash48(id string) int64 {
	if id == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(id))
	return max(1, int64(binary.BigEndian.Uint64(sum[:8]))&sumMask)
}

// same reports whether two packed values are equal.
func same(a, b any) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && a == b
	case []byte:
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b)
	}
	return a == nil && b == nil
}

// proofs are the proofs by the numbers that rows keep; their order never
// changes.
var proofs = [...]state.Proof{"", state.ProofResponse, state.ProofEcho, state.ProofPoll, state.ProofOperator}

// proofNumber is the number of a proof; 0 for none.
func proofNumber(p state.Proof) int64 {
	for i, q := range proofs {
		if p == q {
			return int64(i)
		}
	}
	return 0
}

// proofOf is the inverse of proofNumber; a number of no proof is none.
func proofOf(n int64) state.Proof {
	if n < 0 || n >= int64(len(proofs)) {
		return ""
	}
	return proofs[n]
}
