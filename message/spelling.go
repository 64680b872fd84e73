package message

import "strings"

// Canonical folds the spellings of one WhatsApp account into one key, so that a
// person who stands in an audience twice is found: Brazil's ninth digit,
// Mexico's 521 and Argentina's 549 (help pages of several providers, read
// 2026-07; Meta says that it may alter such prefixes), and the 01 that every
// number of Benin got in front of its eight digits (ARCEP Bénin, 2024-11-30).
// Countries whose old numbers cannot be told from new ones, or are no numbers
// any more as Ivory Coast's of before 2021, have one spelling. The key is not
// always a number to send to. Anything but such a number stays as it is.
func Canonical(e164 string) string {
	switch {
	case strings.HasPrefix(e164, "+55") && len(e164) == len("+55AA9NNNNNNNN") && e164[5] == '9' && e164[6] >= '6':
		// Mobile numbers of eight digits began with 6 to 9, and got a 9 before.
		// One that goes on with less was never shorter.
		return e164[:5] + e164[6:]
	case strings.HasPrefix(e164, "+521") && len(e164) == len("+521NNNNNNNNNN"):
		return "+52" + e164[4:]
	case strings.HasPrefix(e164, "+549") && len(e164) == len("+549NNNNNNNNNN"):
		return "+54" + e164[4:]
	case strings.HasPrefix(e164, "+22901") && len(e164) == len("+22901NNNNNNNN"):
		return "+229" + e164[6:]
	}
	return e164
}

// OtherSpelling is the other E.164 number that has the same Canonical key, ""
// where there is none.
func OtherSpelling(e164 string) string {
	if key := Canonical(e164); key != e164 {
		return key
	}
	switch {
	case strings.HasPrefix(e164, "+55") && len(e164) == len("+55AANNNNNNNN") && e164[5] >= '6':
		return e164[:5] + "9" + e164[5:]
	case strings.HasPrefix(e164, "+52") && len(e164) == len("+52NNNNNNNNNN"):
		return "+521" + e164[3:]
	case strings.HasPrefix(e164, "+54") && len(e164) == len("+54NNNNNNNNNN"):
		return "+549" + e164[3:]
	case strings.HasPrefix(e164, "+229") && len(e164) == len("+229NNNNNNNN"):
		return "+22901" + e164[4:]
	}
	return ""
}
