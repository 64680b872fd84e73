package message_test

import (
	"testing"

	"github.com/handbill/handbill/message"
)

func TestCountriesThatAreNotServed(t *testing.T) {
	for a, want := range map[message.Address]bool{
		{Phone: "+989121110000"}: true, {Phone: "+5352220000"}: true, {Phone: "+963930000000"}: true, {Phone: "+850191000000"}: true,
		{UserID: "IR.1200"}: true, {UserID: "CU.1200"}: true, {UserID: "SY.1200"}: true, {UserID: "KP.1200"}: true,
		{Phone: "+9720501110000"}: false, {Phone: "+5491100000000"}: false, {Phone: "+96170000000"}: false, {Phone: "+85290000000"}: false,
		{Phone: "+4915111110000", UserID: "IR.1200"}: false, {UserID: "DE.1200"}: false, {}: false,
	} {
		if got := message.Unserved(a); got != want {
			t.Errorf("%+v: %v, want %v", a, got, want)
		}
	}
}
