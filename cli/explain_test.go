package cli

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/message"
)

// TestExplainKnowsWhatProvidersAnswer checks that explain knows the codes that
// a report may show, in the providers' spellings.
func TestExplainKnowsWhatProvidersAnswer(t *testing.T) {
	for code, want := range map[string]message.Class{
		"130497": message.Refused, "131044": message.AccountFault, "131052": message.Refused, "131060": message.Refused,
		"131061": message.Refused, "131063": message.AccountFault, "134103": message.Refused, "137000": message.Refused,
		"138000": message.Refused, "138006": message.Refused, "138009": message.Refused, "(#131049)": message.Refused,
		"205": message.AccountFault, "299": message.AccountFault,
		"WA401": message.AccountFault, "WA-401": message.AccountFault, "E110": message.AccountFault, "wav2101": message.AccountFault,
		"302": message.AccountFault, "404": message.AccountFault, "422": message.AccountFault, "503": message.Unknown,
	} {
		found := false
		for _, c := range explainProviderCode(code) {
			found = found || strings.HasPrefix(c.Explanation, classWords[want])
		}
		if !found {
			t.Errorf("%s is not explained as %s", code, want)
		}
	}
	for _, whose := range []string{"1msg", "360dialog", "HTTP"} {
		named := false
		for _, c := range explainProviderCode("400") {
			named = named || strings.HasPrefix(c.Whose, whose)
		}
		if !named {
			t.Errorf("400 of %s is not explained", whose)
		}
	}
	for _, code := range []string{"", "12", "300000", "WA999"} {
		if got := explainProviderCode(code); len(got) > 0 {
			t.Errorf("%q is explained: %+v", code, got)
		}
	}
}
