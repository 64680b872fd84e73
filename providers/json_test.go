package providers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/handbill/handbill/providers"
)

// TestAppendString checks that a written string decodes to what encoding/json
// would have written, for any bytes.
func TestAppendString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		got := providers.AppendString(nil, s)
		var back, want string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%s is not JSON: %v", got, err)
		}
		std, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(std, &want); err != nil {
			t.Fatal(err)
		}
		if back != want {
			t.Fatalf("%q became %q, want %q", s, back, want)
		}
	})
}

func TestAppendStringEscapesOnlyWhatItMust(t *testing.T) {
	const want = `"<a href='x'>&\u0001 \"\\\n\r\t é🌱` + "\u2028" + `"`
	if got := string(providers.AppendString(nil, "<a href='x'>&\x01 \"\\\n\r\t é🌱\u2028")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWriter(t *testing.T) {
	w := &providers.Writer{}
	w.Open('{')
	w.Field("a", "{[:,")
	w.Optional("gone", "")
	w.Begin("list", '[')
	w.Raw("1")
	w.String("[")
	w.Open('{')
	w.Close('}')
	w.Open('[')
	w.Close(']')
	w.Close(']')
	w.Key("n")
	w.Raw("true")
	w.Close('}')
	const want = `{"a":"{[:,","list":[1,"[",{},[]],"n":true}`
	if got := string(w.Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	type config struct {
		Token   providers.Secret
		Headers map[string]providers.Secret
	}
	c := config{"s3cr3t", map[string]providers.Secret{"X": "s3cr3t"}}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(encoded), fmt.Sprintf("%v %+v %#v %s %q %x", c, c, c, c, c, c), fmt.Sprint(&c)} {
		if bytes.Contains([]byte(text), []byte("s3cr3t")) {
			t.Errorf("printed: %s", text)
		}
	}
}
