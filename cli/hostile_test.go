package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// forging matches what data must never show to a reviewer: cursor movements,
// characters that reverse or hide text, and commands of CI runners.
var forging = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069]|(?m)^\\s*(::|##\\[)")

// TestHostileDataThroughCommands checks that names, titles, variables and file
// names cannot forge what any command shows.
func TestHostileDataThroughCommands(t *testing.T) {
	const attack = "\x1b[2K\x1b]8;;https://evil.example\x07\u202eanA\u2066\u200b\u2028\r\n::error::forged\n##[error]x @org/team <script>alert(1)</script>"
	d := newDesk(t)
	name := "people\x1b[31m\u202e.csv"
	d.write("main.hcl", fmt.Sprintf(`provider "sandbox" "main" {}
variable "offer" { type = string }
audience "a" {
  source "csv" { path = %q }
  attributes = { name = row.name }
}
text_message "m" { body = "Hi ${recipient.name}, ${var.offer}" }
campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.m
  window   = "assume_open"
}
output "offer" { value = var.offer }
`, strings.ReplaceAll(name, "\x1b", "\\u001b")))
	main := strings.ReplaceAll(mustRead(t, d.dir, "main.hcl"), `\\u001b`, `\u001b`)
	d.write("main.hcl", main)
	d.write(name, "phone,name\n+4915112345601,\""+strings.ReplaceAll(attack, `"`, `""`)+"\"\nno\x1bnumber,\"=cmd()\"\n")
	d.must(0, "init", "-var=offer="+attack)
	seen := false
	for _, args := range []string{"validate", "validate -json", "plan", "plan -json", "plan -format=markdown", "plan -format=html", "preview", "preview campaign.spring",
		"state list", "status", "status -format=html", "status -format=csv", "status -json", "resolve -as=" + "x\x1b[31m" + " campaign.spring", "output", "graph", "explain \x1b[31m", "frob\u202enicate", "-chdir=\x1b[31m plan"} {
		list := strings.Fields(args)
		if c := list[0]; c == "validate" || c == "plan" || c == "preview" {
			list = append(list, "-var=offer="+attack)
		}
		d.run(list...)
		seen = seen || strings.Contains(d.stdout.String(), "U+202E")
		for stream, text := range map[string]string{"stdout": d.stdout.String(), "stderr": d.stderr.String()} {
			if at := forging.FindStringIndex(text); at != nil {
				t.Errorf("handbill %q: %s has %q", args, stream, text[max(0, at[0]-60):min(len(text), at[1]+40)])
			}
			if strings.Contains(args, "html") && strings.Contains(text, "<script>alert") {
				t.Errorf("handbill %q: an active element on the page", args)
			}
		}
	}
	if !seen {
		t.Error("no command showed the texts at all")
	}
}

func mustRead(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
