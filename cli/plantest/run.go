package plantest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
)

// Runner runs plan tests.
type Runner struct {
	Dir     string
	Root    *os.Root     // of Dir: contacts, test and golden files are below it
	Options lang.Options // what the configuration is loaded with; a run adds its variables
	Inputs  func() plan.Inputs
	// Render draws a plan for a golden file, in the form that its name asks for.
	Render func(name string, p *plan.Plan, diags hcl.Diagnostics, files map[string][]byte) ([]byte, error)
	Update bool // golden files are written and not compared
	Now    func() time.Time
}

// Result is how one run ended.
type Result struct {
	File, Name string
	Line       int
	Passed     bool
	Updated    bool     // its golden file was written
	Problems   []string // sentences
	Took       time.Duration
}

// All runs them, some at a time; the results are in the order of runs.
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

	cfg, diags := lang.Load(ctx, r.Dir, r.options(run))
	if problem := replaceContacts(cfg, run.Contacts); problem != "" {
		fail("%s", problem)
		return res
	}
	var built *plan.Plan
	if !diags.HasErrors() {
		in := r.Inputs()
		in.At, in.State, in.Root, in.Spool = run.At.UTC(), newPast(run), r.Root, &plan.MemorySpool{}
		var more hcl.Diagnostics
		built, more = plan.Build(ctx, cfg, in)
		defer built.Close()
		diags = append(diags, more...)
	}
	for _, p := range unexpected(diags, run.ExpectErrors) {
		fail("%s", p)
	}
	if built == nil {
		if len(run.Asserts) > 0 || run.Golden != "" {
			fail("There is no plan to hold against what the run expects.")
		}
		return res
	}
	for _, p := range assertions(cfg, run, built) {
		fail("%s", p)
	}
	if run.Golden != "" {
		got, err := r.Render(run.Golden, built, diags, cfg.Files)
		if err == nil {
			res.Updated, err = r.golden(run.Golden, got, r.Update && len(res.Problems) == 0)
		}
		if err != nil {
			fail("%s", err)
		}
	}
	return res
}

// options are the base's with the run's variables and environment, and nothing
// of the real environment: a test gives the same on every machine.
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

// replaceContacts puts rows in the place of what audiences read.
func replaceContacts(cfg *lang.Config, list []Contacts) string {
	for _, c := range list {
		i := slices.IndexFunc(cfg.Audiences, func(a *lang.Audience) bool { return a.Name == c.Audience || a.Address() == c.Audience })
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

// unexpected says which errors came that were not expected, and which did not
// come.
func unexpected(diags hcl.Diagnostics, expected []string) []string {
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
	for _, code := range expected {
		if !came[code] {
			out = append(out, fmt.Sprintf("The error %s was expected and did not come.", code))
		}
	}
	return out
}

// assertions evaluates the run's, in the scope of the configuration's checks.
func assertions(cfg *lang.Config, run *Run, p *plan.Plan) []string {
	own := *cfg
	own.Checks = []*lang.Check{{Name: run.Name, Asserts: run.Asserts, DeclRange: run.Range}}
	var out []string
	for _, c := range own.EvalChecks(p.Value()) {
		if !c.Passed {
			out = append(out, fmt.Sprintf("%s:%d: %s", c.Range.Filename, c.Range.Start.Line, c.Message))
		}
	}
	return out
}

// golden compares got with the golden file, or writes it. A run that fails
// otherwise never changes its golden file.
func (r *Runner) golden(name string, got []byte, update bool) (updated bool, err error) {
	want, err := fs.ReadFile(r.Root.FS(), filepath.ToSlash(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	if bytes.Equal(want, got) {
		return false, nil
	}
	if !update {
		return false, errors.New(difference(name, want, got))
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
func difference(name string, want, got []byte) string {
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
	return fmt.Sprintf("The plan differs from %s at line %d.\n  - %s\n  + %s\nReview it, and run the test with -update to take it over.", name, i+1, line(a), line(b))
}
