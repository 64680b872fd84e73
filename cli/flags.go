package cli

import (
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

// lookup finds a flag of cmd or one that a parent hands down.
func lookup(cmd *cobra.Command, name string) *pflag.Flag {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f
	}
	if f := cmd.PersistentFlags().Lookup(name); f != nil {
		return f
	}
	return cmd.InheritedFlags().Lookup(name)
}

// usageError rewrites pflag's message so that it shows the flag as people
// write it here, with one dash.
func usageError(err error) string { return strings.ReplaceAll(err.Error(), "--", "-") }
