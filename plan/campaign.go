package plan

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// rowBytes is a low estimate of the size of a row in bytes: a number and a few
// attributes. It only sizes tables.
const rowBytes = 48

// planCampaign plans all recipients of one campaign. It reports false when
// nothing more can be planned.
func (b *builder) planCampaign(ctx context.Context, decl *lang.Campaign) bool {
	c := b.header(decl)
	b.tellHalt(decl, c)
	index := len(b.plan.Campaigns)
	first := len(b.plan.Drafts)
	own, variants, arms, ok := b.compile(decl, c)
	ok = b.fitCampaign(decl, c, sides(decl, own, variants, arms)) && ok
	b.plan.Campaigns = append(b.plan.Campaigns, *c)
	c = &b.plan.Campaigns[index]
	if !ok || !b.mayReach(decl) {
		return true
	}
	src, rows, ok := b.open(ctx, decl.Audience)
	if !ok {
		return true
	}
	defer src.Close()
	j := &judge{index: index, campaign: c, decl: decl, rows: rows, own: own, variants: variants, arms: arms, drafts: b.compiled[first:],
		known: b.known, scope: b.scope, at: b.in.At, timezone: attribute(decl.Audience, "timezone"), after: decl.Audience.Source.After}
	for _, name := range decl.Kept {
		j.kept = append(j.kept, attribute(decl.Audience, name))
	}
	j.assigns = assigning(decl)
	c.Quiet = quiet(decl.Schedule, j.timezone)
	seq := &sequencer{campaign: c, judge: j, out: b.plan.spool, hash: b.hash, renamed: b.renamedFor(c), problems: &problems{}, prices: b.prices}
	c.Messaging, seq.reach = b.messaging(decl)
	seq.seen.Reserve(int(min(src.Size()/rowBytes, 4<<20)))
	err := errors.Join(b.loadTables(ctx, j, seq), b.loadExcluded(ctx, j))
	if err == nil {
		err = b.stream(ctx, src, j, seq)
	}
	if !b.finish(decl, src, seq, err) {
		return false
	}
	if c.AfterApproval = awaited(b.compiled[first:]...); len(c.AfterApproval) > 0 {
		c.Notes = append(c.Notes, "sent after "+strings.Join(c.AfterApproval, ", ")+" is approved")
	}
	b.guard(decl, c, seq, j)
	return true
}

// header returns the part of a campaign that does not depend on recipients.
func (b *builder) header(decl *lang.Campaign) *Campaign {
	address := decl.Address()
	c := &Campaign{
		Address: address, Revision: decl.Revision, Message: decl.Message.Address(), Audience: decl.Audience.Address(),
		Provider: decl.Provider.Address(), Change: b.changeOf(address), Throughput: decl.Throughput,
		Draft: -1, FallbackDraft: -1, AssumeOpen: decl.Window == "assume_open", MaxAttempts: decl.MaxAttempts,
		StopIf: StopIf(decl.StopIf), Consent: decl.Audience.HasConsent, Source: sourceName(decl.Audience),
		Counts: Counts{Skip: map[delivery.Reason]int{}, Defer: map[delivery.Reason]int{}}, Samples: []Sample{}, Notes: []string{},
		Quiet: quiet(decl.Schedule, -1), Kept: decl.Kept,
	}
	c.Halt, c.Links = b.haltOf(address), b.cfg.Destinations(decl)
	if decl.Fallback != nil {
		c.Fallback = decl.Fallback.Address()
	}
	if t := templateOf(decl); t != nil {
		c.Category = t.Category
		c.ConsentBy = consentBy(decl.Audience)
	}
	if c.Throughput == 0 && b.in.Throughput != nil {
		c.Throughput = b.in.Throughput(decl.Provider)
	}
	if l := decl.Limit; l != nil {
		c.Total, c.CapCount, c.CapPer = l.Total, l.PerRecipient.Count, l.PerRecipient.Per
	}
	return c
}

// haltOf returns why an earlier run halted the campaign; nil when none did.
func (b *builder) haltOf(address string) *Halt {
	known := b.addressInState(address)
	for i := range b.in.Halts {
		if h := &b.in.Halts[i]; h.Campaign == known {
			return &Halt{Reason: h.Reason, Code: h.Code, Title: h.Title, Advice: h.Advice, Since: h.Since,
				Lifted: slices.Contains(b.in.Options.Resume, address)}
		}
	}
	return nil
}

// tellHalt warns that a halted campaign sends nothing, and says how to resume it.
func (b *builder) tellHalt(decl *lang.Campaign, c *Campaign) {
	if c.Halted() {
		b.diags = append(b.diags, warn("campaign_halted", decl.DeclRange,
			"Nothing is sent of %s, which was halted at %s by an earlier apply: %s. %s\n\nWhen it may go on, run:\n\n    handbill apply -resume=%s",
			c.Address, c.Halt.Since.UTC().Format("2006-01-02 15:04 MST"), c.Halt.Why(), c.Halt.Advice, c.Address))
	}
}

// sourceName returns the file that the audience's rows come from.
func sourceName(a *lang.Audience) string {
	switch {
	case a.Source.Kind == "inline" && len(a.Source.Contacts) > 0:
		return path.Base(a.Source.Contacts[0].DeclRange.Filename)
	case a.Source.Of != nil:
		return a.Source.Of.Address()
	case a.Source.Kind == "sql" || a.Source.Path == "":
		return ""
	}
	return path.Base(a.Source.Path)
}

// attribute returns the index of an audience's attribute; -1 for none.
func attribute(a *lang.Audience, name string) int {
	for i, n := range a.Attributes {
		if n == name {
			return i
		}
	}
	return -1
}

// compile prepares the campaign's messages and checks the parts that are the same
// for every recipient against the provider's limits.
func (b *builder) compile(decl *lang.Campaign, c *Campaign) (own texts, variants []choice, arms []arm, ok bool) {
	mainProgram, fallbackProgram, diags := b.cfg.CompileCampaign(decl)
	b.diags = append(b.diags, diags...)
	if diags.HasErrors() || mainProgram == nil {
		return own, nil, nil, false
	}
	if decl.Experiment != nil {
		return b.compileArms(decl, c)
	}
	own.main, ok = b.compileOne(decl, mainProgram, decl.Message)
	c.Draft = own.main.draft
	if fallbackProgram != nil {
		var also bool
		own.fallback, also = b.compileOne(decl, fallbackProgram, decl.Fallback)
		c.FallbackDraft = own.fallback.draft
		ok = ok && also
	}
	variants, fit := b.compileVariants(decl, c, own)
	return own, variants, nil, ok && fit
}

// compileOne prepares one message. Findings that hold for every recipient are
// reported here, once, and not again for each.
func (b *builder) compileOne(decl *lang.Campaign, p *lang.Program, m *lang.Message) (*compiled, bool) {
	var limits message.Limits
	if b.in.Limits != nil {
		limits = b.in.Limits(decl.Provider.Type)
	}
	c := &compiled{draft: len(b.plan.Drafts), message: m.Address(), program: p, checker: message.NewChecker(p.Draft, limits),
		digester: message.NewDigester(p.Draft), body: newBodyMeter(p.Draft),
		window: message.NeedsWindow(p.Draft.Message)}
	b.plan.Drafts, b.compiled = append(b.plan.Drafts, p.Draft), append(b.compiled, c)
	ok := b.carried(decl, m, p.Draft)
	for _, v := range c.checker.Static() {
		if v.Severity == message.Error {
			ok = false
			b.diags = append(b.diags, fail("message_invalid", p.Range(v.Path), "%s, %s (%s): %s", m.Address(), v.Path, v.Rule, v.Detail))
		}
	}
	return c, ok
}

// carried checks whether the provider can carry a message.
func (b *builder) carried(decl *lang.Campaign, m *lang.Message, d *message.Draft) bool {
	diags := b.in.Supports.carried(decl.Provider, m, d, decl.DeclRange)
	b.diags = append(b.diags, diags...)
	return !diags.HasErrors()
}

// Outdated warns of providers whose version of an API has ended, or ends soon.
func Outdated(cfg *lang.Config, says func(*lang.Provider) string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range cfg.Providers {
		if what := says(p); what != "" {
			diags = append(diags, warn("api_version_ended", p.DeclRange, "%s: %s", p.Address(), what))
		}
	}
	return diags
}

// templateOf returns the template that a campaign sends to people whose window is
// closed; nil for none. Templates of variants have the same category.
func templateOf(decl *lang.Campaign) *lang.Message {
	for _, m := range decl.Messages() {
		if m.Kind == message.KindTemplate {
			return m
		}
	}
	return nil
}

// consentBy is the audience's consent expression as it is written.
func consentBy(a *lang.Audience) string {
	for i := range a.Tree.Attributes {
		if t := &a.Tree.Attributes[i]; t.Name == "consent" {
			return t.Value
		}
	}
	return ""
}

// mayReach requires that consent is stated if messages go to people who did not
// write within 24 hours.
func (b *builder) mayReach(decl *lang.Campaign) bool {
	template := templateOf(decl)
	if template == nil || decl.Audience.HasConsent {
		return true
	}
	b.diags = append(b.diags, fail("consent_missing", decl.Audience.DeclRange,
		"%s sends %s to people whose 24-hour window is closed, and %s does not say who agreed to get such messages. "+
			`Add to it an expression that says so, such as consent = row.opted_in == "yes", or consent = true as an explicit claim for all of them.`,
		decl.Address(), template.Address(), decl.Audience.Address()))
	return false
}

// open opens an audience's source and binds its expressions to the columns.
func (b *builder) open(ctx context.Context, a *lang.Audience) (*audience.Reader, *lang.Rows, bool) {
	from := sourceOf(a)
	o := b.outcomes(ctx, a)
	if o != nil {
		from = o.source()
	}
	src, err := audience.Open(ctx, from, audience.Options{Root: b.in.Root, Web: b.in.Web})
	if err != nil {
		b.diags = append(b.diags, sourceError(a, err))
		return nil, nil, false
	}
	rows, diags := b.cfg.BindAudience(a, src.Columns)
	b.diags = append(b.diags, diags...)
	if diags.HasErrors() {
		src.Close()
		return nil, nil, false
	}
	if src.Only(rows.Columns()); o != nil {
		o.only(rows.Columns())
	}
	return src, rows, true
}

// sourceError says that an audience cannot be read.
func sourceError(a *lang.Audience, err error) *hcl.Diagnostic {
	return fail("audience_source", a.Source.DeclRange, "%s: %s", a.Address(), dotted(err.Error()))
}

// sourceOf converts an audience's source for package audience.
func sourceOf(a *lang.Audience) audience.Source {
	s := a.Source
	kinds := map[string]audience.Kind{"csv": audience.CSV, "ndjson": audience.NDJSON, "json": audience.JSON, "sql": audience.SQL, "xlsx": audience.XLSX, "parquet": audience.Parquet, "http": audience.HTTP, "inline": audience.Inline}
	out := audience.Source{Kind: kinds[s.Kind], Path: s.Path, Encoding: s.Encoding, Delimiter: s.Delimiter, Records: s.Records, Sheet: s.Sheet, HeaderRow: s.HeaderRow,
		Driver: s.Driver, DSN: s.DSN, HideDSN: s.HideDSN, Query: s.Query, Timeout: s.Timeout, Columns: a.Columns,
		URL: s.URL, HideURL: s.HideURL, Format: s.Format, Headers: s.Headers, Next: s.Next}
	for _, c := range s.Contacts {
		out.Path = s.Contacts[0].DeclRange.Filename
		out.Contacts = append(out.Contacts, audience.Contact{Values: c.Values, Line: c.DeclRange.Start.Line})
	}
	return out
}

// numberReason says why something is not a phone number.
func numberReason(err error) (code, detail string) {
	var n *audience.NumberError
	if errors.As(err, &n) {
		return n.Reason, n.Detail
	}
	return "", err.Error()
}

// input records the digest of a source that was read to its end.
func (b *builder) input(name string, src *audience.Reader) {
	digest := src.Digest()
	in := Input{Name: name, Digest: "sha256:" + hex.EncodeToString(digest[:])}
	for _, known := range b.plan.Inputs {
		if known == in {
			return
		}
	}
	b.plan.Inputs = append(b.plan.Inputs, in)
}

// stream sends the audience through the judge, which decides about each row by
// itself, to the sequencer, which decides what depends on the rows before: repeated
// people, caps and limits.
func (b *builder) stream(ctx context.Context, src *audience.Reader, j *judge, seq *sequencer) error {
	s := &stream{src: src, workers: b.in.Parallelism,
		work: func() func(*batch) {
			w := j.worker(b.numbers)
			return func(batch *batch) { j.judged(w, batch, len(src.Columns)) }
		},
		add: func(batch *batch) error {
			if err := seq.add(batch); err != nil {
				return err
			}
			b.progress(Progress{Stage: "planning", Campaign: seq.campaign.Address, Rows: seq.rows, Position: src.Position(), Size: src.Size()})
			return nil
		},
	}
	return s.run(ctx)
}

// finish fills in the campaign's totals. It reports false when planning cannot
// continue.
func (b *builder) finish(decl *lang.Campaign, src *audience.Reader, seq *sequencer, err error) bool {
	c := seq.campaign
	b.diags = append(b.diags, seq.problems.diagnostics()...)
	c.Samples = seq.samples.list(b.plan.Drafts)
	b.finishVariants(decl, seq)
	b.finishExperiment(decl, seq)
	if c.Messaging != nil && c.Messaging.Starts == 0 {
		c.Messaging = nil
	}
	if c.Notes = src.Notes(); c.Notes == nil {
		c.Notes = []string{}
	}
	if seq.spaced > 0 {
		// Values are sent as people wrote them. This is a note, since it seldom matters.
		c.Notes = append(c.Notes, fmt.Sprintf("%d with spaces around a value, which trimspace() takes away", seq.spaced))
	}
	if b.prices != nil {
		c.Cost = seq.cost.cost(b.prices)
	}
	if b.prices == nil || !b.prices.meta || b.rated(decl, c, &seq.cost) {
		b.guardPrice(decl, c)
	}
	if k := decl.Canary; k != nil {
		c.Canary = &Canary{Count: k.Count, Wait: k.Wait, MaxFailureRate: k.MaxFailureRate}
		if k.Count == 0 {
			c.Canary.Count = int(math.Ceil(k.Percent / 100 * float64(c.Counts.Sends())))
		}
	}
	b.progress(Progress{Stage: "planning", Campaign: c.Address, Rows: seq.rows, Position: src.Size(), Size: src.Size(), Done: true})
	var unreadable *audience.Error
	switch {
	case err == nil:
		b.input(c.Audience, src)
		return true
	case errors.Is(err, errReported):
		return true
	case errors.As(err, &unreadable):
		b.diags = append(b.diags, sourceError(decl.Audience, unreadable))
		return true
	}
	b.diags = append(b.diags, fail("plan_failed", decl.DeclRange, "%s: %s", c.Address, dotted(err.Error())))
	return false
}

// guard checks the campaign against the bounds that it declares.
func (b *builder) guard(decl *lang.Campaign, c *Campaign, seq *sequencer, j *judge) {
	if seq.again > 0 {
		from := b.renamed.likeliest()
		b.diags = append(b.diags, fail("rename_would_resend", decl.DeclRange,
			"%s of %s had this message from %s, which is not declared any more. If it is the same campaign under a new name, add:\n\n"+
				"  moved {\n    from = %s\n    to   = %s\n  }\n\nIf they shall get it again, keep the block of %s for one more apply.",
			recipients(seq.again), c.Address, from, from, c.Address, from))
	}
	limit := decl.Limit
	if limit == nil {
		return
	}
	if limit.MaxRecipients > 0 && c.Recipients > limit.MaxRecipients {
		b.diags = append(b.diags, fail("guard_max_recipients", limit.DeclRange,
			"%s has %d recipients, and its limit is %d. If that is meant, raise max_recipients.", c.Address, c.Recipients, limit.MaxRecipients))
	}
	last := j.table.table
	if j.last != nil {
		last = j.last.table
	}
	if limit.MaxChange <= 0 || last.Len() == 0 {
		return
	}
	gone := last.Len() - seq.found
	if share := float64(seq.fresh+gone) / float64(last.Len()); share > limit.MaxChange {
		b.diags = append(b.diags, fail("guard_max_change", limit.DeclRange,
			"Of %s, which had %d recipients, %d are gone and %d are new: a change of %.1f %%, and its limit is %.1f %%. If that is meant, raise max_change.",
			c.Address, last.Len(), gone, seq.fresh, 100*share, 100*limit.MaxChange))
	}
}

// addressInState returns the address under which the state has the resource that
// is declared at address.
func (b *builder) addressInState(address string) string {
	if from := b.differ.from[address]; from != "" {
		return from
	}
	return address
}
