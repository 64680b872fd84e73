package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"time"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/stats"
)

// Experiment divides a campaign's recipients among arms and a holdout. Who belongs to
// which follows from campaign, revision and recipient alone; see assigns.
type Experiment struct {
	Holdout float64       `json:"holdout"` // percent
	Metric  string        `json:"metric"`  // "delivered", "read", "replied", "clicked", "ordered"
	Within  time.Duration `json:"within"`
	Arms    []Arm         `json:"arms"`
	HeldOut int           `json:"held_out"` // recipients who get nothing
	// New is how many of HeldOut apply records.
	New int `json:"newly_held_out"`
	// Detectable is the smallest difference between the first arm and the smallest
	// other one, or the holdout where there is one arm, that shows with a power of 80 %,
	// in percentage points; 0 where no difference does.
	Detectable float64 `json:"detectable"`
}

// Arm is one text of an experiment.
type Arm struct {
	Name       string    `json:"name"`
	Weight     float64   `json:"weight"` // percent
	Message    string    `json:"message"`
	Fallback   string    `json:"fallback,omitempty"`
	Recipients int       `json:"recipients"` // who gets it, or got it before
	Messages   int       `json:"messages"`   // how many of them apply would send to
	Texts      []ArmText `json:"texts"`      // by variant, and last for who meets none
	Samples    []Sample  `json:"samples"`    // masked
}

// ArmText is what an arm sends to recipients who meet a variant.
type ArmText struct {
	Variant       string `json:"variant"` // "" for who meets none
	Message       string `json:"message"`
	Fallback      string `json:"fallback,omitempty"`
	Draft         int    `json:"-"`
	FallbackDraft int    `json:"-"`
}

// NewlyHeldOut is how many recipients apply records as held out.
func (c *Campaign) NewlyHeldOut() int {
	if c.Experiment == nil {
		return 0
	}
	return c.Experiment.New
}

// text returns the text to which a draft belongs, and its arm; nil for none. Each arm
// has drafts of its own.
func (e *Experiment) text(draft int) (*Arm, *ArmText) {
	for i := range e.Arms {
		for k := range e.Arms[i].Texts {
			if t := &e.Arms[i].Texts[k]; draft >= 0 && (t.Draft == draft || t.FallbackDraft == draft) {
				return &e.Arms[i], t
			}
		}
	}
	return nil, nil
}

// decided returns the part that the plan's digest covers.
func (e *Experiment) decided() *Experiment {
	if e == nil {
		return nil
	}
	out := &Experiment{Holdout: e.Holdout, Metric: e.Metric, Within: e.Within}
	for _, a := range e.Arms {
		out.Arms = append(out.Arms, Arm{Name: a.Name, Weight: a.Weight, Message: a.Message, Fallback: a.Fallback, Texts: a.Texts})
	}
	return out
}

// ChoiceOf says which of the campaign's texts a draft is: the names of an arm and of a
// variant, "" for none.
func (c *Campaign) ChoiceOf(draft int) (arm, variant string) {
	if c.Experiment != nil {
		if a, t := c.Experiment.text(draft); a != nil {
			return a.Name, t.Variant
		}
		return "", ""
	}
	for i := range c.Variants {
		if v := &c.Variants[i]; draft >= 0 && (v.Draft == draft || v.FallbackDraft == draft) {
			return "", v.Name
		}
	}
	return "", ""
}

// arm is an arm that is ready: its texts by variant, and last for who meets none.
type arm struct {
	texts []texts
	decl  []lang.ArmText // parallel to texts
}

// compileArms prepares the messages of a campaign's arms. Each arm gets drafts of its
// own, also where two send the same message, so that a draft tells the arm.
func (b *builder) compileArms(decl *lang.Campaign, c *Campaign) (own texts, variants []choice, arms []arm, ok bool) {
	e := &Experiment{Holdout: percent(decl.Experiment.Holdout), Metric: decl.Experiment.Metric, Within: decl.Experiment.Within}
	c.Experiment, ok = e, true
	for i, list := range b.cfg.CompileArms(decl) {
		d := decl.Experiment.Arms[i]
		said, made := Arm{Name: d.Name, Weight: percent(d.Weight), Samples: []Sample{}}, arm{decl: list}
		for _, t := range list {
			one, text := texts{}, ArmText{Variant: t.Variant, Message: t.Message.Address(), FallbackDraft: -1}
			var fits bool
			one.main, fits = b.compileOne(decl, t.Main, t.Message)
			text.Draft, ok = one.main.draft, ok && fits
			if t.Fallback != nil {
				one.fallback, fits = b.compileOne(decl, t.Fallback, t.FallbackMessage)
				text.Fallback, text.FallbackDraft, ok = t.FallbackMessage.Address(), one.fallback.draft, ok && fits
			}
			said.Texts, made.texts = append(said.Texts, text), append(made.texts, one)
		}
		last := said.Texts[len(said.Texts)-1]
		said.Message, said.Fallback = last.Message, last.Fallback
		e.Arms, arms = append(e.Arms, said), append(arms, made)
	}
	first := e.Arms[0].Texts
	for i, p := range b.cfg.CompileVariants(decl) {
		v := decl.Variants[i]
		variants = append(variants, choice{program: p, decl: v, texts: arms[0].texts[i]})
		c.Variants = append(c.Variants, Variant{Name: v.Name, When: v.When, Message: first[i].Message, Fallback: first[i].Fallback, Samples: []Sample{}, Draft: first[i].Draft, FallbackDraft: first[i].FallbackDraft})
	}
	own = arms[0].texts[len(first)-1]
	last := first[len(first)-1]
	if c.Message, c.Fallback, c.Draft, c.FallbackDraft = last.Message, last.Fallback, last.Draft, last.FallbackDraft; len(variants) > 0 {
		c.Variants = append(c.Variants, Variant{Message: last.Message, Fallback: last.Fallback, Samples: []Sample{}, Draft: last.Draft, FallbackDraft: last.FallbackDraft})
	}
	return own, variants, arms, ok
}

// armSides are the messages of arms.
func armSides(arms []arm) (list []side) {
	for _, a := range arms {
		for i, t := range a.texts {
			list = append(list, side{t.main, a.decl[i].Message}, side{t.fallback, a.decl[i].FallbackMessage})
		}
	}
	return made(list)
}

func percent(share int) float64 { return float64(share) * 100 / lang.ExperimentShares }

// assigns says who belongs to which arm. It is a keyed hash of the person, so that it
// depends on no order, no chance and no other recipient, and is the same on every
// machine: the key is a hash of salt, campaign and revision.
type assigns struct {
	key     [sha256.Size]byte
	holdout uint64   // share
	upto    []uint64 // by arm: the sum of its share and those before
	arms    map[string]int
}

// assigning prepares the assignment of a campaign; nil where it has no experiment.
func assigning(decl *lang.Campaign) *assigns {
	e := decl.Experiment
	if e == nil {
		return nil
	}
	a := &assigns{holdout: uint64(e.Holdout), arms: map[string]int{}}
	// The parts are quoted, so that no two lists of parts give the same text.
	a.key = sha256.Sum256(fmt.Appendf(nil, "handbill experiment %s %s %s", strconv.Quote(e.Salt), strconv.Quote(decl.Address()), strconv.Itoa(decl.Revision)))
	sum := uint64(0)
	for i, arm := range e.Arms {
		sum += uint64(arm.Weight)
		a.upto, a.arms[arm.Name] = append(a.upto, sum), i
	}
	return a
}

// of returns the arm of a person, an index, and whether they are held out instead. Two
// parts of the hash decide: somebody who is held out has an arm too, which they would
// be in otherwise, and a share that changes moves no more people than it must.
func (a *assigns) of(person string) (arm int, held bool) {
	var buf [96]byte
	sum := sha256.Sum256(append(append(buf[:0], a.key[:]...), person...))
	place, _ := bits.Mul64(binary.BigEndian.Uint64(sum[8:]), a.upto[len(a.upto)-1])
	for a.upto[arm] <= place {
		arm++
	}
	share, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), lang.ExperimentShares)
	return arm, share < a.holdout
}

// assign finds the text of a recipient's arm. A delivery that was attempted keeps the
// arm of its last attempt, and nobody is held out afterwards.
func (j *judge) assign(v *verdict, sent state.Sent, had bool) (p texts, held bool) {
	i, held := j.assigns.of(v.key)
	if had {
		held = false
		if known, ok := j.assigns.arms[sent.Arm]; ok {
			i = known
		}
	}
	v.arm = i + 1
	return j.arms[i].texts[max(v.variant-1, 0)], held
}

// meetArm counts a recipient in their arm, or as held out.
func (q *sequencer) meetArm(v *verdict) {
	e := q.campaign.Experiment
	switch {
	case v.arm == 0 || v.entry.Action == Skip:
		return
	case v.entry.Action == HeldOut:
		e.HeldOut++
		e.New += v.entry.Attempt
		return
	}
	one := &e.Arms[v.arm-1]
	if one.Recipients++; v.entry.Action.Sends() {
		one.Messages++
		if q.byArm == nil {
			q.byArm = make([]samples, len(e.Arms))
		}
		q.byArm[v.arm-1].see(&v.entry, v.length)
	}
}

// power is the probability with which a difference that is there should show.
const power = 0.8

// finishExperiment fills in the samples and what difference can show, and warns where
// none can.
func (b *builder) finishExperiment(decl *lang.Campaign, q *sequencer) {
	e := q.campaign.Experiment
	if e == nil {
		return
	}
	for i := range q.byArm {
		e.Arms[i].Samples = q.byArm[i].list(b.plan.Drafts)
	}
	smallest := e.HeldOut
	for i, a := range e.Arms[1:] {
		if i == 0 || a.Recipients < smallest {
			smallest = a.Recipients
		}
	}
	d, ok := stats.Detectable(e.Arms[0].Recipients, smallest, power)
	if ok {
		e.Detectable = 100 * d
	} else if q.campaign.Recipients > 0 && !q.judge.scope.partly(q.campaign.Address) {
		b.diags = append(b.diags, warn("experiment_undecidable", decl.Experiment.DeclRange,
			"With %s in the arm %q and %s to compare with, no difference would show with a power of 80 %%: the experiment of %s can't be decided. Take more recipients, fewer arms, or no experiment.",
			recipients(e.Arms[0].Recipients), e.Arms[0].Name, recipients(smallest), q.campaign.Address))
	}
}
