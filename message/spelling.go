package message

import "strings"

// Canonical maps the spellings of one WhatsApp account to one key, so that a person
// who appears twice in an audience is found: Brazil's ninth digit, Mexico's 521 and
// Argentina's 549 (help pages of several providers, read 2026-07; Meta says that it
// may alter such prefixes), and the 01 that every number of Benin got in front of
// its eight digits (ARCEP Bénin, 2024-11-30). A country has only one spelling if
// its old numbers cannot be told from new ones, or no longer work, as those of
// Ivory Coast from before 2021. The key is not always a number that can be sent to.
// Any other number stays as it is.
func Canonical(e164 string) string {
	switch {
	case strings.HasPrefix(e164, "+55") && len(e164) == len("+55AA9NNNNNNNN") && e164[5] == '9' && e164[6] >= '6':
		// Mobile numbers used to have eight digits, the first from 6 to 9, and then
		// got a 9 in front. A number that continues with a smaller digit was never
		// shorter.
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

// OtherSpelling returns the other E.164 number with the same Canonical key; "" if
// there is none.
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
