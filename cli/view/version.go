package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// VersionReport is the final report of "version".
type VersionReport struct {
	Version  string `json:"handbill_version"`
	Revision string `json:"revision"`
	Date     string `json:"date"`
	Dirty    bool   `json:"dirty"`
	Build    string `json:"handbill_build"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// JSON writes only the fields, as Terraform does.
func (r *VersionReport) JSON(w io.Writer, _ Style) error {
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return say(w, string(out)+"\n")
}

// Text writes the version and where it comes from.
func (r *VersionReport) Text(w io.Writer, _ Style) error {
	name := "v" + r.Version
	if r.Version == "devel" {
		name = "without a version"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "handbill %s\non %s, %s\n", name, r.Platform, r.Go)
	if r.Revision != "" {
		changed := ""
		if r.Dirty {
			changed = ", with changes that are not committed"
		}
		fmt.Fprintf(&b, "from commit %s of %s%s\n", r.Revision, r.Date, changed)
	}
	return say(w, b.String())
}
