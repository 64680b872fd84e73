package audience

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/message"
)

// TestLayouts reads files in the layouts of programs from which people export,
// and records the number or the refusal of every row.
func TestLayouts(t *testing.T) {
	root, err := os.OpenRoot("testdata/layouts")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, c := range []struct {
		src           Source
		phone, region string
	}{
		{Source{Kind: CSV, Path: "mailchimp.csv"}, "Phone Number", "DE"},
		{Source{Kind: CSV, Path: "klaviyo.csv"}, "Phone Number", ""},
		{Source{Kind: CSV, Path: "woocommerce.csv"}, "billing_phone", "DE"},
		{Source{Kind: CSV, Path: "salesforce-report.csv"}, "Mobile", "NL"},
		{Source{Kind: CSV, Path: "lead-ads.csv"}, "phone_number", ""},
		{Source{Kind: CSV, Path: "macintosh.csv", Encoding: "macintosh"}, "Portable", "FR"},
		{Source{Kind: NDJSON, Path: "events.ndjson"}, "phone", "DE"},
		{Source{Kind: JSON, Path: "api-export.json", Records: "data"}, "phone", "GB"},
	} {
		t.Run(c.src.Path, func(t *testing.T) {
			out := outcome(t, root, c.src, c.phone, c.region)
			golden.Assert(t, []byte(out), "testdata/layouts/"+c.src.Path+".golden")
		})
	}
}

func outcome(t *testing.T, root *os.Root, src Source, phone, region string) string {
	r, err := Open(t.Context(), src, Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	column := slices.Index(r.Columns, phone)
	var b strings.Builder
	fmt.Fprintf(&b, "columns %q\n", r.Columns)
	for row, err := range r.Rows() {
		if err != nil {
			fmt.Fprintf(&b, "%v\n", err)
			continue
		}
		e164, err := numbers().Parse(row.Values[column].Text, region)
		var refused *NumberError
		if errors.As(err, &refused) {
			e164 = refused.Reason
		}
		fmt.Fprintf(&b, "%v %s as %s", row.Place, e164, message.Canonical(e164))
		for _, v := range row.Values {
			fmt.Fprintf(&b, " %s", show(v))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s\n", strings.Join(r.Notes(), "\n"))
	return b.String()
}
