package plan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

// trial is an experiment of a campaign of some revision.
func trial(revision, holdout int, salt string, weights ...int) *assigns {
	e := &lang.Experiment{Holdout: holdout, Salt: salt}
	for i, w := range weights {
		e.Arms = append(e.Arms, &lang.Arm{Name: fmt.Sprint("arm", i), Weight: w})
	}
	return assigning(&lang.Campaign{Name: "spring", Revision: revision, Experiment: e})
}

func number(i int) string { return fmt.Sprintf("+49151%08d", i) }

// Of a million people each share is met within 0.2 percentage points, also by those who
// are left when half of them are gone.
func TestSharesOfAMillion(t *testing.T) {
	const people = 1_000_000
	a := trial(1, 10_000, "", 45_000, 30_000, 15_000)
	for _, kept := range []func(i int) bool{func(int) bool { return true }, func(i int) bool { return i*7919%people < people/2 }} {
		counts, all := map[int]int{}, 0
		for i := range people {
			if kept(i) {
				arm, held := a.of(number(i))
				if held {
					arm = -1
				}
				counts[arm]++
				all++
			}
		}
		for arm, want := range map[int]float64{-1: 10, 0: 45, 1: 30, 2: 15} {
			if got := 100 * float64(counts[arm]) / float64(all); math.Abs(got-want) > 0.2 {
				t.Errorf("%.3f %% of %d people are in arm %d, want %.0f %%", got, all, arm, want)
			}
		}
	}
}

// The assignment of these people must never change: campaigns that run would hand out
// other texts.
func TestAssignmentIsPinned(t *testing.T) {
	a, got := trial(1, 20_000, "", 40_000, 40_000), ""
	for i := range 20 {
		arm, held := a.of(number(i))
		if held {
			got += "-"
			continue
		}
		got += fmt.Sprint(arm)
	}
	if want := "11110-0101-011111010"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Another salt, campaign or revision divides people anew: who is in an arm of one says
// nothing about the other.
func TestExperimentsAreIndependent(t *testing.T) {
	const people = 20_000
	first := trial(1, 0, "", 50_000, 50_000)
	for name, other := range map[string]*assigns{"salt": trial(1, 0, "again", 50_000, 50_000), "revision": trial(2, 0, "", 50_000, 50_000)} {
		same := 0
		for i := range people {
			a, _ := first.of(number(i))
			b, _ := other.of(number(i))
			if a == b {
				same++
			}
		}
		if math.Abs(float64(same)/people-0.5) > 0.02 {
			t.Errorf("with another %s, %d of %d are in the same arm", name, same, people)
		}
	}
}

// A holdout that grows takes people, and gives nobody back; the others keep their arm.
func TestAGrowingHoldoutMovesFew(t *testing.T) {
	small, large := trial(1, 10_000, "", 45_000, 45_000), trial(1, 20_000, "", 40_000, 40_000)
	for i := range 10_000 {
		a, before := small.of(number(i))
		b, after := large.of(number(i))
		if before && !after || a != b {
			t.Fatalf("%s: arm %d, held out %v; then arm %d, held out %v", number(i), a, before, b, after)
		}
	}
}

const twoArms = header + `
text_message "short" { body = "Hi!" }
text_message "long" { body = "Hello ${recipient.name}, how are you?" }

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  window   = "assume_open"
  experiment {
    arm "short" {
      weight  = 45
      message = text_message.short
    }
    arm "long" {
      weight  = 45
      message = text_message.long
    }
    holdout = 10
    metric  = "replied"
    within  = "72h"
  }
}
`

func crowd(order []int) string {
	var b strings.Builder
	b.WriteString("phone,name\n")
	for _, i := range order {
		fmt.Fprintf(&b, "%s,Person %d\n", number(i), i)
	}
	return b.String()
}

// armsOf says in which arm everybody of a plan is: "short", "long", or the action.
func armsOf(t *testing.T, p *Plan) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, e := range collect(t, p) {
		arm, _ := p.Campaigns[e.Campaign].ChoiceOf(e.Draft)
		if arm == "" {
			arm = e.Action.String()
		}
		out[e.Recipient.Phone] = arm
	}
	return out
}

// Everybody keeps their arm in any order of the contacts, and when half of them leave.
func TestArmsDependOnNobodyElse(t *testing.T) {
	order := rand.New(rand.NewPCG(1, 2)).Perm(600)
	w := open(t, map[string]string{"main.hcl": twoArms, "contacts.csv": crowd(order)})
	p, diags := w.plan(t)
	if diags.HasErrors() {
		t.Fatal(summaries(diags))
	}
	all := armsOf(t, p)
	e := p.Campaigns[0].Experiment
	if n := e.Arms[0].Recipients + e.Arms[1].Recipients + e.HeldOut; n != 600 || e.HeldOut == 0 || e.New != e.HeldOut || p.Campaigns[0].Counts.HeldOut != e.HeldOut || e.Arms[0].Messages != e.Arms[0].Recipients {
		t.Errorf("%+v", e)
	}
	if sum, err := p.Sum(); err != nil || sum.Digest != p.Digest {
		t.Errorf("the plan's digest is not that of its entries: %v", err)
	}
	other := rand.New(rand.NewPCG(3, 4)).Perm(600)[:300]
	w = open(t, map[string]string{"main.hcl": twoArms, "contacts.csv": crowd(other)})
	p, _ = w.plan(t)
	for who, arm := range armsOf(t, p) {
		if arm != all[who] {
			t.Errorf("%s is %s, and was %s", who, arm, all[who])
		}
	}
}

// inArm finds people whom a plan of twoArms puts in an arm, or holds out.
func inArm(t *testing.T, arm string, n int) (out []int) {
	t.Helper()
	order := make([]int, 200)
	for i := range order {
		order[i] = i
	}
	w := open(t, map[string]string{"main.hcl": twoArms, "contacts.csv": crowd(order)})
	p, _ := w.plan(t)
	arms := armsOf(t, p)
	for i := range order {
		if arms[number(i)] == arm && len(out) < n {
			out = append(out, i)
		}
	}
	return out
}

// Who is held out gets nothing by any order, whatever the experiment says since, and
// also when it is gone.
func TestWhoIsHeldOutStaysSo(t *testing.T) {
	who := inArm(t, "short", 1)[0] // whom the experiment would send to now
	held := past(number(who), state.HeldOut, "")
	changes := map[string]func(*workspace){
		"as it is":               func(*workspace) {},
		"-retry":                 func(w *workspace) { w.in.Options.Retry = "failed" },
		"-replace":               func(w *workspace) { w.in.Options.Replace = []string{"campaign.spring"} },
		"-replace of the person": func(w *workspace) { w.in.Options.Replace = []string{fmt.Sprintf("campaign.spring[%q]", number(who))} },
	}
	for name, change := range changes {
		for config, text := range map[string]string{"with the experiment": twoArms, "without": strings.Replace(twoArms[:strings.Index(twoArms, "  experiment")]+"}\n", "window ", "message = text_message.short\n  window ", 1)} {
			w := open(t, map[string]string{"main.hcl": text, "contacts.csv": crowd([]int{who})})
			w.in.State = &memState{deliveries: []state.Delivery{held}}
			change(w)
			p, diags := w.plan(t)
			if diags.HasErrors() {
				t.Fatal(summaries(diags))
			}
			if got := armsOf(t, p)[number(who)]; got != "held_out" || p.Sends() != 0 || p.Campaigns[0].NewlyHeldOut() != 0 {
				t.Errorf("%s, %s: %s, %d to send, %d to record", name, config, got, p.Sends(), p.Campaigns[0].NewlyHeldOut())
			}
		}
	}
}

// Somebody who was attempted keeps their arm, though the hash says another one, and
// nobody is held out after an attempt.
func TestWhoWasSentKeepsTheirArm(t *testing.T) {
	for _, c := range []struct {
		hash, sent string
		send       state.Send
		want       string
	}{
		{"long", "short", state.Pending, "short"},
		{"long", "gone", state.Pending, "long"},
		{"short", "long", state.Rejected, "long"},
		{"short", "long", state.Accepted, "long"},
		{"held_out", "short", state.Accepted, "short"},
		{"held_out", "long", state.Pending, "long"},
	} {
		who := inArm(t, c.hash, 1)[0]
		w := open(t, map[string]string{"main.hcl": twoArms, "contacts.csv": crowd([]int{who})})
		d := past(number(who), c.send, "131026")
		d.Arm = c.sent
		w.in.State = &memState{deliveries: []state.Delivery{d}}
		w.in.Options.Retry, w.in.Options.Replace = "failed", []string{"campaign.spring"}
		p, diags := w.plan(t)
		if diags.HasErrors() {
			t.Fatal(summaries(diags))
		}
		if got := armsOf(t, p)[number(who)]; got != c.want {
			t.Errorf("by hash %s, %s in arm %q: %s, want %s", c.hash, c.send, c.sent, got, c.want)
		}
	}
}

// Only people who would get a message are held out, so that the arms and the holdout
// can be compared.
func TestOnlyWhoWouldGetItIsHeldOut(t *testing.T) {
	who := inArm(t, "held_out", 2)
	w := open(t, map[string]string{"main.hcl": twoArms, "contacts.csv": crowd(who)})
	w.in.State = &memState{people: []state.Person{{Recipient: number(who[0]), OptedOut: true}}}
	p, _ := w.plan(t)
	want := map[string]string{number(who[0]): "skip", number(who[1]): "held_out"}
	if diff := cmp.Diff(want, armsOf(t, p)); diff != "" {
		t.Error(diff)
	}
}

// Each arm has its text for each variant, and a draft of its own also where two send
// the same.
func TestArmsWithVariants(t *testing.T) {
	text := strings.Replace(languages, "  variant \"de\" {", `  experiment {
    arm "a" { weight = 50 }
    arm "b" {
      weight  = 50
      message = text_message.short
      variant "de" { message = text_message.short }
      variant "pt" { message = text_message.pt }
    }
    metric = "read"
    within = "1h"
  }
  variant "de" {`, 1) + "text_message \"short\" { body = \"Hi!\" }\n"
	w := open(t, map[string]string{"main.hcl": text, "contacts.csv": languageContacts})
	p, diags := w.plan(t)
	if diags.HasErrors() {
		t.Fatal(summaries(diags))
	}
	c := &p.Campaigns[0]
	drafts, got := map[int]bool{}, ""
	for _, a := range c.Experiment.Arms {
		for _, text := range a.Texts {
			got += fmt.Sprintf("%s/%s: %s, %s; ", a.Name, text.Variant, text.Message, text.Fallback)
			for _, d := range []int{text.Draft, text.FallbackDraft} {
				arm, variant := c.ChoiceOf(d)
				if drafts[d] || arm != a.Name || variant != text.Variant {
					t.Errorf("draft %d is that of %s/%s, want %s/%s alone", d, arm, variant, a.Name, text.Variant)
				}
				drafts[d] = true
			}
		}
	}
	want := "a/de: text_message.de, template_message.reopen_en; a/pt: text_message.pt, template_message.reopen_pt; a/: text_message.en, template_message.reopen_en; " +
		"b/de: text_message.short, template_message.reopen_en; b/pt: text_message.pt, template_message.reopen_pt; b/: text_message.short, template_message.reopen_en; "
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := counted(c); !strings.Contains(got, "de 2/2") {
		t.Error(got)
	}
}

func TestAnExperimentThatCannotBeDecided(t *testing.T) {
	w := open(t, map[string]string{"main.hcl": twoArms, "contacts.csv": crowd([]int{1, 2, 3})})
	if _, diags := w.plan(t); !strings.Contains(summaries(diags), "warning experiment_undecidable main.hcl:") {
		t.Error(summaries(diags))
	}
}
