package lang

import (
	"context"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// rootSchema is what may stand at the top of a file.
var rootSchema = topSchema()

func topSchema() *hcl.BodySchema {
	s := schema("",
		blockOf("handbill"), blockOf("variable", "name"), blockOf("locals"), blockOf("output", "name"),
		blockOf("provider", "type", "name"), blockOf("catalog", "name"), blockOf("audience", "name"),
		blockOf(rootModule, "name"), blockOf("data", "type", "name"), blockOf(rootLink, "name"), blockOf(rootTemplate, "name"), blockOf("campaign", "name"), blockOf("reply_rule", "name"), blockOf(rootStopWords, "language"),
		blockOf("check", "name"), blockOf("moved"), blockOf("removed"), blockOf("import"))
	for _, root := range singletonRoots() {
		s.Blocks = append(s.Blocks, blockOf(root, "name"))
	}
	for _, k := range messageKinds {
		s.Blocks = append(s.Blocks, blockOf(string(k), "name"))
	}
	return s
}

// messageKinds are the kinds of message blocks, sorted.
var messageKinds = []message.Kind{
	message.KindAddressRequest, message.KindButtons, message.KindCall, message.KindCallPermissionRequest, message.KindCarousel,
	message.KindCatalog, message.KindContacts, message.KindContactRequest, message.KindFlow, message.KindLink, message.KindList,
	message.KindLocation, message.KindLocationRequest, message.KindMedia, message.KindProductList, message.KindProduct,
	message.KindReaction, message.KindTemplate, message.KindText,
}

// declaration is one block or local with an address, before it is decoded.
type declaration struct {
	address    string
	module     *module // in which it stands; nil for the configuration itself
	root, name string
	block      *block    // nil for a local
	local      *argument // nil for a block
	forEach    *argument // nil for none
	passed     *argument // what the call gives for a variable of a module; nil for none
	key        string    // of for_each; "" for a block without it
	refs       []string
}

// space is the root under which expressions find the declaration.
func (decl *declaration) space() string { return decl.module.root(decl.root) }

// loader is the work of one Load.
type loader struct {
	*decoder
	cfg       *Config
	vars      []*variableDecl
	locals    map[string]*Local // by address
	catalogs  map[string]*Catalog
	byAddress map[string]*declaration
	list      []*declaration // in source order
	modules   *moduleFiles
	settings  []*block
	moved     []*block
	removed   []*block
	imports   []*block
	expanded  int // blocks that for_each made
}

// Load reads, decodes and checks the configuration in dir. Even if there are
// errors, it returns what it could decode, so that more than the first error can
// be reported.
func Load(ctx context.Context, dir string, opt Options) (*Config, hcl.Diagnostics) {
	diags := &diagList{}
	root := openRoot(dir, diags)
	if root == nil {
		return newConfig(opt), diags.all
	}
	defer root.Close()
	files := readDir(ctx, root, diags)
	overlay(files, ".", opt.Overlay, diags)
	return load(ctx, files, source{root: root, reads: newReadMemo(), overlay: opt.Overlay}, opt, diags)
}

// LoadFiles is Load for files that the caller has already, by name, from a saved
// plan or a test. Functions read files below root; nil refuses them.
func LoadFiles(ctx context.Context, files map[string][]byte, root *os.Root, opt Options) (*Config, hcl.Diagnostics) {
	diags := &diagList{}
	total := 0
	for name, src := range files {
		total += len(src)
		if len(src) > maxFileSize || total > maxTotalSize || len(files) > maxFiles {
			diags.err("file_too_large", hcl.Range{}, "A file may have %d MiB, all of them %d MiB, and there may be %d; %s is too much.", maxFileSize>>20, maxTotalSize>>20, maxFiles, name)
			return newConfig(opt), diags.all
		}
	}
	return load(ctx, files, source{root: root, reads: newReadMemo()}, opt, diags)
}

func newConfig(opt Options) *Config {
	return &Config{
		Settings: defaultSettings(), Graph: &Graph{}, Files: map[string][]byte{}, VarFiles: map[string][]byte{}, eval: newEvaluator(opt),
		compiled: map[string]*compiledCampaign{}, replies: map[string]*ReplyProgram{}, modules: map[string]*module{},
		texts: map[hcl.Range]Text{}, defaults: message.DefaultLimits(),
	}
}

// source is the place from which functions read.
type source struct {
	root    *os.Root
	reads   *readMemo
	overlay map[string][]byte // in place of files of modules
}

func load(ctx context.Context, files map[string][]byte, from source, opt Options, diags *diagList) (*Config, hcl.Diagnostics) {
	cfg := newConfig(opt)
	cfg.eval.reads, cfg.eval.stopped = from.reads, ctx.Err
	places := openModuleDirs(from.root, opt.ModuleDirs, diags)
	defer places.close()
	cfg.eval.funcs = from.reads.wrap(eval.Functions(eval.FunctionConfig{Root: from.root, Beside: places.find, Env: opt.Env, Phone: opt.Phone}))
	l := &loader{
		decoder: &decoder{ev: cfg.eval, diags: diags}, cfg: cfg,
		locals: map[string]*Local{}, catalogs: map[string]*Catalog{}, byAddress: map[string]*declaration{},
		modules: &moduleFiles{ctx: ctx, given: files, overlay: from.overlay, places: places, parsed: map[string][]hcl.Body{}},
	}
	l.parseAll(files)
	if len(cfg.Files) == 0 && len(diags.all) == 0 {
		diags.err("no_configuration", hcl.Range{}, "There is no file here whose name ends in .hcl or .hcl.json. To begin with a small example, run:\n    handbill init")
	}
	l.variables(files)
	l.level(slices.Clone(l.list))
	diags.in = nil
	l.namedValues()
	l.graphOfInstances()
	l.decodeAll()
	l.checkAll()
	cfg.eval.stopped = nil
	return cfg, sorted(diags.all)
}

// parseAll parses every file and collects the blocks by address.
func (l *loader) parseAll(files map[string][]byte) {
	for _, role := range []fileRole{roleDefaultVars, roleAutoVars} {
		for _, name := range namesOf(files, role) {
			l.cfg.VarFiles[name] = files[name]
		}
	}
	for _, name := range namesOf(files, roleConfig) {
		l.cfg.Files[name] = files[name]
		body := parse(name, files[name], l.diags)
		if body == nil {
			continue
		}
		l.collectFile(body, nil)
	}
}

func (l *loader) collectFile(body hcl.Body, in *module) {
	content, diags := body.Content(rootSchema)
	l.diags.take(diags)
	for _, hb := range content.Blocks {
		l.collect(hb, in)
	}
}

func (l *loader) collect(hb *hcl.Block, in *module) {
	for i, label := range hb.Labels {
		if !hclsyntax.ValidIdentifier(label) {
			l.diags.err("invalid_name", labelRange(hb, i), "A name begins with a letter or underscore and goes on with letters, digits, underscores and dashes.")
			return
		}
	}
	b := fromHCL(hb)
	if in != nil {
		b.env = &env{module: in}
	}
	switch hb.Type {
	case "handbill":
		if in != nil {
			l.diags.err("invalid_module", hb.DefRange, "A handbill block has settings of the whole configuration, so it may not stand in a module.")
			return
		}
		l.settings = append(l.settings, b)
	case "moved":
		l.moved = append(l.moved, b)
	case "removed":
		l.removed = append(l.removed, b)
	case "import":
		l.imports = append(l.imports, b)
	case "locals":
		l.collectLocals(hb, b.env)
	case "variable":
		l.declare(&declaration{module: in, root: rootVar, name: b.label(0), block: b})
	default:
		l.declare(&declaration{module: in, root: hb.Type, name: strings.Join(hb.Labels, "."), block: b})
	}
}

func labelRange(hb *hcl.Block, i int) hcl.Range {
	if i < len(hb.LabelRanges) {
		return hb.LabelRanges[i]
	}
	return hb.DefRange
}

func (l *loader) collectLocals(hb *hcl.Block, in *env) {
	attrs, diags := hb.Body.JustAttributes()
	l.diags.take(diags)
	for _, attr := range inSourceOrder(attrs) {
		if !hclsyntax.ValidIdentifier(attr.Name) {
			l.diags.err("invalid_name", attr.NameRange, "A name begins with a letter or underscore and goes on with letters, digits, underscores and dashes.")
			continue
		}
		l.declare(&declaration{module: in.in(), root: rootLocal, name: attr.Name, local: l.argument(attr, in)})
	}
}

func inSourceOrder(attrs hcl.Attributes) []*hcl.Attribute {
	out := make([]*hcl.Attribute, 0, len(attrs))
	for _, name := range sortedKeys(attrs) {
		out = append(out, attrs[name])
	}
	sortBy(out, func(a *hcl.Attribute) hcl.Pos { return a.NameRange.Start })
	return out
}

func (l *loader) declare(decl *declaration) {
	decl.address = decl.space() + "." + decl.name
	if prev := l.byAddress[decl.address]; prev != nil {
		l.diags.err("duplicate_declaration", decl.rng(), "%s is already declared at %s.", decl.address, prev.rng())
		return
	}
	l.takeForEach(decl)
	l.byAddress[decl.address] = decl
	l.list = append(l.list, decl)
	switch decl.root {
	case rootVar, rootLocal:
		l.ev.set(decl.space(), decl.name, cty.DynamicVal)
	case rootOutput, "check", rootStopWords:
	default:
		l.setNamed(decl, decl.reference())
	}
}

func (decl *declaration) rng() hcl.Range {
	if decl.local != nil {
		return decl.local.rng
	}
	return decl.block.defRange
}

// variables gives every variable its value.
func (l *loader) variables(files map[string][]byte) {
	g := &given{values: map[string]varValue{}, diags: l.diags, known: map[string]*variableDecl{}}
	for decl := range l.of(rootVar) {
		v := l.decodeVariable(decl.block)
		l.vars = append(l.vars, v)
		g.known[v.v.Name] = v
		l.cfg.Variables = append(l.cfg.Variables, v.v)
	}
	g.collect(files, l.cfg, l.ev.opt)
	for _, v := range l.vars {
		missing := l.finishVariable(v, g)
		l.ev.set(rootVar, v.v.Name, v.v.Value)
		if missing {
			l.cfg.missing = append(l.cfg.missing, v.v.Name)
		}
	}
	for _, v := range l.vars {
		l.validateVariable(v)
	}
}

// of yields the declarations below root in source order. Meanwhile, diagnostics say
// in which module they are.
func (l *loader) of(root string) iter.Seq[*declaration] {
	return l.those(func(decl *declaration) bool { return decl.root == root })
}

func (l *loader) those(wanted func(*declaration) bool) iter.Seq[*declaration] {
	return func(yield func(*declaration) bool) {
		defer func() { l.diags.in = nil }()
		for _, decl := range l.list {
			if !wanted(decl) {
				continue
			}
			if l.diags.in = decl.module; !yield(decl) {
				return
			}
		}
	}
}

// inTurn yields blocks that have no name, as of does declarations.
func (l *loader) inTurn(list []*block) iter.Seq[*block] {
	return func(yield func(*block) bool) {
		defer func() { l.diags.in = nil }()
		for _, b := range list {
			if l.diags.in = b.env.in(); !yield(b) {
				return
			}
		}
	}
}

// graph finds what refers to what among the declarations of one module.
func (l *loader) graph(list []*declaration) *Graph {
	refs := map[string][]string{}
	for _, decl := range list {
		if decl.local != nil {
			decl.refs = addressesIn(decl.local.expr.Variables(), l.byAddress)
		} else if decl.root != rootVar {
			decl.refs = append(addressesIn(decl.module.traversals(traversalsOf(decl.block.body)), l.byAddress), quotedAddresses(decl.block.body, decl.module, l.byAddress)...)
		}
		if decl.forEach != nil { // in JSON syntax the body no longer contains it
			decl.refs = append(decl.refs, addressesIn(decl.forEach.expr.Variables(), l.byAddress)...)
		}
		refs[decl.address] = decl.refs
	}
	return newGraph(refs)
}

// level gives the locals, catalogs and calls of one module their values, each after
// those that it needs. It reports cycles.
func (l *loader) level(list []*declaration) {
	order, cycles := l.graph(list).order()
	inCycle := map[string]bool{}
	for _, cycle := range cycles {
		for _, address := range cycle {
			inCycle[address] = true
		}
		l.diags.err("cycle", l.byAddress[cycle[0]].rng(), "These refer to each other in a cycle, so none can be evaluated first: %s.", strings.Join(cycle, " → "))
	}
	for _, address := range order {
		decl := l.byAddress[address]
		l.diags.in = decl.module
		switch {
		case decl.root == rootModule:
			l.callModule(decl, inCycle[address])
		case decl.root == rootLocal:
			l.evaluateLocal(decl, inCycle[address])
		case decl.forEach != nil:
			l.expandCatalogs(decl, l.expand(decl, inCycle[address]), l.catalogs)
		case decl.root == rootCatalog && !inCycle[address]:
			l.catalogs[address] = l.decodeCatalog(decl.block)
			l.ev.set(decl.space(), decl.name, l.catalogs[address].value())
		}
	}
}

// namedValues lists the locals of the configuration and all catalogs in source order.
func (l *loader) namedValues() {
	for _, decl := range l.list {
		if local := l.locals[decl.address]; decl.module == nil && local != nil {
			l.cfg.Locals = append(l.cfg.Locals, local)
		}
		if c := l.catalogs[decl.address]; c != nil {
			l.cfg.Catalogs = append(l.cfg.Catalogs, c)
		}
	}
}

func (l *loader) evaluateLocal(decl *declaration, inCycle bool) {
	local := &Local{Name: decl.name, Value: cty.DynamicVal, DeclRange: decl.local.rng}
	if !inCycle {
		local.Value, _ = l.ev.constant(decl.local.expr, l.diags)
	}
	l.ev.set(decl.space(), decl.name, local.Value)
	l.locals[decl.address] = local
}

// decodeAll decodes everything else; a block comes after those it refers to.
func (l *loader) decodeAll() {
	l.decodeSettings()
	for decl := range l.of(rootProvider) {
		l.cfg.Providers = append(l.cfg.Providers, l.decodeProvider(decl.block))
	}
	l.decodeManage()
	l.decodeData()
	l.decodeTemplates()
	l.decodeSingletons()
	l.decodeImports()
	l.decodeLinks()
	for decl := range l.those(func(decl *declaration) bool { return isKind(decl.root) }) {
		l.cfg.Messages = append(l.cfg.Messages, l.decodeMessageBlock(decl.block))
	}
	l.decodeAudiences()
	for decl := range l.of(rootCampaign) {
		l.cfg.Campaigns = append(l.cfg.Campaigns, l.decodeCampaign(decl.block))
	}
	l.follow()
	for decl := range l.of(rootReplyRule) {
		l.cfg.ReplyRules = append(l.cfg.ReplyRules, l.decodeReplyRule(decl.block))
	}
	l.decodeStopWords()
	for decl := range l.of("check") {
		l.cfg.Checks = append(l.cfg.Checks, l.decodeCheck(decl.block))
	}
	for decl := range l.of(rootOutput) {
		if decl.module != nil {
			continue // evaluated with the call
		}
		l.cfg.Outputs = append(l.cfg.Outputs, l.decodeOutput(decl.block))
	}
	l.decodeMoved()
	l.decodeRemoved()
}

// checkAll binds every message to each of its users, so that validate finds what
// plan would find.
func (l *loader) checkAll() {
	used := map[*Message]bool{}
	for _, cm := range l.cfg.Campaigns {
		l.diags.take(l.cfg.compile(cm).diags)
		for _, m := range cm.Messages() {
			used[m] = true
		}
	}
	for _, r := range l.cfg.ReplyRules {
		_, diags := l.cfg.CompileReply(r)
		l.diags.take(diags)
		used[r.Reply] = true
	}
	l.checkRules()
	for _, m := range l.cfg.Messages {
		if !used[m] {
			l.diags.take(l.cfg.checkAlone(m))
		}
	}
}

// Missing names the variables that have neither a value nor a default, in
// source order, so that a person can be asked for them.
func (c *Config) Missing() []string { return c.missing }
