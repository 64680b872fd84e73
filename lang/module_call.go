package lang

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// callModule declares and evaluates what a module block calls, once or once a key.
func (l *loader) callModule(decl *declaration, inCycle bool) {
	if decl.forEach == nil {
		l.setNamed(decl, l.call(decl, inCycle))
		return
	}
	calls, values := l.expand(decl, inCycle), map[string]cty.Value{}
	for _, in := range calls {
		values[in.key] = l.call(in, inCycle)
		l.diags.in = decl.module
	}
	if l.ev.keys[decl.address] != nil {
		l.setNamed(decl, cty.ObjectVal(values))
	} else {
		l.ev.outputs[decl.address] = nil
	}
}

// call replaces one call by the declarations of its module, evaluates those, and
// returns its outputs; an unknown value if the call is wrong.
func (l *loader) call(decl *declaration, inCycle bool) cty.Value {
	at := slices.Index(l.list, decl)
	l.list = slices.Delete(l.list, at, at+1)
	delete(l.byAddress, decl.address)
	l.ev.outputs[decl.address] = nil
	args := l.callArguments(decl)
	m := &module{address: decl.address, caller: decl.module, call: decl.block.defRange}
	if inCycle || !l.locate(m, args) {
		return cty.DynamicVal
	}
	bodies, ok := l.moduleBodies(m, args[argSource].expr.Range())
	if !ok {
		return cty.DynamicVal
	}
	inner := l.declareModule(m, bodies, at)
	if l.expanded += 1 + len(inner); l.expanded > maxInstances {
		l.diags.err("too_complex", m.call, "Modules and for_each may make %d blocks in all.", maxInstances)
		return cty.DynamicVal
	}
	l.pass(m, inner, args)
	l.level(slices.DeleteFunc(slices.Clone(inner), func(in *declaration) bool { return in.root == rootVar }))
	return l.outputsOf(m, inner)
}

// argSource is the argument that says where a module is.
const argSource = "source"

// callArguments are the arguments of a module block by name.
func (l *loader) callArguments(decl *declaration) map[string]*argument {
	attrs, diags := decl.block.body.JustAttributes()
	l.diags.take(diags)
	out := map[string]*argument{}
	for _, attr := range inSourceOrder(attrs) {
		out[attr.Name] = l.argument(attr, decl.block.env)
	}
	return out
}

// locate finds the directory of a call's module, and refuses one that is not local or
// that calls itself.
func (l *loader) locate(m *module, args map[string]*argument) bool {
	a := args[argSource]
	if a == nil {
		l.diags.err("missing_argument", m.call, "A module needs source, a directory such as source = \"./modules/welcome\".")
		return false
	}
	rng := a.expr.Range()
	if len(a.expr.Variables()) > 0 {
		l.diags.err("invalid_module", rng, "source is a text as it stands, without references: which files a configuration has does not depend on values.")
		return false
	}
	v, diags := literalValue(a.expr)
	if diags.HasErrors() || v.Type() != cty.String || v.IsNull() {
		l.diags.err("invalid_module", rng, "source is a text as it stands, such as \"./modules/welcome\".")
		return false
	}
	source := v.AsString()
	if !strings.HasPrefix(source, "./") && !strings.HasPrefix(source, "../") {
		l.diags.err("invalid_module", rng, "%q is no local directory, and nothing is downloaded while a plan is made. Copy the module into a directory of the configuration, as with `handbill init -from-module=DIR`, a submodule of git or a vendoring tool, and write source = \"./modules/NAME\".", message.SafeText(source))
		return false
	}
	m.dir = path.Join(m.caller.directory(), source)
	for up := m; up != nil; up = up.caller {
		if calling := up.caller.directory(); calling == m.dir {
			l.diags.err("cycle", rng, "The module in %s calls itself, so that it has no end.", m.dir)
			return false
		}
	}
	return true
}

// directory is where the module's files are, relative to the configuration's.
func (m *module) directory() string {
	if m == nil {
		return "."
	}
	return m.dir
}

// moduleBodies are the parsed files of a module, which are read once for all its calls.
func (l *loader) moduleBodies(m *module, source hcl.Range) ([]hcl.Body, bool) {
	if bodies, known := l.modules.parsed[m.dir]; known {
		return bodies, bodies != nil
	}
	l.modules.parsed[m.dir] = nil
	files, why := l.modules.read(m.dir, l.diags)
	if why != "" {
		l.diags.err("invalid_module", source, "%s", why)
		return nil, false
	}
	l.diags.in = m
	defer func() { l.diags.in = m.caller }()
	bodies := []hcl.Body{}
	for _, name := range sortedKeys(files) {
		l.cfg.Files[name] = files[name]
		if body := parse(name, files[name], l.diags); body != nil {
			bodies = append(bodies, body)
		}
	}
	if !within(l.cfg.Files) {
		l.diags.err("file_too_large", source, "A configuration may have %d files and %d MiB in all, with its modules.", maxFiles, maxTotalSize>>20)
		return nil, false
	}
	l.modules.parsed[m.dir] = bodies
	return bodies, true
}

// within reports whether files keep the bounds of a configuration.
func within(files map[string][]byte) bool {
	total := 0
	for _, src := range files {
		total += len(src)
	}
	return len(files) <= maxFiles && total <= maxTotalSize
}

// declareModule declares what a module's files hold, in the place of its call.
func (l *loader) declareModule(m *module, bodies []hcl.Body, at int) []*declaration {
	l.cfg.modules[m.address] = m
	l.ev.open(m)
	l.diags.in = m
	outer := l.list
	l.list = nil
	for _, body := range bodies {
		l.collectFile(body, m)
	}
	inner := l.list
	l.list = slices.Insert(outer, at, inner...)
	for _, decl := range inner {
		if decl.root == rootProvider && !numberKeys(m.address) {
			l.diags.err("invalid_for_each", m.call, "The module has a number, whose webhook's path holds the keys of %s: they may have letters, digits, dots, underscores and dashes.", m.address)
		}
	}
	l.diags.in = m.caller
	return inner
}

// numberKeys reports whether the keys in a module's address may stand in a path.
func numberKeys(address string) bool {
	for {
		_, rest, ok := strings.Cut(address, `["`)
		if !ok {
			return true
		}
		key, after, _ := strings.Cut(rest, `"]`)
		if !numberKey.MatchString(key) {
			return false
		}
		address = after
	}
}

// pass gives the module's variables their values.
func (l *loader) pass(m *module, inner []*declaration, args map[string]*argument) {
	var names []string
	var vars []*variableDecl
	for _, decl := range inner {
		if decl.root != rootVar {
			continue
		}
		l.diags.in = m
		v := l.decodeVariable(decl.block)
		names, vars = append(names, v.v.Name), append(vars, v)
		if v.v.Name == argSource || v.v.Name == argForEach {
			l.diags.err("reserved_name", decl.block.labelRange(0), "%s is an argument of every module block, so that no variable of a module can have the name.", v.v.Name)
		}
		l.diags.in = m.caller
		decl.passed = args[v.v.Name]
		v.v.Value = l.passedValue(m, v, decl.passed)
		if v.v.Sensitive {
			v.v.Value = v.v.Value.Mark(eval.Sensitive)
		}
		l.ev.set(decl.space(), v.v.Name, v.v.Value)
	}
	for _, name := range sortedKeys(args) {
		if name != argSource && !slices.Contains(names, name) {
			l.diags.err("unsupported_argument", args[name].rng, "The module in %s has no variable named %q.%s It has: %s.", m.dir, name, didYouMean(name, names), listOf(names))
		}
	}
	l.diags.in = m
	for _, v := range vars {
		l.validateVariable(v)
	}
	l.diags.in = m.caller
}

// passedValue is what a call gives for a variable, or its default.
func (l *loader) passedValue(m *module, v *variableDecl, a *argument) cty.Value {
	switch {
	case a != nil && l.unsetVariable(a.expr) != "":
		// Whoever uses it decides whether that is an error, as if it stood there.
		l.ev.unset[m.root(rootVar)+"."+v.v.Name] = parenthesised(a.expr)
		return cty.UnknownVal(v.v.Type)
	case a != nil:
		val, ok := l.ev.constant(a.expr, l.diags)
		if !ok {
			return cty.UnknownVal(v.v.Type)
		}
		return l.convertVariable(v, val, a.expr.Range(), m.address)
	case v.def != nil:
		v.v.Default = true
		return l.defaultValue(v)
	}
	l.diags.err("missing_argument", m.call, "The module in %s needs a value for its variable %q: add %s = … to the block.", m.dir, v.v.Name, v.v.Name)
	return cty.UnknownVal(v.v.Type)
}
