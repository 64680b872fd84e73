// Package plantest runs the plan tests of a configuration: *.test.hcl files
// whose run blocks say what goes in (variables, a clock, contacts, what was
// sent before, what people did, webhooks that were recorded) and what must come
// out (assertions over the plan and over what reply rules answer, errors, golden
// files). Nothing is sent, no account is needed, and no
// network or state file is touched.
package plantest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// maxFile bounds a test file.
const maxFile = 1 << 20

// Run is one run block.
type Run struct {
	File, Name string
	Range      hcl.Range

	At           time.Time
	Variables    map[string]cty.Value
	Env          map[string]string
	Contacts     []Contacts
	Deliveries   []Delivery
	OptedOut     []string
	People       []Person
	Events       []Event // in the order of the file
	Lookups      map[string]json.RawMessage
	Applied      []string // files of the configuration that was applied before
	AppliedNow   bool     // the configuration itself was applied before
	Asserts      []lang.Assert
	ExpectErrors []string // codes; the plan must fail with each of them and no other
	Golden       string   // file beside the test, for the plan; "" for none
	GoldenReply  string   // the same for the replies

	src []byte
}

// Contacts replace what an audience reads.
type Contacts struct {
	Audience string
	Columns  []string
	Rows     [][]string
	Ranges   []hcl.Range
}

// Delivery is what became of one message before the run.
type Delivery struct {
	Campaign, Recipient, Outcome, Code string
	ID                                 string // the provider's, which webhooks name; "" for none
	Message                            string // address of what was sent; "" for the campaign's message
	Revision                           int
	At                                 time.Time
	Rank                               message.Rank // how far it got, and when
	RankAt, Replied, Clicked           time.Time
	state.Choice
}

var fileSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "run", LabelNames: []string{"name"}}}}

var runSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "at"}, {Name: "variables"}, {Name: "env"}, {Name: "expect_errors"}, {Name: "golden"}, {Name: "golden_reply"}},
	Blocks: []hcl.BlockHeaderSchema{
		{Type: "contacts", LabelNames: []string{"audience"}}, {Type: "state"}, {Type: "event", LabelNames: []string{"kind"}}, {Type: "webhook"},
		{Type: "lookup_answer", LabelNames: []string{"lookup"}}, {Type: "assert"},
	},
}

var contactsSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "rows", Required: true}}}

var stateSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "opted_out"}, {Name: "applied"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "delivery", LabelNames: []string{"campaign"}}, {Type: "person", LabelNames: []string{"recipient"}}},
}

var deliverySchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "recipient", Required: true}, {Name: "outcome"}, {Name: "code"}, {Name: "revision"}, {Name: "at"}, {Name: "id"}, {Name: "message"},
	{Name: "delivered_at"}, {Name: "read_at"}, {Name: "replied_at"}, {Name: "clicked_at"}, {Name: "arm"}, {Name: "variant"}, {Name: "attributes"},
}}

var assertSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "condition", Required: true}, {Name: "error_message", Required: true}}}

// Load reads the test files of a directory, in the order of their names. files
// are their sources, for the snippets of diagnostics.
func Load(root *os.Root) (runs []*Run, files map[string][]byte, diags hcl.Diagnostics) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, nil, hcl.Diagnostics{problem(nil, "The directory cannot be read: %s.", err)}
	}
	files = map[string][]byte{}
	parser := hclparse.NewParser()
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".test.hcl") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		src, err := fs.ReadFile(root.FS(), e.Name())
		if err != nil || len(src) > maxFile {
			diags = append(diags, problem(nil, "%s cannot be read, or is larger than %d MiB.", e.Name(), maxFile>>20))
			continue
		}
		if more := eval.ScanTokens(src, e.Name()); more.HasErrors() {
			diags = append(diags, more...)
			continue
		}
		files[e.Name()] = src
		parsed, more := parser.ParseHCL(src, e.Name())
		diags = append(diags, more...)
		if more.HasErrors() {
			continue
		}
		of, more := decodeFile(parsed.Body, e.Name(), src)
		runs, diags = append(runs, of...), append(diags, more...)
	}
	return runs, files, diags
}

func decodeFile(body hcl.Body, name string, src []byte) ([]*Run, hcl.Diagnostics) {
	content, diags := body.Content(fileSchema)
	var runs []*Run
	seen := map[string]bool{}
	for _, b := range content.Blocks {
		d := &decoder{run: &Run{src: src, File: name, Name: b.Labels[0], Range: b.DefRange, At: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}}
		if seen[d.run.Name] {
			d.fail(b.DefRange, "There are two runs called %q in this file.", d.run.Name)
		}
		seen[d.run.Name] = true
		d.decode(b.Body)
		runs, diags = append(runs, d.run), append(diags, d.diags...)
	}
	return runs, diags
}

// decoder reads one run block.
type decoder struct {
	run   *Run
	diags hcl.Diagnostics
}

func problem(rng *hcl.Range, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid plan test", Detail: fmt.Sprintf(format, args...), Subject: rng}
}

func (d *decoder) fail(rng hcl.Range, format string, args ...any) {
	d.diags = append(d.diags, problem(&rng, format, args...))
}

func (d *decoder) content(body hcl.Body, schema *hcl.BodySchema) *hcl.BodyContent {
	c, diags := body.Content(schema)
	d.diags = append(d.diags, diags...)
	return c
}

func (d *decoder) decode(body hcl.Body) {
	c := d.content(body, runSchema)
	d.run.At = d.time(c.Attributes["at"], d.run.At)
	d.run.Golden = d.text(c.Attributes["golden"], "")
	d.run.GoldenReply = d.text(c.Attributes["golden_reply"], "")
	d.run.ExpectErrors = d.texts(c.Attributes["expect_errors"])
	d.run.Variables = d.object(c.Attributes["variables"])
	d.run.Env = map[string]string{}
	for name, v := range d.object(c.Attributes["env"]) {
		d.run.Env[name] = textOf(v)
	}
	d.run.Lookups = d.lookups(c.Blocks)
	for _, b := range c.Blocks {
		switch b.Type {
		case "contacts":
			d.contacts(b)
		case "state":
			d.state(b)
		case "event":
			d.event(b)
		case "webhook":
			d.webhook(b)
		case "assert":
			a := d.content(b.Body, assertSchema).Attributes
			if a["condition"] != nil && a["error_message"] != nil {
				d.run.Asserts = append(d.run.Asserts, lang.Assert{Condition: a["condition"].Expr, ErrorMessage: a["error_message"].Expr, DeclRange: b.DefRange})
			}
		}
	}
	if len(d.run.Asserts) == 0 && d.run.Golden == "" && d.run.GoldenReply == "" && len(d.run.ExpectErrors) == 0 {
		d.fail(d.run.Range, "The run %q expects nothing. It needs an assert block, golden = \"FILE\", golden_reply = \"FILE\", or expect_errors = [\"CODE\"].", d.run.Name)
	}
}

func (d *decoder) value(a *hcl.Attribute) (cty.Value, bool) {
	if a == nil {
		return cty.NilVal, false
	}
	v, diags := a.Expr.Value(nil)
	d.diags = append(d.diags, diags...)
	return v, !diags.HasErrors() && v.IsWhollyKnown() && !v.IsNull()
}

func (d *decoder) text(a *hcl.Attribute, otherwise string) string {
	v, ok := d.value(a)
	if !ok {
		return otherwise
	}
	return textOf(v)
}

// textOf converts a scalar to text; anything else gives "".
func textOf(v cty.Value) string {
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return ""
	}
	return s.AsString()
}

func (d *decoder) texts(a *hcl.Attribute) []string {
	v, ok := d.value(a)
	if !ok {
		return nil
	}
	if !v.CanIterateElements() {
		d.fail(a.Range, "A list of texts is needed here.")
		return nil
	}
	var out []string
	for _, e := range v.AsValueSlice() {
		out = append(out, textOf(e))
	}
	return out
}

func (d *decoder) object(a *hcl.Attribute) map[string]cty.Value {
	v, ok := d.value(a)
	if !ok {
		return nil
	}
	if !v.Type().IsObjectType() {
		d.fail(a.Range, "An object such as { name = \"value\" } is needed here.")
		return nil
	}
	return v.AsValueMap()
}

func (d *decoder) time(a *hcl.Attribute, otherwise time.Time) time.Time {
	if a == nil {
		return otherwise
	}
	t, err := time.Parse(time.RFC3339, d.text(a, ""))
	if err != nil {
		d.fail(a.Range, "A time such as \"2026-03-01T09:00:00+01:00\" is needed here.")
		return otherwise
	}
	return t
}

// contacts reads rows of objects; their columns are all keys that occur.
func (d *decoder) contacts(b *hcl.Block) {
	a := d.content(b.Body, contactsSchema).Attributes["rows"]
	v, ok := d.value(a)
	if !ok {
		return
	}
	if !v.Type().IsTupleType() {
		d.fail(a.Range, "A list of objects is needed here, one for each row.")
		return
	}
	// Written contacts always have both address columns.
	out := Contacts{Audience: state.Quoted(b.Labels[0]), Columns: []string{"phone", "user_id"}}
	var rows []map[string]cty.Value
	for _, row := range v.AsValueSlice() {
		if row.IsNull() || !row.Type().IsObjectType() {
			d.fail(a.Range, "Every row is an object such as { phone = \"+4915112345601\", name = \"Ada\" }.")
			return
		}
		fields := row.AsValueMap()
		rows = append(rows, fields)
		for name := range fields {
			if !slices.Contains(out.Columns, name) {
				out.Columns = append(out.Columns, name)
			}
		}
	}
	slices.Sort(out.Columns)
	for _, fields := range rows {
		cells := make([]string, len(out.Columns))
		for i, name := range out.Columns {
			if v, ok := fields[name]; ok {
				cells[i] = textOf(v)
			}
		}
		out.Rows = append(out.Rows, cells)
		out.Ranges = append(out.Ranges, a.Range)
	}
	d.run.Contacts = append(d.run.Contacts, out)
}

// became decodes how far a message got, whatever came of it, and what was kept with it.
func (d *decoder) became(v *Delivery, a hcl.Attributes) {
	v.Replied, v.Arm, v.Variant = d.time(a["replied_at"], time.Time{}), d.text(a["arm"], ""), d.text(a["variant"], "")
	v.Clicked = d.time(a["clicked_at"], time.Time{})
	if v.RankAt = d.time(a["delivered_at"], time.Time{}); !v.RankAt.IsZero() {
		v.Rank = message.RankDelivered
	}
	if read := d.time(a["read_at"], time.Time{}); !read.IsZero() {
		v.Rank, v.RankAt = message.RankRead, read
	}
	if a["attributes"] != nil {
		d.object(a["attributes"])
		if kept, ok := d.value(a["attributes"]); ok {
			v.Attributes = string(asJSON(kept))
		}
	}
}

func (d *decoder) state(b *hcl.Block) {
	c := d.content(b.Body, stateSchema)
	d.run.OptedOut = append(d.run.OptedOut, d.texts(c.Attributes["opted_out"])...)
	d.applied(c.Attributes["applied"])
	for _, db := range c.Blocks {
		if db.Type == "person" {
			d.person(db)
			continue
		}
		a := d.content(db.Body, deliverySchema).Attributes
		v := Delivery{Campaign: state.Quoted(db.Labels[0]), Recipient: d.text(a["recipient"], ""), Outcome: d.text(a["outcome"], "accepted"),
			Code: d.text(a["code"], ""), ID: d.text(a["id"], ""), Message: d.address(a["message"]), Revision: 1, At: d.time(a["at"], d.run.At.Add(-48*time.Hour))}
		if n, ok := d.value(a["revision"]); ok {
			if err := gocty.FromCtyValue(n, &v.Revision); err != nil {
				d.fail(a["revision"].Range, "A whole number is needed here.")
			}
		}
		if _, ok := outcomes[v.Outcome]; !ok {
			d.fail(a["outcome"].Range, "The outcome is one of accepted, failed, rejected, in_doubt, held_out.")
		}
		d.became(&v, a)
		d.run.Deliveries = append(d.run.Deliveries, v)
	}
}
