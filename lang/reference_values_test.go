package lang

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestArgumentValues checks that the words which the table says an argument takes are
// those that decoding names when it is given another.
func TestArgumentValues(t *testing.T) {
	found := map[string]bool{}
	var visit func(list []BlockInfo, open, end string)
	visit = func(list []BlockInfo, open, end string) {
		for _, b := range list {
			head := b.Type
			for _, label := range b.Labels {
				switch {
				case label == "KIND" && strings.HasPrefix(open, "audience"):
					label = "sql"
				case label == "INDEX":
					label = "0"
				}
				head += fmt.Sprintf(" %q", strings.ToLower(label))
			}
			for _, a := range b.Arguments {
				if a.Values == nil {
					continue
				}
				in := head
				if b.Type == "source" && a.Name == "format" {
					in = `source "http"`
				}
				found[b.Type+"."+a.Name] = true
				checkValues(t, open+in+" {\n"+a.Name+" = \"never\"\n}\n"+end, a)
			}
			visit(b.Blocks, open+head+" {\n", "}\n"+end)
		}
	}
	visit(Blocks(), "", "")
	for name := range argumentValues {
		if !found[name] {
			t.Errorf("%s is in the table, and no such argument is in the language", name)
		}
	}
}

func checkValues(t *testing.T, src string, a ArgumentInfo) {
	t.Helper()
	_, diags := LoadFiles(context.Background(), map[string][]byte{"main.hcl": []byte(src)}, nil, Options{})
	for _, d := range diags {
		if want := "The argument " + a.Name + " takes " + listOf(quoteAll(a.Values)) + ", not"; strings.HasPrefix(d.Detail, want) {
			return
		}
	}
	t.Errorf("%s: no diagnostic names %q\n%s\n%v", a.Name, a.Values, src, diags)
}
