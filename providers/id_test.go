package providers_test

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/providers"
)

// An id of up to 512 bytes is kept as it is. A longer one, which no provider
// would make, is replaced by its digest, and different ids stay different.
func TestIDsAreBounded(t *testing.T) {
	usual, longest := "wamid."+strings.Repeat("Q", 54), strings.Repeat("Q", 512)
	if providers.ID(usual) != usual || providers.ID(longest) != longest {
		t.Error("an id of up to 512 bytes is not kept as it is")
	}
	one, other := providers.ID(longest+"1"), providers.ID(longest+"2")
	if len(one) > 80 || one == other || one != providers.ID(longest+"1") {
		t.Errorf("ids of 513 bytes are kept as %q and %q", one, other)
	}
}
