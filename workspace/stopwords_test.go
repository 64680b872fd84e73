package workspace

import (
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// TestWhoseStopWords checks that the state uses the stop words of the directory
// until serve has read those of an apply, and from then on those of the latest
// apply.
func TestWhoseStopWords(t *testing.T) {
	const words = `
stop_words "de" { alone = ["Ruhe"] }
`
	ws := open(t, testHost(), words)
	store, _, err := ws.OpenState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rules := ws.Rules(store, nil)
	apply := func(config string) {
		t.Helper()
		src, err := open(t, testHost(), config).Config.ReplySource()
		if err == nil {
			err = store.PutAll(t.Context(), map[string][]byte{keptReplies: src})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name  string
		apply func()
		want  map[string]state.WishKind
	}{
		{"before the first apply", func() {}, map[string]state.WishKind{"Ruhe": state.WishStop, "Abo": state.WishNone, "STOP": state.WishStop}},
		{"an apply without words", func() { apply("") }, map[string]state.WishKind{"Ruhe": state.WishNone, "STOP": state.WishStop}},
		{"an apply with others", func() {
			apply(`
stop_words "de" { unclear = ["Abo"] }
`)
		}, map[string]state.WishKind{"Ruhe": state.WishNone, "Abo": state.WishUnclear}},
	} {
		step.apply()
		current, err := rules.Current(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range step.want {
			ev := &message.Event{Kind: message.EventInbound, Type: "text", Text: text, From: message.Address{Phone: "+4915112345601"}}
			if got := ws.options().Wish(ev, ws.host.Now()).Kind; got != want {
				t.Errorf("%s: the state takes %q for %d, want %d", step.name, text, got, want)
			}
			if got := current.Words().Wish(ev, ws.host.Now()).Kind; got != want {
				t.Errorf("%s: the rules take %q for %d, want %d", step.name, text, got, want)
			}
		}
	}
}
