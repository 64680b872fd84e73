package plan

import (
	"maps"
	"strings"
	"testing"
)

// The digest of a configuration is that of what it says: the same for other contacts,
// another state and another place of it, and another one for each change.
func TestConfigDigest(t *testing.T) {
	base := map[string]string{
		"main.hcl":     "variable \"word\" {\n  default = \"a\"\n}\n\nvariable \"secret\" {\n  default   = \"x\"\n  sensitive = true\n}\n" + small + "\ntext_message \"rest\" { body = \"${var.word} ${file(\"rest.txt\")}\" }\n",
		"rest.txt":     "rest",
		"contacts.csv": smallContacts,
	}
	digest := func(change map[string]string) string {
		files := maps.Clone(base)
		maps.Copy(files, change)
		got, err := ConfigDigest(open(t, files).cfg)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	with := func(from, to string) map[string]string {
		if !strings.Contains(base["main.hcl"], from) {
			t.Fatalf("no %q to change", from)
		}
		return map[string]string{"main.hcl": strings.Replace(base["main.hcl"], from, to, 1)}
	}
	was := digest(nil)
	for name, change := range map[string]map[string]string{
		"contacts":              {"contacts.csv": "phone,name\n"},
		"the state's own file":  {"state.hcl": "handbill {\n  state \"sqlite\" { path = \"other.state\" }\n}\n"},
		"another state":         {"state.hcl": "handbill {\n  state \"postgres\" {\n    url    = \"postgres://127.0.0.1/x\"\n    schema = \"other\"\n  }\n}\n"},
		"a sensitive variable":  {"handbill.vars.hcl": "secret = \"y\"\n"},
		"a file of other names": {"README.md": "hello"},
	} {
		if digest(change) != was {
			t.Errorf("%s changes it", name)
		}
	}
	seen := map[string]string{was: "nothing"}
	for name, change := range map[string]map[string]string{
		"a variable":        {"handbill.vars.hcl": "word = \"b\"\n"},
		"what is read":      {"rest.txt": "other"},
		"a text":            with("${var.word}", "${var.word}!"),
		"a setting":         {"state.hcl": "handbill {\n  reply_budget = \"5 per 1h\"\n}\n"},
		"a block more":      {"more.hcl": "text_message \"more\" { body = \"more\" }\n"},
		"a check":           {"check.hcl": "check \"c\" {\n  assert {\n    condition     = true\n    error_message = \"no\"\n  }\n}\n"},
		"another check":     {"check.hcl": "check \"c\" {\n  assert {\n    condition     = plan.total.messages < 5\n    error_message = \"no\"\n  }\n}\n"},
		"a setting removed": with("sensitive = true", "sensitive = false"),
	} {
		got := digest(change)
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[got] = name
	}
}
