// Package cli is the command line. Each command has one file, which turns flags
// into options, calls the packages that do the work, and ends in one report that a
// view renders.
package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/workspace"
)

// Exit codes; see the README.
const (
	exitDone        = 0
	exitError       = 1
	exitChanges     = 2 // plan -detailed-exitcode: there is something to do
	exitSomeFailed  = 3 // the rest: apply -detailed-exitcode
	exitSomeInDoubt = 4
	exitGuard       = 5
	exitStale       = 6
	exitLocked      = 7
	exitDeclined    = 8
	exitWaiting     = 9
	exitInterrupted = 130
)

// exit is the error of a command that has already shown everything and only sets
// the exit code.
type exit int

// Error implements error.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Main runs the command that args (without the program's name) ask for and
// returns the exit code.
func Main(ctx context.Context, args []string, sys System) (code int) {
	out := &output{w: sys.Stdout}
	sys.Stdout = out
	a := &app{sys: sys, out: out}
	closeLog, err := a.openLog()
	if err != nil {
		fmt.Fprintln(sys.Stderr, sentence(err))
		return exitError
	}
	defer closeLog()
	root := a.root()
	args = singleDash(root, args)
	a.logArgs(args)
	if completing(args) {
		root.SetOut(&oneDashWriter{w: sys.Stdout})
	}
	root.SetArgs(args)
	asked, err := root.ExecuteContextC(ctx)
	var e exit
	switch lost := out.lost(); {
	case errors.As(err, &e):
		code = int(e)
	case err != nil && (lost == nil || !errors.Is(err, lost)):
		fmt.Fprintf(sys.Stderr, "%s\n\nRun \"%s -help\" for usage.\n", usageError(err), asked.CommandPath())
		code = exitError
	}
	if lost := out.lost(); lost != nil {
		return a.outputLost(lost, code)
	}
	return code
}

// app is what all commands share: the process's System and the global flags.
type app struct {
	sys  System
	out  *output // what sys.Stdout is
	log  hclog.Logger
	errs sync.Mutex // held while something is written to sys.Stderr

	chdir   string
	noColor bool
}

// root is the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "handbill",
		Short: "Terraform for WhatsApp campaigns",
		Long: `handbill declares WhatsApp campaigns in HCL, checks every message for every
recipient before the first one is sent, shows what it would do, does only that,
and remembers what it did.

The main commands are init, validate, plan, apply and status.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       a.sys.Build.Version,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(a.sys.Stdout)
	root.SetErr(a.sys.Stderr)
	root.SetIn(a.sys.Stdin)
	root.SetVersionTemplate("handbill {{.Version}}\n")
	root.Flags().Bool("version", false, "show the version")
	root.PersistentFlags().Bool("help", false, "show the help of a command")
	root.PersistentFlags().StringVar(&a.chdir, "chdir", "", "switch to this directory before doing anything")
	root.PersistentFlags().BoolVar(&a.noColor, "no-color", false, "no colours (also NO_COLOR, and where stdout is no terminal)")
	for _, c := range a.commands() {
		root.AddCommand(c)
	}
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short = "write the script that completes commands in a shell"
		}
	}
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if err := fill(cmd.OutOrStdout(), helpTemplate, cmd); err != nil && a.out.lost() == nil {
			cmd.PrintErrln(err)
		}
		a.out.forgiveLeaver()
	})
	root.SetUsageFunc(func(cmd *cobra.Command) error { return fill(cmd.OutOrStderr(), usageTemplate, cmd) })
	return root
}

// Commands is the tree of commands with their flags and texts, from which manual
// pages and completions are made. The commands in it must not be run.
func Commands() *cobra.Command {
	a := &app{out: &output{}}
	return a.root()
}

// commands are the top-level commands, in the order in which help lists them.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.initCommand(), a.validateCommand(), a.planCommand(), a.applyCommand(), a.statusCommand(), a.runCommand(), a.workerCommand(),
		a.refreshCommand(), a.resolveCommand(), a.serveCommand(), a.replyCommand(), a.sandboxCommand(),
		a.showCommand(), a.commentCommand(), a.previewCommand(), a.tryCommand(), a.testCommand(), a.fmtCommand(), a.lspCommand(), a.consoleCommand(), a.graphCommand(), a.outputCommand(),
		a.providersCommand(), a.stateCommand(), a.importCommand(), a.explainCommand(), a.metadataCommand(), a.versionCommand(),
	}
}

// dir is the directory of the configuration.
func (a *app) dir() string {
	if filepath.IsAbs(a.chdir) {
		return filepath.Clean(a.chdir)
	}
	return filepath.Join(a.sys.Dir, a.chdir)
}

// display returns a path as people see it: relative to their working directory.
func (a *app) display(path string) string {
	if rel, err := filepath.Rel(a.sys.Dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// style is how stdout is drawn.
func (a *app) style() view.Style {
	_, noColor := a.sys.Env("NO_COLOR")
	return view.Style{Color: a.sys.StdoutTerminal && !a.noColor && !noColor, Width: a.sys.Width}
}

// automation reports whether handbill runs in a pipeline. Hints about what to type
// next are then left out.
func (a *app) automation() bool {
	v, ok := a.sys.Env("HANDBILL_IN_AUTOMATION")
	return ok && v != ""
}

// near makes paths below the working directory relative to it in a text for people.
func (a *app) near(text string) string {
	dir := filepath.Clean(a.sys.Dir)
	if len(dir) < 2 {
		return text
	}
	dir += string(filepath.Separator)
	var b strings.Builder
	for {
		i := strings.Index(text, dir)
		if i < 0 {
			return b.String() + text
		}
		b.WriteString(text[:i])
		// Only where a path begins: "https://crm.example/app/x" is not below /app.
		if before, _ := utf8.DecodeLastRuneInString(text[:i]); i > 0 && !strings.ContainsRune(" \t\n\"'`(=:,", before) {
			b.WriteString(dir)
		}
		text = text[i+len(dir):]
	}
}

// sentence makes a person's sentence of a wrapped error: a capital at the
// beginning unless that is a name such as "main.hcl", a full stop at the end.
func sentence(err error) string {
	s := err.Error()
	if s == "" {
		return s
	}
	first, _, _ := strings.Cut(s, " ")
	if c := s[0]; c >= 'a' && c <= 'z' && first != "handbill" && !strings.ContainsAny(first, "./:=_") {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?:)\n") {
		s += "."
	}
	return s
}

// sentenceOf does the same for words that are not an error.
func sentenceOf(words string) string { return sentence(errors.New(words)) }

// path is a file named on the command line, relative to where handbill runs.
func (a *app) path(name string) string { return workspace.Path(a.dir(), name) }
