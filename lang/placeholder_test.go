package lang_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// rowsOf loads an audience whose attributes are written as an object.
func rowsOf(t *testing.T, arguments string, columns ...string) *lang.Rows {
	t.Helper()
	cfg, diags := loadSource(t, "main.hcl", fmt.Appendf(nil, "audience \"a\" {\n  source \"csv\" { path = \"a.csv\" }\n  %s\n}\n", arguments))
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	rows, diags := cfg.BindAudience(cfg.Audiences[0], columns)
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	return rows
}

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	const name = `attributes = { name = row["First name"] }`
	for _, tt := range []struct {
		arguments, cell, want string
		blank                 bool
	}{
		{name, "Ada", "Ada", false},
		{name, "", "", false},
		{name, "NULL", "", true},
		{name, " N/A\t", "", true},
		{name, "#N/A", "", true},
		{name, "-", "", true},
		{name, "nan", "", true},
		{name, "undefined", "", true},
		{name, "First name", "", true},
		{name, "first_NAME", "", true},
		{name, "first", "first", false},
		{name, "Null", "Null", false}, // a real name, like Nan, Nil and Na
		{name, "Nan", "Nan", false},
		{name, "Nil", "Nil", false},
		{name, "Na", "Na", false},
		{name, "Ada-", "Ada-", false},
		{name, "NULL Smith", "NULL Smith", false},
		// The expression may change the value or handle the placeholder.
		{`attributes = { name = title(row["First name"]) }`, "null", "", true},
		{`attributes = { name = upper(trimspace(row["First name"])) }`, " nan ", "", true},
		{`attributes = { name = "Dr. ${row["First name"]}" }`, "NULL", "", true},
		{`attributes = { name = "Dr. ${upper(row["First name"])}" }`, "null", "", true},
		{`attributes = { name = "Dr. ${row["First name"]}" }`, "Ada", "Dr. Ada", false},
		{`attributes = { name = row["First name"] == "NULL" ? "friend" : row["First name"] }`, "NULL", "friend", false},
		// The audience can say which values are placeholders.
		{name + "\n  placeholders = []", "NULL", "NULL", false},
		{name + "\n  placeholders = []", "First name", "First name", false},
		{name + "\n  placeholders = concat(placeholders(), [\"TBD\"])", "TBD", "", true},
		{name + "\n  placeholders = concat(placeholders(), [\"TBD\"])", "NULL", "", true},
		{name + "\n  placeholders = setsubtract(placeholders(), [\"-\"])", "-", "-", false},
		{name + "\n  placeholders = [\" unknown \"]", "unknown", "", true},
		{name + "\n  placeholders = [\" unknown \"]", "NULL", "NULL", false},
	} {
		rows := rowsOf(t, tt.arguments, "phone", "First name")
		var p lang.Person
		if err := rows.Eval([]message.Value{message.Str("1"), message.Str(tt.cell)}, &p); err != nil {
			t.Errorf("%s of %q: %v", tt.arguments, tt.cell, err)
			continue
		}
		if got := p.Attributes[0].Text; got != tt.want || p.Placeholder(0) != tt.blank {
			t.Errorf("%s of %q is %q, placeholder %t; want %q, %t", tt.arguments, tt.cell, got, p.Placeholder(0), tt.want, tt.blank)
		}
	}
}

// TestPlaceholderAddress checks that a placeholder is neither a number, nor a
// user id, nor a time, and that values of the previous row are not kept.
func TestPlaceholderAddress(t *testing.T) {
	t.Parallel()
	rows := rowsOf(t, "user_id = row.id\n  last_inbound = row.seen\n  attributes = { name = row.name }", "phone", "id", "seen", "name")
	var p lang.Person
	for _, row := range [][]string{{"NULL", "N/A", "-", "None"}, {"+491", "DE.1", "2026-03-01T09:00:00Z", "Ada"}, {"null", "undefined", "nan", "name"}, {"NULL", "nil", "?", "First name"}} {
		var values []message.Value
		for _, cell := range row {
			values = append(values, message.Str(cell))
		}
		if err := rows.Eval(values, &p); err != nil {
			t.Fatal(err)
		}
		if there := row[3] == "Ada"; there != (p.Phone != "") || there != (p.UserID != "") || there == p.LastInbound.IsZero() || there == p.Placeholder(0) {
			t.Errorf("of %q: %+v", row, p)
		}
	}
}

func TestPlaceholderArgument(t *testing.T) {
	t.Parallel()
	_, diags := loadSource(t, "main.hcl", []byte("audience \"a\" {\n  source \"csv\" { path = \"a.csv\" }\n  placeholders = [\"x\", \" \"]\n}"))
	if len(diags) != 1 || lang.DiagCode(diags[0]) != "invalid_value" || diags[0].Subject.Start.Line != 3 {
		t.Errorf("an empty placeholder: %s", details(diags))
	}
	for _, w := range eval.Placeholders() {
		if w == "" || slices.Contains([]string{"Null", "Nan", "Nil", "Na", "NA", "Non"}, w) {
			t.Errorf("%q may be a name", w)
		}
	}
}
