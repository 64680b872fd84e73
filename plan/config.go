package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/lang"
)

// ConfigDigest identifies what a configuration says, whoever its recipients are and
// whatever was sent: the text of its files and modules, the values of its variables, and
// what files and functions bring into its resources. It does not depend on secrets, on
// contacts, or on where the state lies. "sha256:…".
func ConfigDigest(cfg *lang.Config) (string, error) {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(cfg.Files)) {
		if text := withoutState(name, cfg.Files[name]); len(bytes.TrimSpace(text)) > 0 {
			fmt.Fprintf(h, "file %q %d\n", name, len(text))
			h.Write(text)
		}
	}
	for _, v := range cfg.Variables {
		if v.Sensitive { // a digest that everybody sees would let short secrets be found by trying
			continue
		}
		data, err := VariableJSON(v)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "variable %q %s\n", v.Name, data)
	}
	// The trees hold what is not in the files: values that functions read, and products.
	enc := json.NewEncoder(h)
	for _, r := range cfg.Resources() {
		fmt.Fprintf(h, "resource %q\n", r.Address)
		if err := enc.Encode(r.Tree); err != nil {
			return "", fmt.Errorf("encoding %s: %w", r.Address, err)
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// withoutState returns a file without what says where the state lies, so that a state can
// move. A file of JSON syntax stays as it is.
func withoutState(name string, text []byte) []byte {
	file, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	if diags.HasErrors() {
		return text
	}
	out, from := []byte(nil), 0
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		if b.Type != "handbill" {
			continue
		}
		cut := b.Body.Blocks
		if len(b.Body.Attributes) == 0 {
			cut = hclsyntax.Blocks{b} // it says nothing else
		}
		for _, c := range cut {
			if c.Type == "state" || c == b {
				out = append(out, text[from:c.Range().Start.Byte]...)
				from = c.Range().End.Byte
			}
		}
	}
	return append(out, text[from:]...)
}
