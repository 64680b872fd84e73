package eval

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// lower turns an expression of JSON syntax into the native tree that it means, so
// that everything else deals with one kind. Strings in JSON are templates.
// Expressions of other kinds, such as those of an expanded dynamic block, are
// returned unchanged.
func lower(expr hcl.Expression) (hcl.Expression, hcl.Diagnostics) {
	if _, native := expr.(hclsyntax.Expression); native || !hcljson.IsJSONExpression(expr) {
		return expr, nil
	}
	return lowerJSON(expr)
}

func lowerJSON(expr hcl.Expression) (hclsyntax.Expression, hcl.Diagnostics) {
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
		return lowerObject(expr, pairs)
	}
	if items, diags := hcl.ExprList(expr); !diags.HasErrors() {
		tuple := &hclsyntax.TupleConsExpr{SrcRange: expr.Range(), OpenRange: expr.StartRange()}
		for _, item := range items {
			e, diags := lowerJSON(item)
			if diags.HasErrors() {
				return nil, diags
			}
			tuple.Exprs = append(tuple.Exprs, e)
		}
		return tuple, nil
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() {
		return nil, diags
	}
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		return lowerTemplate(v.AsString(), expr.Range())
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: expr.Range()}, nil
}

func lowerTemplate(text string, rng hcl.Range) (hclsyntax.Expression, hcl.Diagnostics) {
	if diags := ScanTemplate([]byte(text), rng.Filename); diags.HasErrors() {
		for _, d := range diags {
			d.Subject = &rng
		}
		return nil, diags
	}
	start := hcl.Pos{Line: rng.Start.Line, Column: rng.Start.Column + 1, Byte: rng.Start.Byte + 1}
	return hclsyntax.ParseTemplate([]byte(text), rng.Filename, start)
}

func lowerObject(expr hcl.Expression, pairs []hcl.KeyValuePair) (hclsyntax.Expression, hcl.Diagnostics) {
	object := &hclsyntax.ObjectConsExpr{SrcRange: expr.Range(), OpenRange: expr.StartRange()}
	seen := map[string]bool{}
	for _, pair := range pairs {
		key, diags := lowerJSON(pair.Key)
		if diags.HasErrors() {
			return nil, diags
		}
		if v, diags := key.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() {
			if seen[v.AsString()] {
				return nil, duplicateKey(v.AsString(), pair.Key.Range())
			}
			seen[v.AsString()] = true
		}
		value, diags := lowerJSON(pair.Value)
		if diags.HasErrors() {
			return nil, diags
		}
		object.Items = append(object.Items, hclsyntax.ObjectConsItem{
			KeyExpr:   &hclsyntax.ObjectConsKeyExpr{Wrapped: key, ForceNonLiteral: true},
			ValueExpr: value,
		})
	}
	return object, nil
}

func duplicateKey(name string, rng hcl.Range) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Duplicate object attribute", Subject: &rng,
		Detail: fmt.Sprintf("An attribute named %q was already defined.", name),
	}}
}
