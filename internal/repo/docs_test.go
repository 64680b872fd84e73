package repo

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/dialog360"
	"github.com/handbill/handbill/providers/kaleyra"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/providers/sandbox"
	"github.com/handbill/handbill/state"
)

// TestGoldenDocs checks that the documentation of blocks, functions, limits,
// codes and providers matches the program. "go test -run TestGoldenDocs -update
// ./internal/repo" rewrites the generated parts, which are between comments.
func TestGoldenDocs(t *testing.T) {
	check(t, "docs/language.md", map[string]string{"blocks": blocksText(lang.Blocks()), "functions": functionsText(), "limits": limitsText()})
	check(t, "docs/diagnostics.md", map[string]string{"codes": codesText()})
	check(t, "docs/webhooks.md", map[string]string{"fields": fieldsText()})
	for _, p := range []struct {
		name    string
		schema  []providers.Argument
		profile providers.Profile
	}{
		{"cloud", cloud.Schema(), cloud.Profile()}, {"dialog360", dialog360.Schema(), dialog360.Profile()},
		{"kaleyra", kaleyra.Schema(), kaleyra.Profile()}, {"onemsg", onemsg.Schema(), onemsg.Profile()},
		{"sandbox", sandbox.Schema(), cloud.Profile()},
	} {
		parts := map[string]string{"arguments": argumentsText(p.schema)}
		if p.name != "sandbox" {
			parts["profile"] = profileText(p.profile)
		}
		check(t, "docs/providers/"+p.name+".md", parts)
	}
}

// fieldsText are the fields of Meta's webhooks that handbill needs.
func fieldsText() string {
	var b strings.Builder
	b.WriteString("| field | lost without it |\n|---|---|\n")
	for _, f := range metaobject.Fields() {
		name := "`" + f.Name + "`"
		if f.Severe {
			name += " (needed for stops)"
		}
		fmt.Fprintf(&b, "| %s | %s |\n", name, f.Lost)
	}
	return b.String()
}

// check compares a page with itself after its generated parts were regenerated.
func check(t *testing.T, path string, parts map[string]string) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(src)
	for name, text := range parts {
		open, end := "<!-- generated: "+name+" -->\n", "<!-- end of "+name+" -->"
		head, rest, found := strings.Cut(page, open)
		_, tail, closed := strings.Cut(rest, end)
		if !found || !closed {
			t.Fatalf("%s has no part %q between %q and %q", path, name, strings.TrimSpace(open), end)
		}
		page = head + open + "\n" + text + "\n" + end + tail
	}
	golden.Assert(t, []byte(page), path)
}

// blocksText lists blocks with their arguments, nested ones below theirs.
func blocksText(list []lang.BlockInfo) string {
	var b strings.Builder
	for _, block := range list {
		fmt.Fprintf(&b, "### `%s`\n\n%s\n", block.Type, block.Description)
		blockText(&b, block, "")
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func blockText(b *strings.Builder, block lang.BlockInfo, indent string) {
	head := block.Type
	for _, l := range block.Labels {
		head += fmt.Sprintf(" %q", l)
	}
	if indent == "" {
		fmt.Fprintf(b, "\n- `%s`: %s\n", head, argumentNames(block))
	} else {
		fmt.Fprintf(b, "%s- `%s`: %s %s\n", indent, head, block.Description, argumentNames(block))
	}
	for _, n := range block.Blocks {
		blockText(b, n, indent+"  ")
	}
}

func argumentNames(block lang.BlockInfo) string {
	var names []string
	for _, a := range block.Arguments {
		name := "`" + a.Name + "`"
		if !a.Required {
			name += "?"
		}
		names = append(names, name)
	}
	switch {
	case block.Free:
		return strings.Join(append(names, "names of your own"), ", ")
	case len(names) == 0:
		return "no arguments"
	}
	return strings.Join(names, ", ")
}

func functionsText() string {
	var b strings.Builder
	b.WriteString("| function | what it gives |\n|---|---|\n")
	for _, f := range lang.Functions() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", cell(f.Signature), cell(f.Description))
	}
	return b.String()
}

func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(s)
}

func limitsText() string {
	limits := message.DefaultLimits()
	var names []string
	for name := range limits {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("| what | at least | at most | warning above | source |\n|---|--:|--:|--:|---|\n")
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	for _, name := range names {
		l := limits[name]
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s, %s |\n", name, number(l.Min), number(l.Max), number(l.Warn), cell(l.Source), l.Date)
	}
	return b.String()
}

func codesText() string {
	codes := append(lang.Codes(), plan.Codes()...)
	for _, c := range state.Codes() {
		codes = append(codes, lang.CodeInfo(c))
	}
	slices.SortStableFunc(codes, func(a, b lang.CodeInfo) int { return strings.Compare(a.Code, b.Code) })
	var b strings.Builder
	for _, c := range codes {
		fmt.Fprintf(&b, "### `%s`\n\n%s.\n\n%s\n\n", c.Code, strings.TrimSuffix(cell(c.Summary), "."), strings.ReplaceAll(c.Explanation, "<", "&lt;"))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func argumentsText(list []providers.Argument) string {
	var b strings.Builder
	b.WriteString("| argument | type | |\n|---|---|---|\n")
	for _, a := range list {
		notes := cell(a.Description)
		if a.Required {
			notes = "**Required.** " + notes
		}
		if a.Sensitive {
			notes += " A secret: from `env(…)`, a sensitive variable or `file(…)`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", a.Name, a.Type, notes)
	}
	return b.String()
}

func profileText(p providers.Profile) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Throughput: %g messages per second (%s, %s). One message to a recipient in %g s (%s, %s).\n", p.Throughput.Value,
		p.Throughput.Source, p.Throughput.Date, p.PairSeconds.Value, p.PairSeconds.Source, p.PairSeconds.Date)
	fmt.Fprintf(&b, "A reference comes back in events: %s. An outcome can be asked for: %s.\n\n", yes(p.Echo), yes(p.Polls))
	b.WriteString("| message | carried | |\n|---|---|---|\n")
	for _, k := range message.Kinds() {
		c := p.Kinds[k]
		capability(&b, string(k), c)
	}
	b.WriteString("\n| argument | carried | |\n|---|---|---|\n")
	for _, f := range providers.AllFeatures() {
		capability(&b, string(f), p.Features[f])
	}
	return b.String()
}

func capability(b *strings.Builder, name string, c providers.Capability) {
	fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, [...]string{"no", "with a doubt", "yes"}[c.Support], cell(c.Note))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
