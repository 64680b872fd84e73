package cli

import (
	"sort"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// allCodes returns all codes of diagnostics, sorted.
func allCodes() []lang.CodeInfo {
	codes := append(lang.Codes(), plan.Codes()...)
	for _, c := range state.Codes() {
		codes = append(codes, lang.CodeInfo(c))
	}
	sort.SliceStable(codes, func(i, j int) bool { return codes[i].Code < codes[j].Code })
	return codes
}
