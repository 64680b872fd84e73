package plan

import (
	"encoding/json"
	"fmt"
)

// StoredOutputs are the outputs of the last apply by name, as the state keeps
// them.
type StoredOutputs map[string]StoredOutput

// StoredOutput is an output in the state; a sensitive one is kept without its
// value.
type StoredOutput struct {
	Value     json.RawMessage `json:"value,omitempty"`
	Sensitive bool            `json:"sensitive"`
}

// ReadOutputs reads what MarshalOutputs wrote; nil stands for no outputs.
func ReadOutputs(data []byte) (StoredOutputs, error) {
	values := StoredOutputs{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &values); err != nil {
			return nil, fmt.Errorf("reading the outputs in the state: %w", err)
		}
	}
	return values, nil
}

// Values are the outputs' values as Inputs.Outputs takes them.
func (o StoredOutputs) Values() map[string]string {
	values := make(map[string]string, len(o))
	for name, v := range o {
		values[name] = string(v.Value)
	}
	return values
}

// MarshalOutputs is what the state keeps of the outputs of p.
func (p *Plan) MarshalOutputs() ([]byte, error) {
	stored := StoredOutputs{}
	for _, o := range p.Outputs {
		if o.Change == Delete {
			continue
		}
		s := StoredOutput{Sensitive: o.Sensitive}
		if !o.Sensitive {
			s.Value = json.RawMessage(o.Value)
		}
		stored[o.Name] = s
	}
	return json.Marshal(stored)
}
