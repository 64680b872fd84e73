package lang

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/lang/eval"
)

// readingFunctions read files. Their results go into a snapshot, so that it
// can be loaded where the files are not, or have changed.
var readingFunctions = []string{"file", "csv"}

// readMemo keeps what reading functions returned, by call.
type readMemo struct {
	calls map[string]typedValue
}

func newReadMemo() *readMemo { return &readMemo{calls: map[string]typedValue{}} }

// wrap makes the reading functions answer from the memo, and store new results.
func (m *readMemo) wrap(funcs map[string]function.Function) map[string]function.Function {
	out := maps.Clone(funcs)
	for _, name := range readingFunctions {
		if inner, ok := funcs[name]; ok {
			out[name] = m.remembering(name, inner)
		}
	}
	return out
}

func (m *readMemo) remembering(name string, inner function.Function) function.Function {
	spec := &function.Spec{
		Description: inner.Description(), Params: inner.Params(), VarParam: inner.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			v, err := m.call(name, inner, args)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return m.call(name, inner, args) },
	}
	return function.New(spec)
}

func (m *readMemo) call(name string, inner function.Function, args []cty.Value) (cty.Value, error) {
	for _, a := range args {
		if !a.IsWhollyKnown() {
			return cty.DynamicVal, nil
		}
	}
	key := callKey(name, args)
	if done, ok := m.calls[key]; ok {
		return done.Value, nil
	}
	v, err := inner.Call(args)
	if err != nil {
		return cty.DynamicVal, err
	}
	if key != "" && v.IsWhollyKnown() && !eval.IsSensitive(v) {
		m.calls[key] = typedValue{v}
	}
	return v, nil
}

func callKey(name string, args []cty.Value) string {
	parts := []string{name}
	for _, a := range args {
		a = unmarked(a)
		js, err := ctyjson.Marshal(a, a.Type())
		if err != nil {
			return ""
		}
		parts = append(parts, string(js))
	}
	return strings.Join(parts, " ")
}

// typedValue is a value with its type in JSON.
type typedValue struct{ cty.Value }

// MarshalJSON writes the value together with its type.
func (v typedValue) MarshalJSON() ([]byte, error) {
	return ctyjson.Marshal(v.Value, cty.DynamicPseudoType)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (v *typedValue) UnmarshalJSON(src []byte) (err error) {
	v.Value, err = ctyjson.Unmarshal(src, cty.DynamicPseudoType)
	return err
}

// snapshot is the format of ReplySource: everything needed to compile the reply
// rules again elsewhere, without secrets.
type snapshot struct {
	FormatVersion int                   `json:"format_version"`
	Files         map[string]string     `json:"files"`
	Variables     map[string]typedValue `json:"variables"`
	Reads         map[string]typedValue `json:"reads"`
}

// ReplySource returns the snapshot of the configuration that the state keeps, so
// that serve compiles the rules of the last apply: the files, the values of
// variables that are not sensitive, and what was read from files. The same
// configuration gives the same bytes. Where the snapshot is loaded, sensitive
// variables and env() are read again.
func (c *Config) ReplySource() ([]byte, error) {
	s := snapshot{FormatVersion: 1, Files: map[string]string{}, Variables: map[string]typedValue{}, Reads: c.eval.reads.calls}
	for name, src := range c.Files {
		s.Files[name] = string(src)
	}
	for _, v := range c.Variables {
		if !v.Sensitive && v.Value.IsWhollyKnown() {
			s.Variables[v.Name] = typedValue{unmarked(v.Value)}
		}
	}
	out, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode the snapshot of the configuration: %w", err)
	}
	return out, nil
}

// LoadReplySource is LoadFiles for a snapshot of ReplySource. Variables that are
// not sensitive get their values from the snapshot, whatever opt says.
func LoadReplySource(ctx context.Context, src []byte, opt Options) (*Config, hcl.Diagnostics) {
	diags := &diagList{}
	var s snapshot
	if err := json.Unmarshal(src, &s); err != nil || s.FormatVersion != 1 {
		diags.err("file_unreadable", hcl.Range{}, "The snapshot of the configuration in the state is not of a form that this version of handbill reads. Apply the configuration again.")
		return newConfig(opt), diags.all
	}
	files := map[string][]byte{}
	for name, text := range s.Files {
		files[name] = []byte(text)
	}
	opt.Vars = slices.Clone(opt.Vars)
	opt.known = map[string]cty.Value{}
	for name, v := range s.Variables {
		opt.known[name] = v.Value
	}
	reads := newReadMemo()
	maps.Copy(reads.calls, s.Reads)
	return load(ctx, files, source{reads: reads}, opt, diags)
}
