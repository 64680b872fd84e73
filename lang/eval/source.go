package eval

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// sourceOf is the canonical form of the expression at rng.
func sourceOf(rng hcl.Range, src []byte) string {
	if rng.Empty() || rng.End.Byte > len(src) {
		return ""
	}
	return string(bytes.TrimSpace(hclwrite.Format(rng.SliceBytes(src))))
}
