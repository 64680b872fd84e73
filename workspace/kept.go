package workspace

import (
	"context"

	"github.com/handbill/handbill/plan"
)

// The names under which the state keeps what an apply leaves besides its
// deliveries: the outputs, and what serve needs to answer.
const (
	keptOutputs = "outputs"
	keptReplies = "reply_source"
)

// Kept returns what the state keeps of an apply of p besides its deliveries.
func (w *Workspace) Kept(p *plan.Plan) (map[string][]byte, error) {
	src, err := w.Config.ReplySource()
	if err != nil {
		return nil, err
	}
	outputs, err := p.MarshalOutputs()
	kept := map[string][]byte{keptOutputs: outputs, keptReplies: src}
	if err == nil && w.Shared() {
		kept[keptConfig], err = w.ConfigData()
	}
	return kept, err
}

// Outputs returns the outputs of the last apply. from is a state, or a snapshot of
// one.
func Outputs(ctx context.Context, from interface {
	Get(ctx context.Context, name string) ([]byte, error)
}) (plan.StoredOutputs, error) {
	data, err := from.Get(ctx, keptOutputs)
	if err != nil {
		return nil, err
	}
	return plan.ReadOutputs(data)
}
