package repo

import (
	"os"
	"strings"
	"testing"
)

// TestReadmeShowsARealPlan compares the plan in the README with the golden output
// of its example.
func TestReadmeShowsARealPlan(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("examples/spring-catalog/testdata/stdout.golden")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, ok := strings.Cut(string(readme), "```\n  # list_message.browse")
	shown, _, end := strings.Cut(shown, "```")
	if !ok || !end {
		t.Fatal("the README shows no plan")
	}
	for _, part := range strings.Split("  # list_message.browse"+shown, "\n\n  # ") {
		if !strings.Contains(string(golden), strings.TrimSpace(part)) {
			t.Errorf("the README shows what the example does not print:\n%s", part)
		}
	}
}
