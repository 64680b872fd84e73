package plantest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// Runner runs plan tests.
type Runner struct {
	Dir     string
	Root    *os.Root     // of Dir: contacts, test and golden files are below it
	Options lang.Options // what the configuration is loaded with; a run adds its variables
	Inputs  func() plan.Inputs
	// Render renders a plan for a golden file, in the format that its name asks
	// for.
	Render func(name string, p *plan.Plan, diags hcl.Diagnostics, files map[string][]byte) ([]byte, error)
	// RenderReplies renders the answers of the rules in the same way.
	RenderReplies func(name string, list []*Reply) ([]byte, error)
	// Decode decodes a recorded webhook as the provider at address does.
	Decode func(cfg *lang.Config, address string, body []byte) ([]message.Event, error)
	// ForwardBody makes the body that a rule forwards.
	ForwardBody func(ev *state.InboundEvent, rule string) ([]byte, error)
	Update      bool // golden files are written and not compared
	Now         func() time.Time
}

// Result is how one run ended.
type Result struct {
	File, Name string
	Line       int
	Passed     bool
	Updated    bool     // its golden file was written
	Problems   []string // sentences
	Replies    []*Reply // what the rules made of the inbound events
	Took       time.Duration
}

// All runs the runs, some in parallel; the results are in the order of runs.
func (r *Runner) All(ctx context.Context, runs []*Run, parallel int) []Result {
	out := make([]Result, len(runs))
	slots := make(chan struct{}, max(parallel, 1))
	var group sync.WaitGroup
	for i, run := range runs {
		slots <- struct{}{}
		group.Add(1)
		go func() {
			defer group.Done()
			defer func() { <-slots }()
			out[i] = r.run(ctx, run)
		}()
	}
	group.Wait()
	return out
}

func (r *Runner) run(ctx context.Context, run *Run) (res Result) {
	started := r.Now()
	res = Result{File: run.File, Name: run.Name, Line: run.Range.Start.Line}
	defer func() { res.Took, res.Passed = r.Now().Sub(started), len(res.Problems) == 0 }()
	fail := func(format string, args ...any) { res.Problems = append(res.Problems, fmt.Sprintf(format, args...)) }

	var err error
	cfg, diags := lang.Load(ctx, r.Dir, r.options(run))
	if problem := replaceContacts(cfg, run.Contacts); problem != "" {
		fail("%s", problem)
		return res
	}
	made := &outcome{}
	if !diags.HasErrors() {
		if made, err = r.make(ctx, cfg, run); err != nil {
			fail("%s", err)
			return res
		}
		diags, res.Replies = append(diags, made.diags...), made.replies
	}
	defer made.close()
	for _, p := range unexpected(diags, made.findings, run.ExpectErrors) {
		fail("%s", p)
	}
	if made.plan == nil {
		if len(run.Asserts) > 0 || run.Golden != "" || run.GoldenReply != "" {
			fail("There is no plan to hold against what the run expects.")
		}
		return res
	}
	for _, p := range assertions(cfg, run, made.plan, made.replies) {
		fail("%s", p)
	}
	if run.GoldenReply != "" && len(made.replies) == 0 && len(made.findings) == 0 {
		fail("golden_reply is for what inbound events are answered with, and this run has none.")
	}
	update := r.Update && len(res.Problems) == 0
	for _, g := range r.goldens(run, cfg, made, diags) {
		got, err := g.render()
		updated := false
		if err == nil {
			updated, err = r.golden(g.name, g.what, got, update)
		}
		if res.Updated = res.Updated || updated; err != nil {
			fail("%s", err)
		}
	}
	return res
}

// outcome is the result of a run: the plan, and what the rules answer.
type outcome struct {
	plan     *plan.Plan
	replies  []*Reply
	findings []finding
	diags    hcl.Diagnostics
}

func (o *outcome) close() {
	if o.plan != nil {
		o.plan.Close()
	}
}

// make plays the run's events and makes the plan. It fails if the declared past
// cannot be built.
func (r *Runner) make(ctx context.Context, cfg *lang.Config, run *Run) (*outcome, error) {
	p := newPast(run)
	if err := r.applied(ctx, cfg, run, p); err != nil {
		return nil, err
	}
	played := r.play(cfg, run, p)
	in := r.Inputs()
	in.At, in.State, in.Root, in.Spool = run.At.UTC(), p, r.Root, &plan.MemorySpool{}
	built, diags := plan.Build(ctx, cfg, in)
	return &outcome{plan: built, replies: played.replies, findings: played.findings, diags: diags}, nil
}

// applied adds to the past what the run declares as applied before.
func (r *Runner) applied(ctx context.Context, cfg *lang.Config, run *Run, p *past) error {
	if run.AppliedNow {
		return p.applied(cfg)
	}
	if len(run.Applied) == 0 {
		return nil
	}
	files := map[string][]byte{}
	for _, name := range run.Applied {
		src, err := fs.ReadFile(r.Root.FS(), filepath.ToSlash(name))
		if err != nil {
			return fmt.Errorf("what was applied before, %s, cannot be read below the configuration's directory", name)
		}
		name = filepath.ToSlash(name)
		if base := path.Base(name); files[base] == nil { // a name with a directory would be a module's file
			name = base
		}
		files[strings.ReplaceAll(name, "/", "-")] = src
	}
	before, diags := lang.LoadFiles(ctx, files, r.Root, r.options(run))
	if diags.HasErrors() {
		return fmt.Errorf("what was applied before has errors: %w", diags)
	}
	return p.applied(before)
}

// goldenFile is one golden file of a run.
type goldenFile struct {
	name, what string
	render     func() ([]byte, error)
}

func (r *Runner) goldens(run *Run, cfg *lang.Config, made *outcome, diags hcl.Diagnostics) []goldenFile {
	var out []goldenFile
	if run.Golden != "" {
		out = append(out, goldenFile{run.Golden, "plan", func() ([]byte, error) { return r.Render(run.Golden, made.plan, diags, cfg.Files) }})
	}
	if run.GoldenReply != "" && len(made.replies) > 0 {
		out = append(out, goldenFile{run.GoldenReply, "reply", func() ([]byte, error) { return r.RenderReplies(run.GoldenReply, made.replies) }})
	}
	return out
}

// options are the base options with the run's variables and environment. The real
// environment is left out, so that a test gives the same result on every machine.
func (r *Runner) options(run *Run) lang.Options {
	opt := r.Options
	opt.Environ = nil
	opt.Env = func(name string) (string, bool) {
		if v, ok := run.Env[name]; ok {
			return v, true
		}
		return "test", true
	}
	opt.Vars = slices.Clone(opt.Vars)
	for _, name := range sortedNames(run.Variables) {
		v := run.Variables[name]
		raw := string(hclwrite.TokensForValue(v).Bytes())
		if v.Type() == cty.String && !v.IsNull() {
			raw = v.AsString()
		}
		opt.Vars = append(opt.Vars, lang.VarInput{Name: name, Raw: raw})
	}
	return opt
}

func sortedNames(m map[string]cty.Value) []string {
	var out []string
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// replaceContacts replaces the contacts that audiences read.
func replaceContacts(cfg *lang.Config, list []Contacts) string {
	for _, c := range list {
		i := slices.IndexFunc(cfg.Audiences, func(a *lang.Audience) bool {
			return a.Module == "" && a.Name == c.Audience || a.Address() == c.Audience
		})
		if i < 0 {
			return fmt.Sprintf("There is no audience %q.", c.Audience)
		}
		a := cfg.Audiences[i]
		a.Columns = c.Columns
		a.Source = lang.Source{Kind: "inline", DeclRange: a.Source.DeclRange}
		for n, cells := range c.Rows {
			values := make([]message.Value, len(cells))
			for k, cell := range cells {
				values[k] = message.Str(cell)
			}
			a.Source.Contacts = append(a.Source.Contacts, lang.Contact{Values: values, DeclRange: c.Ranges[n]})
		}
	}
	return ""
}

// unexpected lists errors that were not expected, and expected ones that are
// missing.
func unexpected(diags hcl.Diagnostics, findings []finding, expected []string) []string {
	var out []string
	came := map[string]bool{}
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		code := plan.DiagCode(d)
		came[code] = true
		if !slices.Contains(expected, code) {
			out = append(out, fmt.Sprintf("%s: %s (%s)", d.Summary, d.Detail, code))
		}
	}
	for _, f := range findings {
		came[f.code] = true
		if !slices.Contains(expected, f.code) {
			out = append(out, fmt.Sprintf("%s (%s)", f.text, f.code))
		}
	}
	for _, code := range expected {
		if !came[code] {
			out = append(out, fmt.Sprintf("The error %s was expected and did not come.", code))
		}
	}
	return out
}

// golden compares got with the golden file, or writes it. A run that fails for
// another reason never changes its golden file.
func (r *Runner) golden(name, what string, got []byte, update bool) (updated bool, err error) {
	want, err := fs.ReadFile(r.Root.FS(), filepath.ToSlash(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	if bytes.Equal(want, got) {
		return false, nil
	}
	if !update && want == nil {
		return false, fmt.Errorf("%s is not there yet; run the test with -update to write it, and review it", name)
	}
	if !update {
		return false, errors.New(difference(name, what, want, got))
	}
	if dir := filepath.Dir(name); dir != "." {
		if err := r.Root.MkdirAll(dir, 0o755); err != nil {
			return false, fmt.Errorf("%s cannot be written: %w", name, err)
		}
	}
	if err := r.Root.WriteFile(name, got, 0o644); err != nil {
		return false, fmt.Errorf("%s cannot be written: %w", name, err)
	}
	return true, nil
}

// difference names the first line that differs.
func difference(name, what string, want, got []byte) string {
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	line := func(lines []string) string {
		if i < len(lines) {
			return message.SafeText(lines[i])
		}
		return "(the end of the file)"
	}
	return fmt.Sprintf("The %s differs from %s at line %d.\n  - %s\n  + %s\nReview it, and run the test with -update to take it over.", what, name, i+1, line(a), line(b))
}
