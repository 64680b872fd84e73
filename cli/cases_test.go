package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
	"github.com/handbill/handbill/state/sqlite"
)

// TestCase plays every directory under testdata/cases: it runs the lines of the
// file "cmd" in a copy of the directory, and compares the results with the golden
// files. README.md there explains the lines.
func TestCase(t *testing.T) {
	playAll(t, "../testdata/cases", "cmd")
}

// TestExample plays the examples in the same way.
func TestExample(t *testing.T) {
	playAll(t, "../examples", "testdata/cmd")
}

func playAll(t *testing.T, root, script string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "*", script))
	if err != nil || len(found) == 0 {
		t.Fatalf("no cases under %s: %v", root, err)
	}
	for _, cmd := range found {
		dir := strings.TrimSuffix(cmd, "/"+script)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			play(t, dir, cmd, "")
		})
	}
}

// game is a case that is being played.
type game struct {
	*desk
	t      *testing.T
	golden string // the directory of the golden files
	net    *network
	schema string // of a state in a database; "" if it is in a file
	lock   interface{ Unlock() error }

	stdout, stderr strings.Builder // the transcripts
}

// play plays a case. Its state is in a schema of the tests' database, unless schema
// is "".
func play(t *testing.T, dir, cmd, schema string) {
	t.Helper()
	src, err := os.ReadFile(cmd)
	if err != nil {
		t.Fatal(err)
	}
	g := &game{desk: newDesk(t), t: t, golden: filepath.Dir(cmd), schema: schema}
	copyFiles(t, dir, g.dir)
	if schema != "" {
		g.share(!strings.HasPrefix(string(src[max(0, bytes.Index(src, []byte("handbill "))):]), "handbill init"))
	}
	g.network()
	for n, line := range strings.Split(string(src), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := g.line(line); err != nil {
			t.Fatalf("%s:%d: %s: %v", cmd, n+1, line, err)
		}
	}
	golden.Assert(t, unhurried.ReplaceAll([]byte(g.asFile(&g.stdout)), []byte(".")), filepath.Join(g.golden, "stdout.golden"))
	g.optional("stderr.golden", []byte(g.asFile(&g.stderr)))
	if g.net != nil {
		golden.Assert(t, g.net.transcript(), filepath.Join(g.golden, "requests.golden"))
	}
}

// unhurried matches what a report adds if a run took more than two seconds, as it
// may on a busy machine.
var unhurried = regexp.MustCompile(`(?m) in \d+ s\.$`)

// progress matches progress lines, which appear only during long runs.
var progress = regexp.MustCompile(`(?m)^Sending campaign\..* left\n`)

// optional compares with a golden file that does not exist if it would be empty.
func (g *game) optional(name string, got []byte) {
	path := filepath.Join(g.golden, name)
	if len(got) == 0 {
		if golden.Updating() {
			os.Remove(path)
		} else if _, err := os.Stat(path); err == nil {
			g.t.Errorf("%s: nothing was written, and something is expected", name)
		}
		return
	}
	golden.Assert(g.t, got, path)
}

// copyFiles copies a case's own files, but not its script and golden files.
func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || rel == "." {
			return err
		}
		switch {
		case d.IsDir() && rel == "testdata", d.IsDir() && strings.HasPrefix(rel, "."):
			return fs.SkipDir
		case d.IsDir():
			return os.Mkdir(filepath.Join(to, rel), 0o755)
		case rel == "cmd" || strings.HasSuffix(rel, ".golden"):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// network starts a simulated network if the configuration uses env("SANDBOX");
// sandbox.json is its script.
func (g *game) network() {
	g.t.Helper()
	files, err := filepath.Glob(filepath.Join(g.dir, "*.hcl"))
	if err != nil {
		g.t.Fatal(err)
	}
	asked := false
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			g.t.Fatal(err)
		}
		asked = asked || bytes.Contains(data, []byte(`env("SANDBOX")`))
	}
	if !asked {
		return
	}
	opt := sandbox.Options{AssumeOpen: true, Throughput: 1000}
	if data, err := os.ReadFile(filepath.Join(g.dir, "sandbox.json")); err == nil {
		if opt.Script, err = sandbox.ParseScript(data); err != nil {
			g.t.Fatal(err)
		}
	}
	g.net = newNetwork(g.desk, opt)
}

// line executes one line of a script.
func (g *game) line(line string) error {
	words, want, err := splitLine(line)
	if err != nil {
		return err
	}
	if words[0] == "handbill" {
		return g.handbill(line, words[1:], want)
	}
	verb, ok := verbs()[words[0]]
	if !ok || len(words)-1 != verb.args {
		return fmt.Errorf("not a line that the README tells of")
	}
	return verb.do(g, words[1:])
}

// handbill runs a command. "< FILE" is its input; "> FILE" is a file for its
// output, which has its own golden file.
func (g *game) handbill(line string, words []string, want int) error {
	var args []string
	out := ""
	g.stdin = ""
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "<" && i+1 < len(words):
			i++
			data, err := os.ReadFile(filepath.Join(g.dir, words[i]))
			if err != nil {
				return err
			}
			g.desk.stdin = string(data)
		case words[i] == ">" && i+1 < len(words):
			i++
			out = words[i]
		default:
			args = append(args, words[i])
		}
	}
	got := g.run(args...)
	if got != want {
		g.t.Errorf("%s: exit %d, want %d", line, got, want)
	}
	fmt.Fprintf(&g.stdout, "$ %s\n", line)
	if out == "" {
		g.stdout.Write(g.desk.stdout.Bytes())
	} else if err := g.output(out); err != nil {
		return err
	}
	g.stdout.WriteString("\n")
	if said := progress.ReplaceAllString(g.desk.stderr.String(), ""); said != "" {
		fmt.Fprintf(&g.stderr, "$ %s\n%s\n", line, said)
	}
	return nil
}

// output writes a command's output to a file and compares it; JSON documents are
// indented to make diffs readable.
func (g *game) output(name string) error {
	data := g.desk.stdout.Bytes()
	g.write(name, string(data))
	if strings.HasSuffix(name, ".json") && json.Valid(data) {
		var b bytes.Buffer
		if err := json.Indent(&b, bytes.TrimSpace(data), "", "  "); err != nil {
			return err
		}
		data = append(b.Bytes(), '\n')
	}
	golden.Assert(g.t, data, filepath.Join(g.golden, name+".golden"))
	return nil
}

// splitLine splits a line as a shell would, with single and double quotes, and
// removes "# exit N" from its end.
func splitLine(line string) (words []string, exit int, err error) {
	if i := strings.LastIndex(line, "# exit "); i >= 0 {
		if exit, err = strconv.Atoi(strings.TrimSpace(line[i+len("# exit "):])); err != nil {
			return nil, 0, err
		}
		line = line[:i]
	}
	var word strings.Builder
	inWord, quote := false, rune(0)
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == ' ':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, 0, fmt.Errorf("a quote is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, exit, nil
}

// verb is a line of a script that is not a handbill command.
type verb struct {
	args int
	do   func(g *game, args []string) error
}

func verbs() map[string]verb {
	return map[string]verb{
		"cp":     {2, func(g *game, a []string) error { return g.copy(a[0], a[1]) }},
		"rm":     {1, func(g *game, a []string) error { return os.Remove(g.path(a[0])) }},
		"mkdir":  {1, func(g *game, a []string) error { return os.Mkdir(g.path(a[0]), 0o755) }},
		"chmod":  {2, (*game).chmod},
		"env":    {1, func(g *game, a []string) error { g.env = append(g.env, a[0]); return nil }},
		"clock":  {1, (*game).clock},
		"lock":   {0, (*game).holdLock},
		"unlock": {0, func(g *game, _ []string) error { g.lock.Unlock(); return nil }},
		"opt-out": {1, func(g *game, a []string) error {
			return g.event(message.Event{Kind: message.EventPreference, OptOut: true, Category: "marketing_messages"}, a[0])
		}},
		"inbound": {2, func(g *game, a []string) error {
			return g.event(message.Event{Kind: message.EventInbound, Type: "text", Text: a[1]}, a[0])
		}},
		"webhook":   {2, (*game).webhook},
		"follow":    {2, (*game).follow},
		"interrupt": {1, (*game).interruptAt},
		"sql":       {1, (*game).sql},
		"truncate":  {2, (*game).truncate},
		"template":  {1, (*game).template},
		"product":   {2, (*game).product},
		"singleton": {1, (*game).singleton},
	}
}

func (g *game) path(name string) string { return filepath.Join(g.dir, name) }

func (g *game) copy(from, to string) error {
	data, err := os.ReadFile(g.path(from))
	if err != nil {
		return err
	}
	g.write(to, string(data))
	return nil
}

func (g *game) chmod(args []string) error {
	mode, err := strconv.ParseUint(args[0], 8, 32)
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		g.t.Skip("permissions do not bind root")
	}
	g.t.Cleanup(func() { _ = os.Chmod(g.path(args[1]), 0o755) })
	return os.Chmod(g.path(args[1]), fs.FileMode(mode))
}

// template changes one of the account's templates by hand.
func (g *game) template(args []string) error {
	var t sandbox.Template
	if err := json.Unmarshal([]byte(args[0]), &t); err != nil {
		return err
	}
	return g.net.PutTemplate(t)
}

// product changes a product of a catalog by hand.
func (g *game) product(args []string) error {
	var p sandbox.CatalogProduct
	if err := json.Unmarshal([]byte(args[1]), &p); err != nil {
		return err
	}
	return g.net.PutProduct(args[0], p)
}

func (g *game) singleton(args []string) error {
	var one sandbox.Singleton
	if err := json.Unmarshal([]byte(args[0]), &one); err != nil {
		return err
	}
	return g.net.PutSingleton(one)
}

func (g *game) clock(args []string) error {
	at, err := time.Parse(time.RFC3339, args[0])
	g.wall.Store(at.Unix())
	return err
}

func (g *game) holdLock([]string) (err error) {
	info := state.LockInfo{ID: "4F7QJ2", Operation: "apply", Who: "grace", Host: "workshop", PID: 4711, Created: noon, Version: "0.1.0"}
	if g.schema != "" {
		g.lock, err = postgres.Lock(context.Background(), g.database(), "send", info, 0)
		return err
	}
	g.lock, err = sqlite.Lock(context.Background(), g.path("handbill.state"), info, 0)
	return err
}

// store opens the state of the case.
func (g *game) store() (state.Store, error) {
	if g.schema != "" {
		return postgres.Open(context.Background(), g.database())
	}
	return sqlite.Open(context.Background(), sqlite.Options{Path: g.path("handbill.state"), Clock: g.now, Rand: g.rand, Version: "0.1.0"})
}

// event records an event as if a webhook had delivered it.
func (g *game) event(ev message.Event, from string) error {
	s, err := g.store()
	if err != nil {
		return err
	}
	defer s.Close()
	ev.ID, ev.At, ev.From = "wamid.in."+from, g.now(), message.Address{Phone: from}
	return s.Events(context.Background(), "provider.sandbox.main", []message.Event{ev})
}

// webhook accepts a body in Meta's format for a provider and joins it, as serve
// does. ID(PHONE) in it stands for the id of the message to that number.
func (g *game) webhook(args []string) error {
	body, err := os.ReadFile(g.path(args[1]))
	if err != nil {
		return err
	}
	s, err := g.store()
	if err != nil {
		return err
	}
	defer s.Close()
	snap, err := s.Snapshot(context.Background())
	if err != nil {
		return err
	}
	defer snap.Close()
	for d, err := range snap.Deliveries(context.Background(), "") {
		if err != nil {
			return err
		}
		body = bytes.ReplaceAll(body, []byte("ID("+d.Recipient+")"), []byte(d.ID))
	}
	evs, err := metaobject.DecodeEnvelope(body)
	if err != nil {
		return err
	}
	if _, err = s.Append(context.Background(), []state.Inbox{{Provider: args[0], Received: g.now(), Raw: body, Events: evs}}); err != nil {
		return err
	}
	return s.FoldAll(context.Background())
}

// interruptAt interrupts the next command while its nth send is in flight.
func (g *game) interruptAt(args []string) error {
	n, err := strconv.Atoi(args[0])
	g.net.onPost = func(k int) {
		if k != n {
			return
		}
		g.interrupts <- os.Interrupt
		for !strings.Contains(g.desk.stderr.String(), "Interrupt") {
			time.Sleep(time.Millisecond) // the command's own clock stands still
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// sql changes the state behind handbill's back.
func (g *game) sql(args []string) error {
	c, err := driver.OpenConn(g.path("handbill.state"), driver.OpenReadWrite)
	if err != nil {
		return err
	}
	defer c.Close()
	return sqlitex.ExecuteTransient(c, args[0], nil)
}

func (g *game) truncate(args []string) error {
	n, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return err
	}
	return os.Truncate(g.path(args[1]), n)
}
