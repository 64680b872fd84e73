package cli

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// indent moves lines two columns to the right.
func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}

// optoutsCommand is "state optouts".
func (a *app) optoutsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "optouts", Short: "who must not get messages",
		Long: `People who wrote a stop word, tapped "Stop promotions", or were entered here get no
campaign's messages. An opt-out is heeded by the very next send.`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.optoutsListCommand(), a.optoutsAddCommand(), a.optoutsRemoveCommand(), a.optoutsImportCommand())
	return cmd
}

func (a *app) optoutsListCommand() *cobra.Command {
	var f stateFlags
	asCSV := false
	cmd := &cobra.Command{
		Use: "list", Short: "list opt-outs with their evidence", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s *state.Store) error { return a.optoutsList(cmd.Context(), s, f.show, asCSV) })
		},
	}
	f.in.bind(cmd.Flags())
	cmd.Flags().BoolVar(&f.show, "show-recipients", false, "show numbers as they are")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "as CSV, which import reads; with numbers as they are")
	return cmd
}

func (a *app) optoutsList(ctx context.Context, s *state.Store, show, asCSV bool) error {
	style := a.style()
	style.ShowRecipients = show || asCSV
	out := csv.NewWriter(a.sys.Stdout)
	if asCSV {
		_ = out.Write([]string{"recipient", "reason", "at", "evidence"}) // out keeps the error for Flush
	}
	n := 0
	for e, err := range s.OptOuts(ctx) {
		if err != nil {
			return a.failState(err, false)
		}
		n++
		at := e.At.UTC().Format(time.RFC3339)
		if asCSV {
			_ = out.Write([]string{cell(e.Recipient), cell(e.Reason), at, cell(e.Evidence)})
			continue
		}
		fmt.Fprintf(a.sys.Stdout, "%s  %s  %s  %s\n", style.Recipient(e.Recipient), at, message.SafeText(e.Reason), message.SafeText(e.Evidence))
	}
	out.Flush()
	if !asCSV {
		fmt.Fprintf(a.sys.Stdout, "%s.\n", view.Plural(n, "opt-out"))
	}
	return out.Error()
}

// cell keeps a spreadsheet from taking a text for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (a *app) optoutsAddCommand() *cobra.Command {
	var f stateFlags
	why := ""
	cmd := &cobra.Command{
		Use: "add RECIPIENT...", Short: "record that people want no more messages", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeOptouts(cmd.Context(), &f, "optouts add", args, func(s *state.Store, r string) error {
				return s.OptOut(cmd.Context(), r, "operator", note(a.who(), why))
			})
		},
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	cmd.Flags().StringVar(&why, "why", "", "where the wish is from")
	return cmd
}

func (a *app) optoutsRemoveCommand() *cobra.Command {
	var f stateFlags
	why := ""
	cmd := &cobra.Command{
		Use: "remove -why=EVIDENCE RECIPIENT...", Short: "record that people want messages again", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if why == "" {
				return a.fail("Evidence needed", errors.New("say with -why where and when the person asked for messages again"))
			}
			return a.changeOptouts(cmd.Context(), &f, "optouts remove", args, func(s *state.Store, r string) error {
				return s.OptIn(cmd.Context(), r, note(a.who(), why))
			})
		},
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	cmd.Flags().StringVar(&why, "why", "", "where and when the person asked for it; required")
	return cmd
}

func note(who, why string) string {
	if why == "" {
		return "by " + who
	}
	return why + ", by " + who
}

func (a *app) optoutsImportCommand() *cobra.Command {
	var f stateFlags
	region := ""
	cmd := &cobra.Command{
		Use: "import FILE", Short: "take over opt-outs from a CSV file", Args: cobra.ExactArgs(1),
		Long: `Reads a CSV file whose first column is a phone number or user id; further columns
named reason and evidence are kept. A header is recognised by its first cell,
"recipient" or "phone".`,
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := a.readOptouts(args[0], region)
			if err != nil {
				return a.fail("Unreadable file", fmt.Errorf("%s: %w", args[0], err))
			}
			names := slices.Sorted(maps.Keys(rows))
			return a.changeOptouts(cmd.Context(), &f, "optouts import", names, func(s *state.Store, r string) error {
				return s.OptOut(cmd.Context(), r, "import", rows[r])
			})
		},
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	cmd.Flags().StringVar(&region, "region", "", "region of numbers in national form, such as DE")
	return cmd
}

// changeOptouts runs change for every recipient, after all of them were read.
func (a *app) changeOptouts(ctx context.Context, f *stateFlags, operation string, args []string, change func(*state.Store, string) error) error {
	for i, arg := range args {
		key, err := recipientKey(arg, "")
		if err != nil {
			return a.fail("Invalid recipient", fmt.Errorf("argument %d is neither a number with + and a country code, such as +4915112345678, nor a user id", i+1))
		}
		args[i] = key
	}
	return a.changeState(ctx, f, operation, func(_ *project, s *state.Store) error {
		for _, r := range args {
			if err := change(s, r); err != nil {
				return a.failState(err, false)
			}
		}
		fmt.Fprintf(a.sys.Stdout, "%s changed.\n", view.Plural(len(args), "recipient"))
		return nil
	})
}

// personKeys reads the people that a command is about. A number that no country
// gives out is taken too when it is written with its +: somebody may have written
// to us from it.
func (a *app) personKeys(args []string) ([]string, error) {
	keys := make([]string, len(args))
	for i, arg := range args {
		key, err := recipientKey(arg, "")
		if err != nil {
			key = strings.TrimSpace(arg)
			if !numberShape.MatchString(key) {
				return nil, a.fail("Invalid recipient", fmt.Errorf("argument %d is neither a number with + and a country code, such as +4915112345678, nor a user id; nothing was changed", i+1))
			}
		}
		keys[i] = key
	}
	return keys, nil
}

var numberShape = regexp.MustCompile(`^\+[0-9]{5,15}$`)

// recipientKey reads a phone number, or takes a business-scoped user id as it
// is.
func recipientKey(s, region string) (string, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "'")
	if len(s) > 3 && s[2] == '.' && s[0] >= 'A' && s[0] <= 'Z' {
		return s, nil
	}
	return audience.NewNumbers().Parse(s, region)
}

// maxOptoutRow is the longest row of a list of opt-outs, in bytes, as of an
// audience; a reader's buffer may take a little more.
const maxOptoutRow = 64 << 10

var errLongRow = errors.New("the row is longer than 64 KiB; is a quotation mark missing?")

// rowReader stops reading where a row is too long.
type rowReader struct {
	from io.Reader
	left int
}

func (r *rowReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errLongRow
	}
	n, err := r.from.Read(p)
	r.left -= n
	return n, err
}

// readOptouts gives the evidence by recipient.
func (a *app) readOptouts(name, region string) (map[string]string, error) {
	file, err := os.Open(a.path(name))
	if err != nil {
		return nil, plainPathError(err)
	}
	defer file.Close()
	rows := &rowReader{from: file}
	in := csv.NewReader(rows)
	in.FieldsPerRecord = -1
	header := []string{"recipient", "reason", "at", "evidence"}
	out := map[string]string{}
	for line := 1; ; line++ {
		rows.left = maxOptoutRow
		row, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case errors.Is(err, errLongRow):
			return nil, fmt.Errorf("line %d: %w", line, err)
		case err != nil:
			return nil, err
		}
		first := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(row[0]), "\ufeff"))
		if line == 1 && (first == "recipient" || first == "phone") {
			header = row
			continue
		}
		key, err := recipientKey(row[0], region)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		out[key] = evidenceOf(header, row)
	}
}

func evidenceOf(header, row []string) string {
	var parts []string
	for i := 1; i < len(row) && i < len(header); i++ {
		if row[i] != "" {
			parts = append(parts, header[i]+" "+strings.TrimPrefix(row[i], "'"))
		}
	}
	return strings.Join(parts, ", ")
}
