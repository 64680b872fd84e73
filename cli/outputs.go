package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// outputs is the name under which the state keeps the outputs of the last
// apply.
const outputs = "outputs"

// storedOutputs are the outputs of the last apply.
func storedOutputs(ctx context.Context, snap state.Snapshot) (view.OutputsReport, error) {
	values := view.OutputsReport{}
	data, err := snap.Get(ctx, outputs)
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, &values)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the outputs in the state: %w", err)
	}
	return values, nil
}

// lastOutputs are the values of storedOutputs as planning compares them.
func lastOutputs(ctx context.Context, snap state.Snapshot) (map[string]string, error) {
	values, err := storedOutputs(ctx, snap)
	last := make(map[string]string, len(values))
	for name, v := range values {
		last[name] = string(v.Value)
	}
	return last, err
}

// planOutputs are the outputs of a plan as views and the state take them.
func planOutputs(p *plan.Plan) ([]view.Output, []byte, error) {
	var list []view.Output
	stored := view.OutputsReport{}
	for _, o := range p.Outputs {
		if o.Change == "delete" {
			continue
		}
		list = append(list, view.Output{Name: o.Name, Value: o.Value, Sensitive: o.Sensitive})
		s := view.StoredOutput{Sensitive: o.Sensitive}
		if !o.Sensitive {
			s.Value = json.RawMessage(o.Value)
		}
		stored[o.Name] = s
	}
	data, err := json.Marshal(stored)
	return list, data, err
}
