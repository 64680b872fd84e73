package lang

import (
	"encoding/json"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
)

// Config is everything that a directory declares, decoded and checked, with
// variables and locals evaluated. Declarations are in source order: by file
// name, then by position.
type Config struct {
	Settings   Settings
	Variables  []*Variable
	Locals     []*Local
	Outputs    []*Output
	Providers  []*Provider
	Data       []*DataTemplate
	Templates  []*Template
	Singletons []*Singleton
	Catalogs   []*Catalog
	Links      []*Link
	Messages   []*Message
	Audiences  []*Audience
	Campaigns  []*Campaign
	ReplyRules []*ReplyRule
	StopWords  []*StopWords
	Checks     []*Check
	Moved      []*Moved
	Removed    []*Removed
	Imports    []*Import

	// Graph is the dependency graph of everything that has an address.
	Graph *Graph
	// Files are the parsed sources by name relative to the directory, for
	// diagnostics and for the snapshot in a saved plan.
	Files map[string][]byte
	// VarFiles are the files of variable values that were read, for the
	// snippets of diagnostics only: they may hold secrets.
	VarFiles map[string][]byte

	missing  []string
	modules  map[string]*module // calls, by address
	compiled map[string]*compiledCampaign
	replies  map[string]*ReplyProgram
	texts    map[hcl.Range]Text // as they were compiled
	defaults message.Limits     // of messages that no provider is known for
	// eval holds what expressions are evaluated with; opaque to callers.
	eval *evaluator
}

// Settings is the handbill block.
type Settings struct {
	RequiredVersion string // a constraint such as ">= 0.1, < 1.0"; "" for none
	State           StateSettings
	// ReplyBudget is how many answers the reply rules give one person before an
	// operator takes over; 60 in an hour by default.
	ReplyBudget Frequency
	DeclRange   hcl.Range
}

// StateSettings says where the state lives.
type StateSettings struct {
	Type string // "sqlite" (the default) or "postgres"
	Path string // sqlite: relative to the directory; default "handbill.state"
	URL  string // postgres; sensitive
	// Schema is where a state in PostgreSQL lies.
	Schema string
}

// Variable is a variable block with the value it got.
type Variable struct {
	Name        string
	Description string
	Type        cty.Type
	Value       cty.Value // marked where Sensitive
	Sensitive   bool
	Nullable    bool
	Default     bool // the value is the default
	DeclRange   hcl.Range
}

// Local is one named expression of a locals block.
type Local struct {
	Name      string
	Value     cty.Value
	DeclRange hcl.Range
}

// Output is an output block. Its value may depend on the plan's results, so
// it is evaluated by EvalOutput.
type Output struct {
	Name        string
	Description string
	Sensitive   bool
	Expr        hcl.Expression
	DeclRange   hcl.Range
}

// Provider is one sending number at one provider.
type Provider struct {
	Module    string // the module's address; "" for none
	Type      string // "sandbox", "onemsg", …
	Name      string
	Arguments map[string]cty.Value // as the provider's schema types them; sensitive ones marked
	// Unset are the secret arguments that read an environment variable that is
	// not set. They are not in Arguments: plans can use the number, but nothing
	// can be sent through it.
	Unset     []UnsetSecret
	DeclRange hcl.Range
	tree      Tree
}

// UnsetSecret is a secret argument without a value.
type UnsetSecret struct{ Argument, Variable string }

// Address is "provider.sandbox.main".
func (p *Provider) Address() string {
	return message.WithModule(p.Module, "provider."+p.Type+"."+p.Name)
}

// Catalog declares the products that messages may name.
type Catalog struct {
	Module    string // the module's address; "" for none
	Name      string
	ID        string
	Products  []Product // in order of declaration
	Manage    *Manage   // nil for a catalog that is only named by messages
	DeclRange hcl.Range
	tree      Tree
}

// Address is "catalog.spring".
func (c *Catalog) Address() string { return message.WithModule(c.Module, "catalog."+c.Name) }

// Product is one product of a Catalog.
type Product struct {
	ID           string // retailer id
	Title        string
	Description  string
	Price        string // "19.90 EUR"
	Availability string // "in stock", "out of stock", …; "" when not declared
	Hidden       bool
	Attributes   map[string]cty.Value // other columns of a products source
	DeclRange    hcl.Range
}

// Message is one declared message of any kind. Its texts stay expressions
// until a campaign or reply rule binds them.
type Message struct {
	Module string // the module's address; "" for none
	Kind   message.Kind
	Name   string
	Tree   Tree // for the resource diff: constants evaluated, the rest as source
	// Category is the category in which a template is approved: "marketing",
	// "utility" or "authentication"; "" if none is declared, and for other kinds.
	Category  string
	DeclRange hcl.Range
	body      *messageBody // opaque: what compile needs
}

// Address is "list_message.browse".
func (m *Message) Address() string {
	return message.WithModule(m.Module, string(m.Kind)+"."+m.Name)
}

// Audience says who gets messages: a source, how a row becomes a contact, and who
// is left out.
type Audience struct {
	Module     string // the module's address; "" for none
	Name       string
	Source     Source
	Region     string   // default region for national numbers, ISO 3166-1 alpha-2; may be ""
	Attributes []string // names, sorted
	Optional   []string // attributes that may be empty
	// Placeholders are texts that count as an empty value.
	Placeholders []string
	Columns      []string // declared columns; nil when they come from the source's header
	Exclude      []*Audience
	HasConsent   bool // consent is declared
	HasWindow    bool // last_inbound is declared
	Tree         Tree
	DeclRange    hcl.Range
	exprs        audienceExprs // opaque: what Bind compiles
}

// Address is "audience.subscribers".
func (a *Audience) Address() string { return message.WithModule(a.Module, "audience."+a.Name) }

// Source mirrors the audience's source block.
type Source struct {
	Kind      string // "campaign", "csv", "ndjson", "json", "http", "parquet", "sql", "xlsx", "inline"
	Path      string
	Encoding  string
	Delimiter string
	Records   string
	Sheet     string // of a workbook; "" for its only one
	HeaderRow int    // from 1; 0 for the first row that is not empty
	Driver    string
	DSN       string        // sensitive
	HideDSN   bool          // the DSN is made from a sensitive value
	Timeout   time.Duration // how long the database or service may take to answer; 0 for the default
	Query     string
	URL       string                            // of a web service; may be sensitive
	HideURL   bool                              // the URL is made from a sensitive value
	Format    string                            // of its answer: "csv", "ndjson", "json"; "" for what it says itself
	Headers   map[string]string                 // of the request; sensitive
	Next      func(page []byte) (string, error) // the address of the page after the one with this JSON, "" after the last; nil for one page
	Contacts  []Contact                         // inline
	// Of is the campaign whose outcomes the rows are, and After how long after its
	// message somebody gets another one; nil and 0 for other kinds.
	Of        *Campaign
	After     time.Duration
	DeclRange hcl.Range
	followed  *followed // opaque: what Of is found by; nil for other kinds
}

// Contact is an inline contact block: the phone (or user id) and attributes,
// parallel to Audience.Columns.
type Contact struct {
	Values    []message.Value
	DeclRange hcl.Range
}

// Campaign is one message to one audience through one provider.
type Campaign struct {
	Module        string // the module's address; "" for none
	Name          string
	Provider      *Provider
	Audience      *Audience
	Message       *Message
	Fallback      *Message // nil for none
	Variants      []*Variant
	Experiment    *Experiment // nil for none
	OnInvalid     string      // "fail" or "skip"
	Window        string      // "known" or "assume_open"
	Revision      int
	Throughput    float64 // messages per second; 0 for the provider's
	MaxAttempts   int
	Testers       []string // E.164
	Schedule      *Schedule
	Limit         *CampaignLimit
	Canary        *Canary
	StopIf        StopIf
	PriceGuard    *PriceGuard
	PreventResend bool
	// Kept are the attributes of recipients that audiences made of this campaign's
	// outcomes read, sorted: apply keeps them with each message.
	Kept      []string
	Tree      Tree
	DeclRange hcl.Range
	values    hclsyntax.Expression
	// quote and identity are the envelope's; nil for none.
	quote, identity hclsyntax.Expression
}

// Address is "campaign.spring".
func (c *Campaign) Address() string { return message.WithModule(c.Module, "campaign."+c.Name) }

// Schedule bounds when a campaign may send.
type Schedule struct {
	NotBefore  time.Time      // zero for none
	NotAfter   time.Time      // zero for none
	QuietFrom  int            // minutes after midnight, -1 for no quiet hours
	QuietUntil int            // minutes after midnight; may be before QuietFrom: over midnight
	Timezone   *time.Location // nil for the recipient's own
	At         int            // minutes after midnight where the recipient is, -1 for any time
	Within     time.Duration  // how long after At it may still go out
	DeclRange  hcl.Range
}

// CampaignLimit bounds how much a campaign may do.
type CampaignLimit struct {
	PerRecipient  Frequency // over all campaigns of the state
	Total         int       // per apply; 0 for none
	MaxRecipients int       // a guard: more fails the plan; 0 for none
	MaxChange     float64   // a guard: share of the last audience that may be new or gone, 0 to 1; 0 for none
	DeclRange     hcl.Range
}

// Frequency is "1 per 24h"; Count 0 for none.
type Frequency struct {
	Count int
	Per   time.Duration
}

// Canary sends a campaign's first messages before the others.
type Canary struct {
	Count          int
	Percent        float64
	Wait           time.Duration
	MaxFailureRate float64
	DeclRange      hcl.Range
}

// StopIf halts a campaign when too many sends fail.
type StopIf struct {
	FailureRate float64 // share of the last Over answers, 0 to 1
	Over        int
}

// PriceGuard refuses a plan of a campaign that may cost more.
type PriceGuard struct {
	Max       account.Price
	DeclRange hcl.Range
}

// ReplyRule says what serve answers to which inbound message. Apply stores it in
// the state as source text, from which package reply compiles it again.
type ReplyRule struct {
	Module    string // the module's address; "" for none
	Name      string
	Provider  *Provider // nil for every provider
	When      *When
	Lookups   []Lookup
	Forward   *Forward // nil for none
	Set       []string // attributes of the recipient that the rule sets, sorted
	Priority  int      // the highest is tried first
	Continue  bool
	Cooldown  time.Duration
	Reply     *Message // nil where the rule only forwards or sets
	Handover  bool
	MarkRead  bool // shows the person that the message was read, before anything else
	Typing    bool // shows that an answer is being written; this also marks the message as read
	Tree      Tree
	DeclRange hcl.Range
	body      *replyBody // opaque: when, values, lookups, forwards, sets
}

// Address is "reply_rule.availability".
func (r *ReplyRule) Address() string { return message.WithModule(r.Module, "reply_rule."+r.Name) }

// Check is a check block: assertions that are evaluated against the plan.
type Check struct {
	Name      string // in a module its address, module.welcome.check.budget
	Asserts   []Assert
	DeclRange hcl.Range
}

// Assert is one condition of a Check.
type Assert struct {
	Condition    hcl.Expression
	ErrorMessage hcl.Expression
	DeclRange    hcl.Range
}

// Moved renames a resource, or a module with all it has, without losing its history.
type Moved struct {
	From, To  string // addresses
	DeclRange hcl.Range
}

// Tree is one resource as the plan compares and draws it: attributes and
// nested blocks in the language's order. Constant texts are values; a text
// that depends on a recipient or on value.* is its template source,
// "Hello, ${recipient.name}". Sensitive values are never in it.
type Tree struct {
	Attributes []Attribute `json:"attributes,omitempty"`
	Blocks     []Block     `json:"blocks,omitempty"`
	// Contacts is how many contact blocks an audience has. People are counted and
	// never shown, and a change of people is no change of the resource.
	Contacts int `json:"contacts,omitempty"`
}

// Attribute is one argument of a Tree.
type Attribute struct {
	Name string `json:"name"`
	// Value is JSON: a string, number, bool, null, array or object. It is HCL, and
	// Reference is set, for a reference such as audience.subscribers, and for an
	// expression that depends on the recipient or row and is no template.
	Value     string `json:"value,omitempty"`
	Reference bool   `json:"reference,omitempty"` // Value is an address or an expression's source: HCL, printed as it is
	Sensitive bool   `json:"sensitive,omitempty"` // Value is empty
}

// TextAttribute is an argument whose value is a text.
func TextAttribute(name, value string) Attribute {
	b, err := json.Marshal(value)
	if err != nil {
		panic("lang: a text has no JSON form: " + err.Error()) // every string has
	}
	return Attribute{Name: name, Value: string(b)}
}

// Block is one nested block of a Tree.
type Block struct {
	Type   string   `json:"type"`
	Labels []string `json:"labels,omitempty"`
	Tree
}
