package plan

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// FormatVersion is the version of the plan as JSON and as a file. Readers take
// the same major version.
const FormatVersion = "1.0"

// Build compares what cfg declares with the state, for every recipient of
// every campaign, and returns what apply would do. It changes nothing.
//
// With errors among the diagnostics the plan must not be applied; it holds
// what could be planned, for people to look at, and is never nil. The plan is
// the same, byte for byte, for the same configuration, sources, state and
// moment. The caller closes it.
func Build(ctx context.Context, cfg *lang.Config, in Inputs) (*Plan, hcl.Diagnostics) {
	b := &builder{cfg: cfg, in: in, hash: sha256.New(), excluded: map[string]*excludedSet{}, templates: map[*lang.DataTemplate]*Observed{}}
	b.plan = &Plan{
		FormatVersion: FormatVersion, Version: in.Version, Build: in.Build, At: in.At.UTC(), spool: in.Spool,
		Resources: []ResourceChange{}, Campaigns: []Campaign{}, Managed: []Managed{}, Checks: []Check{}, Outputs: []Output{}, Inputs: []Input{},
	}
	b.plan.Expires = b.plan.At.Add(MaxAge)
	if in.Options.MaxAge > 0 {
		b.plan.Expires = b.plan.At.Add(in.Options.MaxAge)
	}
	if b.plan.spool == nil {
		b.plan.spool = &MemorySpool{}
	}
	if in.Outdated != nil {
		b.diags = append(b.diags, Outdated(cfg, in.Outdated)...)
	}
	if b.prepare(ctx) {
		b.diags = append(b.diags, in.Supports.rules(cfg)...)
		b.settleTemplates()
		b.settleCatalogs(ctx)
		b.settleSingletons(ctx)
		b.fitReplies()
		b.campaigns(ctx)
		b.namedProducts(ctx)
		b.managed()
		if err := b.limits(ctx); err != nil {
			b.diags = append(b.diags, fail("plan_failed", hcl.Range{}, "%s", dotted(err.Error())))
		}
	}
	b.conclude()
	return b.plan, b.diags
}

// MaxAge is how long a saved plan may be applied after it was made, unless
// Options says otherwise.
const MaxAge = 24 * time.Hour

// Moved lists the resources to which a moved block gives a new address.
func (p *Plan) Moved() []ResourceChange {
	var out []ResourceChange
	for _, c := range p.Resources {
		if c.From != "" {
			out = append(out, c)
		}
	}
	return out
}

// Close frees the spool that holds the plan's entries.
func (p *Plan) Close() error {
	if p.spool == nil {
		return nil
	}
	return p.spool.Close()
}

// Sends is how many messages apply would send.
func (p *Plan) Sends() int {
	n := 0
	for i := range p.Campaigns {
		if c := &p.Campaigns[i]; !c.Halted() {
			n += c.Counts.Sends()
		}
	}
	return n
}

// waits reports whether a campaign that is halted has something to send.
func (p *Plan) waits() bool {
	return slices.ContainsFunc(p.Campaigns, func(c Campaign) bool { return c.Halted() && c.Counts.Sends() > 0 })
}

// Empty reports whether apply would change nothing.
func (p *Plan) Empty() bool { return p.Sends() == 0 && !p.waits() && p.unchanged() }

// Idle reports whether apply would change nothing now: whatever is to be sent waits for
// its time, a template or a person.
func (p *Plan) Idle() bool {
	return p.unchanged() && !slices.ContainsFunc(p.Campaigns, func(c Campaign) bool {
		return !c.Halted() && c.Counts.Send+c.Counts.Fallback+c.Counts.Repeats() > 0
	})
}

// unchanged reports whether the plan changes nothing but sends.
func (p *Plan) unchanged() bool {
	return !slices.ContainsFunc(p.Campaigns, func(c Campaign) bool { return !c.Halted() && c.NewlyHeldOut() > 0 }) &&
		!slices.ContainsFunc(p.Resources, func(r ResourceChange) bool { return r.Change != NoOp }) &&
		!slices.ContainsFunc(p.Catalogs, func(c CatalogChange) bool { return !c.idle() }) &&
		!slices.ContainsFunc(p.Outputs, func(o Output) bool { return o.Change != NoOp })
}

// builder is the state of one call of Build.
type builder struct {
	cfg      *lang.Config
	in       Inputs
	plan     *Plan
	diags    hcl.Diagnostics
	hash     hash.Hash // of what is decided
	scope    *scope
	differ   *differ
	known    *known
	compiled []*compiled // parallel to Plan.Drafts
	renamed  *renamed
	prices   *prices
	numbers  *audience.Numbers
	excluded map[string]*excludedSet
	reached  map[string]*reach // keyed by what shares a messaging limit
	// templates are what was read for data blocks; nil for one with an error.
	templates map[*lang.DataTemplate]*Observed
	rows      map[string]*state.Managed             // what the state knows about template blocks, by address
	declares  map[string]bool                       // the addresses of the configuration's translations
	fits      []*fitted                             // of campaigns and reply rules
	standings map[string]map[string]productStanding // by the id of the catalog, and of the product
	capped    bool                                  // a campaign has a frequency cap
	planned   *sends                                // sends of this plan
}

// prepare reads the state and compares resources.
func (b *builder) prepare(ctx context.Context) bool {
	b.progress(Progress{Stage: "reading"})
	b.numbers, b.planned = audience.NewNumbers(), &sends{}
	known, err := b.readState(ctx)
	if err == nil {
		b.known, err = loadKnown(ctx, b.in.State)
	}
	if err == nil {
		err = b.compare(ctx, known)
	}
	if err == nil && b.in.State != nil && b.hasNewCampaign() {
		if removed := b.differ.removed(); len(removed) > 0 {
			b.renamed, err = loadRenamed(ctx, b.in.State, b.known.ties, removed)
		}
	}
	if err != nil {
		b.diags = append(b.diags, fail("plan_failed", hcl.Range{}, "%s", dotted(err.Error())))
		return false
	}
	if b.in.Options.Prices != nil {
		if b.prices, err = readPriceFiles(b.in.Options.Prices, b.in.Options.Tiers); err != nil {
			b.diags = append(b.diags, fail("price_file", hcl.Range{}, "%s", dotted(err.Error())))
			return false
		}
	}
	b.progress(Progress{Stage: "reading", Done: true})
	return !b.diags.HasErrors()
}

// readState reads what the state knows besides the campaigns: its identity, the
// resources of the last apply, and who is who.
func (b *builder) readState(ctx context.Context) ([]state.Resource, error) {
	if b.in.State == nil {
		return nil, nil
	}
	meta, err := b.in.State.Meta(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the state: %w", err)
	}
	b.plan.Lineage, b.plan.Serial = meta.Lineage, meta.Serial
	list, err := b.in.State.Resources(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the resources of the state: %w", err)
	}
	return list, nil
}

// compare computes the changes of resources.
func (b *builder) compare(ctx context.Context, known []state.Resource) error {
	var addresses []string
	for _, r := range b.cfg.Resources() {
		addresses = append(addresses, r.Address)
	}
	for _, t := range b.cfg.Templates {
		addresses = append(addresses, t.Address())
	}
	for _, s := range b.cfg.Singletons {
		addresses = append(addresses, s.Address())
	}
	for i := range known {
		addresses = append(addresses, known[i].Address)
	}
	for i := range b.in.Managed {
		if m := &b.in.Managed[i]; m.Kind == "template" {
			addresses = append(addresses, blockOf(m.Address))
		} else {
			addresses = append(addresses, m.Address)
		}
	}
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	var diags hcl.Diagnostics
	b.scope, diags = newScope(b.cfg, b.in.Options, addresses, b.known.ties)
	b.diags = append(b.diags, diags...)
	var err error
	if b.differ, err = newDiffer(b.cfg, known, b.scope); err != nil {
		return err
	}
	b.diags = append(b.diags, b.differ.diags...)
	if err = b.takeUp(ctx); err != nil {
		return err
	}
	b.plan.Resources = append(b.plan.Resources, b.differ.changes()...)
	for _, decl := range b.cfg.Campaigns {
		b.capped = b.capped || decl.Limit != nil && decl.Limit.PerRecipient.Count > 0
	}
	return nil
}

// changeOf returns how a resource differs from the last apply; NoOp for one
// that the plan does not list.
func (b *builder) changeOf(address string) string {
	for i := range b.plan.Resources {
		if b.plan.Resources[i].Address == address {
			return b.plan.Resources[i].Change
		}
	}
	return NoOp
}

// hasNewCampaign reports whether the plan creates a campaign: only a new campaign
// can be a renamed one.
func (b *builder) hasNewCampaign() bool {
	return slices.ContainsFunc(b.plan.Resources, func(r ResourceChange) bool { return r.Type == "campaign" && r.Change == Create })
}

// renamedFor returns the deliveries with which a campaign that is new to the
// state is compared; nil for any other campaign.
func (b *builder) renamedFor(c *Campaign) *renamed {
	if c.Change != Create {
		return nil
	}
	b.renamed.reset()
	return b.renamed
}

// campaigns plans the campaigns one after the other, in the order of the
// configuration.
func (b *builder) campaigns(ctx context.Context) {
	// Judges and sequencers hold pointers into the list.
	b.plan.Campaigns = make([]Campaign, 0, len(b.cfg.Campaigns))
	for _, decl := range b.cfg.Campaigns {
		if b.scope.covers(decl.Address()) && !b.planCampaign(ctx, decl) {
			return
		}
	}
}

// progress reports to the caller how far planning is.
func (b *builder) progress(p Progress) {
	if b.in.Progress != nil {
		b.in.Progress(p)
	}
}

// conclude runs the steps that need the whole plan.
func (b *builder) conclude() {
	p := b.plan
	p.Attach(p.spool)
	if err := b.inputs(); err != nil {
		b.diags = append(b.diags, fail("plan_failed", hcl.Range{}, "%s", dotted(err.Error())))
	}
	if !b.diags.HasErrors() {
		b.checks()
	}
	sum, err := digest(p, b.hash)
	if err != nil {
		b.diags = append(b.diags, fail("plan_failed", hcl.Range{}, "%s", dotted(err.Error())))
	}
	p.Digest = sum
	if p.Config, err = ConfigDigest(b.cfg); err != nil {
		b.diags = append(b.diags, fail("plan_failed", hcl.Range{}, "%s", dotted(err.Error())))
	}
	p.Diagnostics = diagnostics(b.diags)
}

// inputs records the digests of the configuration's files and of the variables.
func (b *builder) inputs() error {
	list := b.plan.Inputs
	for name, data := range b.cfg.Files {
		sum := sha256.Sum256(data)
		list = append(list, Input{Name: name, Digest: "sha256:" + hex.EncodeToString(sum[:])})
	}
	for _, v := range b.cfg.Variables {
		data, err := VariableJSON(v)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		name := "sha256:"
		if v.Sensitive {
			// Keyed, so that a short secret can't be found by trying.
			mac := hmac.New(sha256.New, []byte("variable "+b.plan.Lineage))
			mac.Write(data)
			sum, name = [32]byte(mac.Sum(nil)), "hmac-sha256:"
		}
		list = append(list, Input{Name: "var." + v.Name, Digest: name + hex.EncodeToString(sum[:])})
	}
	slices.SortStableFunc(list, func(a, b Input) int { return strings.Compare(a.Name, b.Name) })
	b.plan.Inputs = list
	return nil
}

// VariableJSON returns the value of a variable with its type as JSON; null where
// it is unknown.
func VariableJSON(v *lang.Variable) ([]byte, error) {
	value, _ := v.Value.UnmarkDeep()
	if value == cty.NilVal || !value.IsWhollyKnown() {
		return []byte("null"), nil
	}
	data, err := ctyjson.Marshal(value, cty.DynamicPseudoType)
	if err != nil {
		return nil, fmt.Errorf("encoding variable %q: %w", v.Name, err)
	}
	return data, nil
}

// digest returns the digest of everything that p decides. h covers the entries
// already.
func digest(p *Plan, h hash.Hash) (string, error) {
	enc := json.NewEncoder(h)
	for i := range p.Resources {
		if err := enc.Encode(&p.Resources[i]); err != nil {
			return "", fmt.Errorf("encoding %s: %w", p.Resources[i].Address, err)
		}
	}
	for i := range p.Managed {
		m := p.Managed[i]
		m.ObservedAt, m.Observed = time.Time{}, m.Observed.Decided()
		if err := enc.Encode(&m); err != nil {
			return "", fmt.Errorf("encoding %s: %w", m.Address, err)
		}
	}
	for i := range p.Catalogs {
		if err := enc.Encode(&p.Catalogs[i]); err != nil {
			return "", fmt.Errorf("encoding %s: %w", p.Catalogs[i].Address, err)
		}
	}
	for i := range p.Singletons {
		if err := enc.Encode(&p.Singletons[i]); err != nil {
			return "", fmt.Errorf("encoding %s: %w", p.Singletons[i].Address, err)
		}
	}
	for _, d := range p.Drafts {
		data, err := message.MarshalDraft(d)
		if err != nil {
			return "", fmt.Errorf("encoding a message: %w", err)
		}
		fmt.Fprintf(h, "%d\n", len(data))
		h.Write(data)
	}
	for i := range p.Campaigns {
		if err := enc.Encode(decided(&p.Campaigns[i])); err != nil {
			return "", fmt.Errorf("encoding %s: %w", p.Campaigns[i].Address, err)
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// decided returns the part of a campaign that the digest covers: what the plan
// decides, without what follows from the entries and without what only informs
// readers.
func decided(c *Campaign) *Campaign {
	var variants []Variant
	for _, v := range c.Variants {
		variants = append(variants, Variant{Name: v.Name, When: v.When, Message: v.Message, Fallback: v.Fallback})
	}
	return &Campaign{Address: c.Address, Revision: c.Revision, Message: c.Message, Fallback: c.Fallback,
		Audience: c.Audience, Provider: c.Provider, Throughput: c.Throughput, AssumeOpen: c.AssumeOpen,
		MaxAttempts: c.MaxAttempts, Total: c.Total, CapCount: c.CapCount, CapPer: c.CapPer, Quiet: c.Quiet,
		Canary: c.Canary, StopIf: c.StopIf, Consent: c.Consent, Category: c.Category, Template: c.Template, Kept: c.Kept, Variants: variants, Experiment: c.Experiment.decided(), AfterApproval: c.AfterApproval}
}
