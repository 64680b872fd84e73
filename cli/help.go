package cli

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/template"
	"unicode"

	"github.com/spf13/cobra"
)

// fill writes one of the templates below for a command. Cobra's own mechanism would
// register the template functions for the whole process.
func fill(w io.Writer, text string, cmd *cobra.Command) error {
	t, err := template.New("help").Funcs(template.FuncMap{
		"onedash":                 oneDash,
		"rpad":                    func(s string, width int) string { return fmt.Sprintf("%-*s", width, s) },
		"trimTrailingWhitespaces": func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) },
	}).Parse(text)
	if err != nil {
		return err
	}
	return t.Execute(w, cmd)
}

var doubleDash = regexp.MustCompile(`--([a-z])`)

// oneDash shows flags with one dash, as handbill documents them, and drops pflag's
// column for one-letter flags, since there are none.
func oneDash(s string) string {
	s = doubleDash.ReplaceAllString(s, "-$1")
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.Replace(l, "      -", "  -", 1)
	}
	return strings.Join(lines, "\n")
}

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}`

const usageTemplate = `Usage: {{if .HasAvailableSubCommands}}{{.CommandPath}} <command> [flags]{{else}}{{.UseLine | onedash}}{{end}}
{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages | onedash | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
Global flags:
{{.InheritedFlags.FlagUsages | onedash | trimTrailingWhitespaces}}
{{end}}{{if .HasExample}}
Examples:
{{.Example}}
{{end}}`
