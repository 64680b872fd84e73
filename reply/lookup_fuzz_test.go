package reply

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// FuzzLookupAnswer checks that any answer of a service can be used as a value
// in the language, and that its size when written out is at most proportional
// to the answer's size.
func FuzzLookupAnswer(f *testing.F) {
	for _, s := range []string{`{"status":"in stock","left":3}`, `"yes"`, "19.90", "1e100000000", "true", "null", "[]", "{} {}", "<html>", strings.Repeat("[", 2000), `{"a":1,"a":"\ud800"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v := eval.ToCty(jsonValue(data))
		back, err := eval.FromCty(v)
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if len(back.Text) > 4096+16*len(data) {
			t.Errorf("%q becomes %d bytes", data, len(back.Text))
		}
		if back.Kind == message.Null && len(back.Text) > 0 {
			t.Errorf("a null with the text %q", back.Text)
		}
	})
}
