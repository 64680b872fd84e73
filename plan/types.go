// Package plan compares what is declared with what the state knows, for every
// recipient, and says as data what apply would do: an entry for each recipient with
// an action, a reason, and the values of the message's slots.
//
//	p, diags := plan.Build(ctx, cfg, plan.Inputs{At: now, State: snapshot})
//	for entry, err := range p.Entries() { … } // campaign.spring, +4915112345678: send, {"Ana"}
package plan

import (
	"iter"
	"maps"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// Plan is what apply would do, complete: apply evaluates nothing. It is data,
// deterministic for the same inputs, and small: texts are in Drafts once, and
// an Entry holds only one recipient's values. Entries are streamed from Open.
type Plan struct {
	FormatVersion string    `json:"format_version"`
	Version       string    `json:"handbill_version"`
	Build         string    `json:"handbill_build"` // identity of the handbill that made it; "" if the build has none
	At            time.Time `json:"at"`
	Expires       time.Time `json:"expires"` // after this a saved plan may not be applied
	Lineage       string    `json:"lineage"`
	Serial        int64     `json:"serial"`

	Resources []ResourceChange `json:"resource_changes"`
	Campaigns []Campaign       `json:"campaigns"`
	Drafts    []*message.Draft `json:"-"` // serialised by message.MarshalDraft
	// Managed are the templates, catalogs and singletons of accounts that the plan relies on.
	Managed []Managed `json:"managed"`
	// Templates are what apply does with the template blocks, and Drift what changed
	// in their templates without handbill.
	Templates []TemplateChange `json:"template_changes,omitempty"`
	Drift     []Drift          `json:"resource_drift,omitempty"`
	// Catalogs are what apply does with the products of managed catalogs.
	Catalogs []CatalogChange `json:"catalog_changes,omitempty"`
	// Singletons are what apply does with the objects of which a number or account has one.
	Singletons []SingletonChange `json:"singleton_changes,omitempty"`
	Checks     []Check           `json:"checks"`
	Outputs    []Output          `json:"outputs"`
	// Inputs are digests of what the plan was made from: the files of the
	// configuration, each audience source, the variables (sensitive ones as a
	// keyed fingerprint).
	Inputs []Input `json:"inputs"`
	// Diagnostics are the warnings and errors of planning, for readers of a saved
	// plan; Build returns the same ones with their places in the source.
	Diagnostics []Diagnostic `json:"diagnostics"`
	// Digest is over everything that the plan decides, without times and
	// random ids: "sha256:…".
	Digest string `json:"digest"`
	// Config is the digest of the configuration: see ConfigDigest.
	Config string `json:"config_digest"`

	// Entries opens the stream of entries, in the order of campaigns and then
	// of the audience. It may be called again.
	Entries func() iter.Seq2[Entry, error] `json:"-"`

	spool Spool // what Entries reads; closed by Close
}

// Action is what apply does with one recipient, or why it does nothing.
type Action uint8

// The actions. Those up to Retry, Defer and Replace are sends.
const (
	Send     Action = iota // send the campaign's message
	Fallback               // send the fallback, because the window is closed
	Retry                  // send again what was refused or cancelled, by -retry or -replace
	Sent                   // accepted before in this revision
	Doubt                  // in doubt; needs resolve, a webhook or a poll
	Refused                // refused before; -retry plans it again
	Skip                   // left out; Reason says why
	Defer                  // not now; Reason says why, and apply holds it
	Replace                // send again although it was accepted, by -replace
	HeldOut                // in the holdout of the campaign's experiment: gets nothing, which apply records
)

// String is the action's word in JSON and views.
func (a Action) String() string {
	return [...]string{"send", "fallback", "retry", "sent", "in_doubt", "refused", "skip", "defer", "replace", "held_out"}[a]
}

// MarshalText writes the action's word.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Sends reports whether apply makes an attempt for a.
func (a Action) Sends() bool { return a <= Retry || a == Defer || a == Replace }

// acts reports whether apply does something about the recipient: it sends, or records
// that they are held out.
func (a Action) acts() bool { return a.Sends() || a == HeldOut }

// Repeats reports whether a repeats a delivery that the state has as settled,
// because a person asked for it.
func (a Action) Repeats() bool { return a == Retry || a == Replace }

// Entry is one recipient of one campaign.
type Entry struct {
	Campaign int // index into Plan.Campaigns
	// Recipient has the address that is sent to. Of the attributes it keeps
	// only what apply needs: the time zone, where Campaign.Quiet asks for it.
	Recipient message.Recipient
	Action    Action
	Reason    delivery.Reason // for Skip and Defer
	Draft     int             // index into Plan.Drafts; -1 where nothing is sent
	Values    []string        // the draft's slots for this recipient
	Digest    [16]byte        // of the rendered message
	// WindowUntil is when the window ends, by the audience or the state; zero when
	// unknown.
	WindowUntil time.Time
	// Due is when the message may go to somebody who is not due yet; zero for others.
	Due time.Time
	// Kept are the attributes that apply keeps with the message, parallel to
	// Campaign.Kept; nil where nothing is sent.
	Kept []message.Value
	// Attempt is the number of the attempt that apply makes, from 1. For HeldOut it is
	// 1 where apply has to record it.
	Attempt int
}

// Campaign is the part of a plan about one campaign.
type Campaign struct {
	Address       string        `json:"address"`
	Revision      int           `json:"revision"`
	Message       string        `json:"message"`
	Fallback      string        `json:"fallback,omitempty"`
	Audience      string        `json:"audience"`
	Provider      string        `json:"provider"`
	Change        string        `json:"change"`     // "create", "update", "delete", "no-op"
	Source        string        `json:"source"`     // base name of the file that the audience comes from; "" for a query
	Recipients    int           `json:"recipients"` // rows of the audience that its filter keeps
	Filtered      int           `json:"filtered"`   // rows that it leaves out
	Counts        Counts        `json:"counts"`
	Throughput    float64       `json:"throughput"` // messages per second that apply will pace at
	Draft         int           `json:"-"`          // index into Drafts; -1 when nothing is sent
	FallbackDraft int           `json:"-"`
	AssumeOpen    bool          `json:"assume_open,omitempty"`
	MaxAttempts   int           `json:"max_attempts"`
	Total         int           `json:"total_limit,omitempty"` // most sends of one apply; 0 for all
	CapCount      int           `json:"cap_count,omitempty"`
	CapPer        time.Duration `json:"cap_per,omitempty"`
	Quiet         *Quiet        `json:"schedule,omitempty"`
	Canary        *Canary       `json:"canary,omitempty"`
	StopIf        StopIf        `json:"stop_if"`
	Consent       bool          `json:"consent"` // a consent expression is declared
	// ConsentBy is the consent expression as it is written: the claim that a run
	// relies on. Category is the template's; "" if there is no template.
	ConsentBy string `json:"consent_by,omitempty"`
	Category  string `json:"category,omitempty"`
	// Template is the data block through which its template is read; "" for none.
	Template string   `json:"template,omitempty"`
	OldText  int      `json:"old_text"` // recipients who were sent an earlier text of this revision
	Samples  []Sample `json:"samples"`  // masked
	// Variants are set if the campaign declares some. The last one is for recipients
	// who meet no condition.
	Variants []Variant `json:"variants,omitempty"`
	// Experiment is set if the campaign declares one.
	Experiment *Experiment `json:"experiment,omitempty"`
	// Next is when the first message may go to somebody who waits for their local
	// time; zero if nobody does. Due is the same for those who are not due yet.
	Next    time.Time `json:"next,omitzero"`
	Due     time.Time `json:"due,omitzero"`
	Longest int       `json:"longest_body"` // code points of the longest body
	Notes   []string  `json:"notes"`        // how the source was read
	Cost    *Cost     `json:"cost,omitempty"`
	// CostLimit is what the campaign may cost by its price_guard, such as "500.00 EUR";
	// "" for any amount.
	CostLimit string `json:"cost_limit,omitempty"`
	// AfterApproval are the translations that have to be approved first: apply
	// waits for them, and sends nothing of the campaign before.
	AfterApproval []string `json:"after_approval,omitempty"`
	// Kept are the attributes of recipients that apply keeps with each message, sorted,
	// since audiences made of this campaign's outcomes read them.
	Kept []string `json:"kept_attributes,omitempty"`
	// Links are the links that its messages name, by address, and where they lead.
	Links []message.DraftLink `json:"links,omitempty"`
	// Messaging is set if the campaign starts conversations on WhatsApp.
	Messaging *Messaging `json:"messaging,omitempty"`
	// Halt is why nothing is sent before a person lifts it; nil for none.
	Halt *Halt `json:"halt,omitempty"`
}

// Halted reports whether nothing of the campaign is sent by this plan.
func (c *Campaign) Halted() bool { return c.Halt != nil && !c.Halt.Lifted }

// Halt is why an earlier run of a campaign stopped early. It lasts until a person
// lifts it.
type Halt struct {
	Reason delivery.HaltReason `json:"reason"`
	Code   string              `json:"code,omitempty"`
	Title  string              `json:"title,omitempty"`
	Advice string              `json:"advice,omitempty"`
	Since  time.Time           `json:"since"`
	Lifted bool                `json:"lifted"` // by this plan's Options.Resume
}

// Why returns the reason as a sentence fragment, such as
// "account fault, code 131042, payment issue".
func (h *Halt) Why() string {
	out := strings.ReplaceAll(string(h.Reason), "_", " ")
	if h.Code != "" {
		out += ", code " + h.Code
	}
	if h.Title != "" {
		out += ", " + h.Title
	}
	return message.SafeText(out)
}

// Marketing reports whether the campaign's template counts as marketing. A
// template without a declared category does, since most are and only Meta knows.
func (c *Campaign) Marketing() bool { return c.Category == "" || c.Category == "marketing" }

// Counts are a campaign's recipients by action. They add up to
// Campaign.Recipients.
type Counts struct {
	Send     int                     `json:"send"`
	Fallback int                     `json:"fallback"`
	Retry    int                     `json:"retry"`
	Replace  int                     `json:"replace,omitempty"`
	Sent     int                     `json:"sent"`
	InDoubt  int                     `json:"in_doubt"`
	Refused  int                     `json:"refused"`
	HeldOut  int                     `json:"held_out,omitempty"`
	Skip     map[delivery.Reason]int `json:"skip"`
	Defer    map[delivery.Reason]int `json:"defer"`
}

// Sends returns how many messages apply would send.
func (c Counts) Sends() int {
	n := c.Send + c.Fallback + c.Repeats()
	for _, d := range c.Defer {
		n += d
	}
	return n
}

// Repeats returns how many of the sends repeat a delivery that is settled.
func (c Counts) Repeats() int { return c.Retry + c.Replace }

// add counts e.
func (c *Counts) add(e *Entry) {
	switch e.Action {
	case Send:
		c.Send++
	case Fallback:
		c.Fallback++
	case Retry:
		c.Retry++
	case Replace:
		c.Replace++
	case Sent:
		c.Sent++
	case Doubt:
		c.InDoubt++
	case Refused:
		c.Refused++
	case HeldOut:
		c.HeldOut++
	case Skip:
		c.Skip[e.Reason]++
	case Defer:
		c.Defer[e.Reason]++
	}
}

// Equal reports whether c and o count the same.
func (c *Counts) Equal(o *Counts) bool {
	return c.Send == o.Send && c.Fallback == o.Fallback && c.Retry == o.Retry && c.Replace == o.Replace && c.Sent == o.Sent &&
		c.InDoubt == o.InDoubt && c.Refused == o.Refused && c.HeldOut == o.HeldOut && maps.Equal(c.Skip, o.Skip) && maps.Equal(c.Defer, o.Defer)
}

// Quiet is a schedule as data.
type Quiet struct {
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	From      int       `json:"quiet_from"`  // minutes after midnight; -1 for none
	Until     int       `json:"quiet_until"` // minutes after midnight
	// Timezone is the schedule's own; "" where quiet hours are without one.
	Timezone string `json:"timezone"`
	// At is the minute after midnight from which messages go out where the recipient
	// is, for Within minutes; Within is 0 where any time will do.
	At     int `json:"at,omitempty"`
	Within int `json:"within,omitempty"`
	// Attribute is the index in Entry.Recipient.Attributes of the recipient's time
	// zone, or of all zones that they may be in, with spaces between; -1 if the
	// schedule's own zone counts for everybody.
	Attribute int `json:"-"`
}

// Canary is a canary as data.
type Canary struct {
	Count          int           `json:"count"` // resolved from a percentage
	Wait           time.Duration `json:"wait"`
	MaxFailureRate float64       `json:"max_failure_rate"`
}

// StopIf halts a campaign when too many sends fail.
type StopIf struct {
	FailureRate float64 `json:"failure_rate"` // share of the last Over answers, 0 to 1
	Over        int     `json:"over"`
}

// Cost is an estimate from a price file, or from Meta's rates.
type Cost struct {
	Currency string `json:"currency"`
	Amount   string `json:"amount"` // decimal; with Meta's rates the most it can be
	// Least is the least it can be, where Meta's rates depend on what a plan cannot
	// know; "" where that is the same. Depends names what it is.
	Least    string         `json:"least,omitempty"`
	Depends  []string       `json:"depends,omitempty"`
	Unpriced int            `json:"unpriced"`
	ByPrefix map[string]int `json:"by_prefix"`           // messages, by prefix of a price file
	ByMarket map[string]int `json:"by_market,omitempty"` // messages, by Meta's market
}

// Sample is one rendered message, masked, for the reader of a plan.
type Sample struct {
	Recipient string `json:"recipient"` // masked
	Why       string `json:"why"`       // "first", "longest", "shortest"
	Text      string `json:"text"`      // body with recipient values masked
}

// ResourceChange is a declared resource compared with the state.
type ResourceChange struct {
	Address string     `json:"address"`
	Module  string     `json:"module,omitempty"` // the module's address
	Type    string     `json:"type"`
	Name    string     `json:"name"`
	Change  string     `json:"change"`         // "create", "update", "delete", "no-op", "move", "import", "forget", "archive"
	From    string     `json:"from,omitempty"` // previous address, with "move" or a moved update
	Before  *lang.Tree `json:"before"`
	After   *lang.Tree `json:"after"`
	Refs    []string   `json:"refs"`
	// Removed says that a removed block demands the deletion.
	Removed bool `json:"removed,omitempty"`
	// Local says that an update concerns only what the state keeps.
	Local bool `json:"local,omitempty"`
	// Notes are what else a reviewer should know, as fragments.
	Notes []string `json:"notes,omitempty"`
}

// Check is a check block's result against the plan.
type Check struct {
	Name    string `json:"name"`
	Status  string `json:"status"` // "pass", "fail", "error"
	Message string `json:"message,omitempty"`
}

// Output is an output's planned value; Value is JSON, "" when it is
// sensitive or removed.
type Output struct {
	Name      string `json:"name"`
	Value     string `json:"value"`
	Sensitive bool   `json:"sensitive"`
	Change    string `json:"change"`
}

// Diagnostic is a finding of planning as data. It holds no values of
// recipients.
type Diagnostic struct {
	Severity string `json:"severity"` // "error", "warning"
	Code     string `json:"code,omitempty"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
}

// Input is the digest of one thing that the plan was made from.
type Input struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}
