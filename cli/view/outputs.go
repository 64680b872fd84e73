package view

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/handbill/handbill/plan"
)

// OutputsReport is the final report of "output": the outputs of the last apply by
// name.
type OutputsReport plan.StoredOutputs

// Text writes one output per line.
func (r OutputsReport) Text(w io.Writer, _ Style) error {
	if len(r) == 0 {
		return say(w, "No outputs. Declare them with output blocks; apply keeps their values.\n")
	}
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(r)) {
		value := "<sensitive>"
		if !r[n].Sensitive {
			value = jsonValue(string(r[n].Value))
		}
		fmt.Fprintf(&b, "%s = %s\n", n, value)
	}
	return say(w, b.String())
}

// JSON writes the outputs by name, as Terraform does.
func (r OutputsReport) JSON(w io.Writer, _ Style) error {
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return say(w, string(out)+"\n")
}

// OutputReport is the final report of "output NAME".
type OutputReport struct{ Value json.RawMessage }

// Text writes the value as HCL does.
func (r *OutputReport) Text(w io.Writer, _ Style) error {
	return say(w, jsonValue(string(r.Value))+"\n")
}

// JSON writes only the value.
func (r *OutputReport) JSON(w io.Writer, _ Style) error { return say(w, string(r.Value)+"\n") }
