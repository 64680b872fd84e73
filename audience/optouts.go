package audience

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxOptOutRow is the longest row of an opt-out list in bytes, the same as for an
// audience; a reader's buffer may take a little more.
const maxOptOutRow = 64 << 10

var errLongRow = errors.New("the row is longer than 64 KiB; is a quotation mark missing?")

// ReadOptOuts reads a CSV list of people who want no messages, and returns what
// is known of each wish by recipient. The first column is a phone number or a
// user id. If the file has a header, whose first cell is "recipient" or "phone",
// the other columns are kept under their names. region is the country of numbers
// in national form.
//
//	recipient,reason,at,evidence
//	+4915112345671,stop,2026-02-01T10:00:00Z,wrote STOP
func ReadOptOuts(r io.Reader, region string) (map[string]string, error) {
	rows := &rowReader{from: r}
	in := csv.NewReader(rows)
	in.FieldsPerRecord = -1
	header := []string{"recipient", "reason", "at", "evidence"}
	out := map[string]string{}
	for line := 1; ; line++ {
		rows.left = maxOptOutRow
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
		key, err := RecipientKey(row[0], region)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		out[key] = evidenceOf(header, row)
	}
}

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

func evidenceOf(header, row []string) string {
	var parts []string
	for i := 1; i < len(row) && i < len(header); i++ {
		if row[i] != "" {
			parts = append(parts, header[i]+" "+strings.TrimPrefix(row[i], "'"))
		}
	}
	return strings.Join(parts, ", ")
}

// OptOut is one row of a list that WriteOptOuts makes.
type OptOut struct {
	Recipient, Reason, At, Evidence string
}

// WriteOptOuts writes a list that ReadOptOuts reads; call row once for each row.
// No cell begins like a formula, so spreadsheets take every cell for text.
func WriteOptOuts(w io.Writer) (row func(OptOut), flush func() error) {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"recipient", "reason", "at", "evidence"}) // out keeps the error for Flush
	return func(o OptOut) {
			_ = out.Write([]string{textCell(o.Recipient), textCell(o.Reason), o.At, textCell(o.Evidence)})
		},
		func() error { out.Flush(); return out.Error() }
}

// textCell keeps a spreadsheet from reading a text as a formula.
func textCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// RecipientKey reads a phone number, or takes a business-scoped user id as it
// is, and gives the key of the recipient. region is the country of numbers in
// national form; "" takes international ones only.
func RecipientKey(s, region string) (string, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "'")
	if len(s) > 3 && s[2] == '.' && s[0] >= 'A' && s[0] <= 'Z' {
		return s, nil
	}
	return NewNumbers().Parse(s, region)
}
