package plan

import (
	"context"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
)

// Build makes the plan.
func Build(ctx context.Context, cfg *lang.Config, in Inputs) (*Plan, hcl.Diagnostics) {
	return &Plan{}, nil
}
