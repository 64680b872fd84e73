package cli

import "testing"

func TestNearShortensPathsAndNothingElse(t *testing.T) {
	a := &app{sys: System{Dir: "/srv"}}
	for text, want := range map[string]string{
		"reading /srv/contacts.csv: gone":        "reading contacts.csv: gone",
		"/srv/a.hcl and \"/srv/b.hcl\"":          "a.hcl and \"b.hcl\"",
		"the service https://shop.example/srv/x": "the service https://shop.example/srv/x",
		"/home/srv/a.hcl":                        "/home/srv/a.hcl",
	} {
		if got := a.near(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
