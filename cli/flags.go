package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// singleDash turns Terraform's single-dash long flags ("-out=x", "-var k=v")
// into the double-dash ones that cobra reads. It walks the tree of commands as
// cobra will, so that it knows which flags take a value, leaves values alone
// ("-var -foo=bar"), and stops at "--". "--out=x" works as it is.
func singleDash(root *cobra.Command, args []string) []string {
	out := make([]string, 0, len(args))
	cmd := root
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return append(out, args[i:]...)
		case !strings.HasPrefix(arg, "-") || arg == "-":
			if sub := subcommand(cmd, arg); sub != nil {
				cmd = sub
			}
			out = append(out, arg)
			continue
		}
		if cmd == root && arg == "-v" {
			arg = "-version"
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name == "h" {
			out = append(out, "--help")
			continue
		}
		out = append(out, "--"+strings.TrimLeft(arg, "-"))
		flag := lookup(cmd, name)
		if flag != nil && flag.NoOptDefVal == "" && !hasValue && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return out
}

func subcommand(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}

// lookup finds a flag of cmd or one that it inherits from a parent.
func lookup(cmd *cobra.Command, name string) *pflag.Flag {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f
	}
	if f := cmd.PersistentFlags().Lookup(name); f != nil {
		return f
	}
	return cmd.InheritedFlags().Lookup(name)
}

// usageError rewrites pflag's message so that flags have one dash, as handbill
// documents them.
func usageError(err error) string {
	said := strings.TrimSpace(strings.ReplaceAll(err.Error(), "--", "-"))
	said = argumentCount.ReplaceAllString(said, "this command takes $1 argument(s), and $2 were given")
	if m := strayArgument.FindStringSubmatch(said); m != nil {
		return strings.TrimSpace(fmt.Sprintf("%q takes no arguments, and %s was given. %s", m[2], m[1], strayWords[m[2]]))
	}
	if m := unknownWord.FindStringSubmatch(said); m != nil && terraformWords[m[1]] != "" {
		first, _, _ := strings.Cut(said, "\n")
		return first + ". " + terraformWords[m[1]]
	}
	return said
}

var (
	argumentCount = regexp.MustCompile(`^(?:accepts|requires) (.*) arg\(s\), (?:only )?received (\d+)$`)
	strayArgument = regexp.MustCompile(`^unknown command (".*") for "(handbill [^"]+)"$`)
	unknownWord   = regexp.MustCompile(`^unknown (?:command "|flag: -)([a-z-]+)`)
)

// strayWords say where an argument belongs if it is given in the wrong place.
var strayWords = map[string]string{
	"handbill plan":     "A saved plan is carried out\nwith \"handbill apply FILE\" and shown with \"handbill show FILE\"; one campaign\nis planned with -target=campaign.NAME.",
	"handbill validate": "It checks the directory\nit runs in; choose another with -chdir=DIR.",
	"handbill init":     "It works in the directory\nit runs in; choose another with -chdir=DIR.",
}

// onlyCommands is for commands that only group subcommands: an argument that names
// none of them is a mistake.
func onlyCommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	said := fmt.Sprintf("%q has no command %q", cmd.CommandPath(), args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		said += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return errors.New(said)
}

// terraformWords say what to use instead of Terraform flags that handbill does not
// have.
var terraformWords = map[string]string{
	"destroy":      "What was sent can't be unsent. A campaign whose block\nis deleted ends at the next apply, and its history stays.",
	"taint":        "To send again, raise the campaign's revision, or plan\nwith -replace='campaign.NAME[\"+49...\"]'.",
	"untaint":      "Nothing is ever marked to be sent again.",
	"workspace":    "Keep a directory for each environment and choose\nit with -chdir, or give each its -var-file.",
	"force-unlock": "It is: handbill state unlock ID",
	"refresh-only": "It is: handbill refresh",
	"get":          "Modules are local directories, so that nothing is\nfetched; init checks them, and copies one with -from-module=DIR.",
	"login":        "Tokens are read from the environment with env(\"NAME\").",
	"logout":       "Tokens are read from the environment with env(\"NAME\").",
}
