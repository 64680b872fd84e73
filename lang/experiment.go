package lang

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Experiment is an experiment block of a campaign. Each recipient belongs to one of
// its arms, or to the holdout.
type Experiment struct {
	Arms      []*Arm
	Holdout   int // share who get nothing, in units of ExperimentShares
	Metric    string
	Within    time.Duration // after a message, how long the metric counts
	Salt      string
	DeclRange hcl.Range
}

// ExperimentShares is the whole of which arms and holdout are shares: weights are
// percents with up to three decimals.
const ExperimentShares = 100_000

// metrics are what an experiment can be decided by.
var metrics = []string{"delivered", "read", "replied", metricClicked, "ordered"}

const metricClicked = "clicked"

// Arm is one text of an experiment.
type Arm struct {
	Name      string
	Weight    int      // share, in units of ExperimentShares
	Message   *Message // nil to use the campaign's, with its variants
	Fallback  *Message // nil for none of its own
	Variants  []*ArmVariant
	DeclRange hcl.Range
}

// ArmVariant is the arm's text for recipients who meet a variant of the campaign.
type ArmVariant struct {
	Name      string
	Message   *Message
	Fallback  *Message // nil for none of its own
	DeclRange hcl.Range
}

// ArmText is an arm's text for one variant, compiled.
type ArmText struct {
	Variant                  string // "" for recipients who meet none
	Message, FallbackMessage *Message
	Main, Fallback           *Program // Fallback is nil if there is none
}

var (
	experimentSchema = schema("holdout metric! within! salt", blockOf("arm", "name"))
	armSchema        = schema("weight! message fallback", blockOf("variant", "name"))
	armVariantSchema = schema("message! fallback")
)

func (l *loader) decodeExperiment(cm *Campaign, c *content) {
	b := l.atMostOne(c, "experiment")
	if b == nil {
		if c.args["message"] == nil {
			l.diags.err("missing_argument", cm.DeclRange, "The argument \"message\" is required, but no definition was found. It may be left out where each arm of an experiment has a message.")
		}
		return
	}
	ec := l.content(b, experimentSchema)
	e := &Experiment{Holdout: l.share(ec, "holdout"), Metric: l.oneOf(ec, "metric", metrics...), Within: l.duration(ec, "within"), Salt: l.str(ec, "salt"), DeclRange: b.defRange}
	for _, ab := range ec.ofKind("arm") {
		l.decodeArm(cm, e, ab, c.args["message"] != nil)
	}
	cm.Experiment = e
	l.checkExperiment(e)
	if c.args["message"] == nil && len(e.Arms) > 0 {
		cm.Message = e.Arms[0].Message
	}
}

// share is a percentage as a share; 0 when absent.
func (d *decoder) share(c *content, name string) int {
	v, ok := d.value(c, name, cty.Number)
	if !ok {
		return 0
	}
	f, _ := v.AsBigFloat().Float64()
	n := math.Round(f / 100 * ExperimentShares)
	if f < 0 || f > 100 || math.Abs(n-f/100*ExperimentShares) > 1e-6 {
		d.invalid(c, name, "is a percentage, from 0 to 100 with up to three decimals")
		return 0
	}
	return int(n)
}

// percent writes a share.
func percent(share int) string { return fmt.Sprint(float64(share) * 100 / ExperimentShares) }

// decodeArm reads an arm; own says that the campaign has a message.
func (l *loader) decodeArm(cm *Campaign, e *Experiment, b *block, own bool) {
	c := l.content(b, armSchema)
	a := &Arm{Name: b.label(0), Weight: l.share(c, "weight"), Message: l.messageRef(c, "message"), Fallback: l.fallbackRef(c), DeclRange: b.defRange}
	switch i := slices.IndexFunc(e.Arms, func(o *Arm) bool { return o.Name == a.Name }); {
	case a.Name == "" || strings.ContainsRune(a.Name, 0):
		l.diags.err("invalid_name", b.labelRange(0), "An arm needs a name, such as \"short\".")
	case i >= 0:
		l.diags.err("duplicate_declaration", b.defRange, "The experiment has an arm %q already, at %s.", a.Name, e.Arms[i].DeclRange)
	}
	if v, ok := l.value(c, "weight", cty.Number); ok && v.RawEquals(cty.Zero) {
		l.diags.err("invalid_value", c.rangeOf("weight"), "The arm %q has weight 0, so that nobody would be in it: give it a weight, or take the arm out. Who was sent its text keeps it.", a.Name)
	}
	if c.args["message"] == nil && !own {
		l.diags.err("missing_argument", b.defRange, "The arm %q has no message, and the campaign has none either.", a.Name)
	}
	for _, vb := range c.ofKind("variant") {
		l.decodeArmVariant(cm, a, vb)
	}
	for _, v := range cm.Variants {
		if a.Message != nil && a.variant(v.Name) == nil {
			l.diags.err("missing_argument", b.defRange, "The arm %q has a message of its own, and none for recipients who meet the variant %q: add variant %q { message = … } to the arm.", a.Name, v.Name, v.Name)
		}
	}
	e.Arms = append(e.Arms, a)
}

func (l *loader) decodeArmVariant(cm *Campaign, a *Arm, b *block) {
	c := l.content(b, armVariantSchema)
	v := &ArmVariant{Name: b.label(0), Message: l.messageRef(c, "message"), Fallback: l.fallbackRef(c), DeclRange: b.defRange}
	var names []string
	for _, of := range cm.Variants {
		names = append(names, of.Name)
	}
	switch had := a.variant(v.Name); {
	case had != nil:
		l.diags.err("duplicate_declaration", b.defRange, "The arm has a variant %q already, at %s.", v.Name, had.DeclRange)
	case a.Message == nil:
		l.diags.err("invalid_value", b.defRange, "The arm %q has no message of its own, so that it sends the campaign's, with its variants: give it a message, or take the variant out.", a.Name)
	case !slices.Contains(names, v.Name):
		l.diags.err("invalid_value", b.labelRange(0), "The campaign has no variant %q, whose condition would say who gets this.%s", v.Name, didYouMean(v.Name, names))
	}
	a.Variants = append(a.Variants, v)
}

func (a *Arm) variant(name string) *ArmVariant {
	for _, v := range a.Variants {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// checkExperiment requires that the shares are a whole, and that there is something to
// compare.
func (l *loader) checkExperiment(e *Experiment) {
	sum, weights, broken := e.Holdout, []string{}, false
	for _, a := range e.Arms {
		sum += a.Weight
		weights = append(weights, percent(a.Weight))
		broken = broken || a.Weight == 0
	}
	if e.Holdout > 0 {
		weights = append(weights, percent(e.Holdout))
	}
	switch {
	case len(e.Arms) == 0:
		l.diags.err("missing_block", e.DeclRange, "An experiment needs arms, such as arm \"short\" { weight = 50 }.")
	case broken: // reported where the weight is
	case sum != ExperimentShares:
		l.diags.err("invalid_value", e.DeclRange, "The weights of the arms and the holdout are percents and make 100 together: %s is %s.", strings.Join(weights, " + "), percent(sum))
	case len(e.Arms) == 1 && (e.Holdout == 0 || e.Metric != "ordered"):
		l.diags.err("invalid_value", e.DeclRange, "The experiment has one arm, and nothing to compare it with: add an arm, or a holdout and metric = \"ordered\", since who gets no message can order, and can't read or answer one.")
	}
}

// Text returns the messages that an arm sends to recipients who meet a variant; nil
// for who meet none.
func (cm *Campaign) Text(a *Arm, v *Variant) (main, fallback *Message) {
	main, fallback = cm.Message, cm.Fallback
	if a.Message != nil {
		main = a.Message
	}
	if a.Fallback != nil {
		fallback = a.Fallback
	}
	if v == nil {
		return main, fallback
	}
	own := a.variant(v.Name)
	if own == nil {
		own = &ArmVariant{Message: v.Message}
	}
	switch {
	case own.Fallback != nil:
		fallback = own.Fallback
	case v.Fallback != nil:
		fallback = v.Fallback
	}
	return own.Message, fallback
}

// CompileArms compiles what each arm of a campaign's experiment sends: for each
// variant, in their order, and last for who meets none. There are none where
// CompileCampaign finds errors.
func (c *Config) CompileArms(cm *Campaign) [][]ArmText { return c.compile(cm).arms }

// arms compiles the texts of a campaign's arms, each message once. done are the
// campaign's own and those of its variants.
func (b *binder) arms(cm *Campaign, done *compiledCampaign) (out [][]ArmText) {
	if cm.Experiment == nil {
		return nil
	}
	type use struct {
		m        *Message
		fallback bool
	}
	made := map[use]*Program{{cm.Message, false}: done.main}
	if cm.Fallback != nil {
		made[use{cm.Fallback, true}] = done.fallback
	}
	for i := range done.variants {
		v := cm.Variants[i]
		if made[use{v.Message, false}] = done.variants[i].Main; v.Fallback != nil {
			made[use{v.Fallback, true}] = done.variants[i].Fallback
		}
	}
	program := func(m *Message, fallback bool) *Program {
		if m == nil {
			return nil
		}
		p, ok := made[use{m, fallback}]
		if !ok {
			if b.quote = cm.quote; fallback {
				b.quote = nil // a template quotes no message
			}
			p = b.program(m)
			made[use{m, fallback}] = p
		}
		return p
	}
	for _, a := range cm.Experiment.Arms {
		var texts []ArmText
		for _, v := range append(slices.Clone(cm.Variants), nil) {
			t := ArmText{}
			if t.Message, t.FallbackMessage = cm.Text(a, v); v != nil {
				t.Variant = v.Name
			}
			t.Main, t.Fallback = program(t.Message, false), program(t.FallbackMessage, true)
			texts = append(texts, t)
		}
		out = append(out, texts)
	}
	return out
}
