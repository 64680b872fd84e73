package providers_test

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/providers"
)

func TestSafe(t *testing.T) {
	request := []byte(`{"to":"+4915112345678","type":"text","text":{"body":"Hello Ana Díaz"},"row":{"title":"Aloe vera"}}`)
	for _, test := range []struct{ text, want string }{
		{"Row title is too long. Max length is 24", "Row title is too long. Max length is 24"},
		{"Body text length invalid. Min length: 1, Max length: 1024", "Body text length invalid. Min length: 1, Max length: 1024"},
		{"bad number 4915112345678", "bad number …"},
		{"bad number +49 151 1234-5678", "bad number …"},
		{"cannot parse Hello Ana Díaz here", "cannot parse … here"},
		{"token s3cr3t-token refused", "token … refused"},
		{`value "Ana" is wrong`, "value … is wrong"},
		{"see https://shop.example/?u=ana or mail ana@shop.example", "see … or mail …"},
		{"two\nlines\x09here", "two lines here"},
		{strings.Repeat("ä ", 200), strings.Repeat("ä ", 79) + "ä…"},
	} {
		if got := providers.Safe(test.text, request, "s3cr3t-token"); got != test.want {
			t.Errorf("%q:\ngot  %q\nwant %q", test.text, got, test.want)
		}
	}
}
