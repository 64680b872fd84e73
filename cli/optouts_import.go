package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/state"
)

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
			return a.changeOptouts(cmd.Context(), &f, "optouts import", names, func(s state.Store, r string) error {
				return s.OptOut(cmd.Context(), r, "import", rows[r])
			})
		},
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	cmd.Flags().StringVar(&region, "region", "", "region of numbers in national form, such as DE")
	return cmd
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
