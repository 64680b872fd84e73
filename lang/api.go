package lang

import (
	"context"
	"os"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/message"
)

// Options says what a configuration is loaded with. The zero value loads a
// configuration without variables, environment and providers.
type Options struct {
	// Vars are -var and -var-file in command-line order.
	Vars []VarInput
	// Environ is the process's environment, for HANDBILL_VAR_k.
	Environ []string
	// Env is what env("X") reads; nil refuses with a diagnostic.
	Env func(name string) (string, bool)
	// Schemas are the arguments of provider blocks by provider type.
	Schemas map[string]ProviderSchema
	// Version is handbill's own, for required_version; "" checks nothing.
	Version string
	// Limits are the limits of messages at a type of provider; nil stands for
	// message.DefaultLimits.
	Limits func(providerType string) message.Limits
	// Phone is what the function phone() calls; nil refuses.
	Phone func(raw, region string) (string, error)
}

// VarInput is one -var (Name and Raw) or one -var-file (File).
type VarInput struct{ Name, Raw, File string }

// ProviderSchema says which arguments a type of provider takes.
type ProviderSchema struct{ Arguments []ProviderArgument }

// ProviderArgument is one argument of a provider block.
type ProviderArgument struct {
	Name        string
	Type        cty.Type
	Required    bool
	Sensitive   bool
	Description string
}

type evaluator struct{}
type messageBody struct{}
type audienceExprs struct{}
type replyBody struct{}

// Load reads the configuration in dir.
func Load(ctx context.Context, dir string, opt Options) (*Config, hcl.Diagnostics) {
	return &Config{}, nil
}

// LoadFiles loads a configuration from a snapshot of its files.
func LoadFiles(ctx context.Context, files map[string][]byte, root *os.Root, opt Options) (*Config, hcl.Diagnostics) {
	return &Config{}, nil
}

// Missing names the variables that have no value and no default.
func (c *Config) Missing() []string { return nil }

// Rows makes people out of the rows of an audience's source.
type Rows struct{}

// Person is what a row of a source says.
type Person struct {
	Keep        bool
	Phone       string // raw, as the source has it
	UserID      string
	Attributes  []message.Value
	Consent     bool
	LastInbound time.Time
}

// RowError is a row for which an expression of the audience has no result.
type RowError struct {
	Range           hcl.Range
	Code            string
	Summary, Detail string
}

// Error is the summary and the detail.
func (e *RowError) Error() string { return e.Summary + ": " + e.Detail }

// ValueError is a recipient for whom a text of a message has no result.
type ValueError struct {
	Code            string // "empty_value" or "evaluation"
	Attribute       string
	Range           hcl.Range
	Summary, Detail string
}

// Error is the summary and the detail.
func (e *ValueError) Error() string { return e.Summary + ": " + e.Detail }

// BindAudience compiles an audience's expressions for the columns of its source.
func (c *Config) BindAudience(a *Audience, columns []string) (*Rows, hcl.Diagnostics) {
	return nil, nil
}

// Eval evaluates one row.
func (r *Rows) Eval(values []message.Value, out *Person) error { return nil }

// Program is a message bound to a campaign or reply rule.
type Program struct{ Draft *message.Draft }

// CompileCampaign compiles a campaign's message and its fallback.
func (c *Config) CompileCampaign(cm *Campaign) (main, fallback *Program, diags hcl.Diagnostics) {
	return nil, nil, nil
}

// Eval appends the values of the draft's slots for one recipient.
func (p *Program) Eval(r *message.Recipient, dst []string) ([]string, error) { return dst, nil }

// Range is the place in the source of the field at path.
func (p *Program) Range(path string) hcl.Range { return hcl.Range{} }

// Uses names the recipient's attributes that the message uses.
func (p *Program) Uses() []string { return nil }

// CheckResult is one assertion of a check block.
type CheckResult struct {
	Name    string
	Passed  bool
	Message string
	Range   hcl.Range
}

// OutputValue is an output block's value.
type OutputValue struct {
	Name        string
	Description string
	Sensitive   bool
	Value       cty.Value
}

// EvalChecks evaluates the check blocks.
func (c *Config) EvalChecks(plan cty.Value) []CheckResult { return nil }

// EvalOutputs evaluates the output blocks.
func (c *Config) EvalOutputs(plan cty.Value) ([]OutputValue, hcl.Diagnostics) { return nil, nil }

// EvalConsole evaluates one expression.
func (c *Config) EvalConsole(src string) (cty.Value, hcl.Diagnostics) { return cty.NilVal, nil }

// Resource is everything that the plan compares.
type Resource struct {
	Address, Type, Name string
	Tree                Tree
	Refs                []string
	DeclRange           hcl.Range
}

// Resources are the resources.
func (c *Config) Resources() []Resource { return nil }

// ReplySource is the snapshot of the configuration that the state keeps.
func (c *Config) ReplySource() ([]byte, error) { return nil, nil }

// LoadReplySource loads a configuration from a snapshot of ReplySource.
func LoadReplySource(ctx context.Context, src []byte, opt Options) (*Config, hcl.Diagnostics) {
	return &Config{}, nil
}

// FunctionInfo describes one function of the language.
type FunctionInfo struct{ Name, Signature, Description string }

// Functions describes the functions of the language.
func Functions() []FunctionInfo { return nil }

// DiagCode is the stable code of a diagnostic.
func DiagCode(d *hcl.Diagnostic) string { return "" }

// Format is the canonical form of a file.
func Format(src []byte, filename string) ([]byte, hcl.Diagnostics) { return src, nil }

// Graph is the dependency graph.
type Graph struct {
	Nodes []string
	Edges []Edge
}

// Edge says that From refers to To.
type Edge struct{ From, To string }

// DOT is the graph in Graphviz's language.
func (g *Graph) DOT() string { return "" }
