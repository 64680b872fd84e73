package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/handbill/handbill/cli"
	"github.com/handbill/handbill/internal/forgetest"
	"github.com/handbill/handbill/sandbox"
)

// cutWriter accepts a number of bytes and then fails.
type cutWriter struct {
	left  int
	at    string // fails when this is to be written
	err   error
	tried int // bytes that a command wanted to write
	wrote bytes.Buffer
}

func (w *cutWriter) Write(p []byte) (int, error) {
	w.tried += len(p)
	if w.at != "" && bytes.Contains(p, []byte(w.at)) {
		return 0, w.err
	}
	if len(p) <= w.left {
		w.left -= len(p)
		w.wrote.Write(p)
		return len(p), nil
	}
	n := w.left
	w.left = 0
	return n, w.err
}

// runCut runs a command whose output fails after some bytes.
func (d *desk) runCut(w *cutWriter, args ...string) int {
	d.t.Helper()
	d.wall.Add(1)
	d.stderr.Reset()
	interrupts := make(chan os.Signal, 1)
	if args[0] == "serve" || args[0] == "sandbox" {
		interrupts <- os.Interrupt
	}
	return cli.Main(context.Background(), args, cli.System{
		Stdin: strings.NewReader(d.stdin), Stdout: w, Stderr: &d.stderr,
		Environ: d.env, Build: d.build, Now: d.now, Rand: d.rand, Dir: d.dir, Interrupts: interrupts, Width: 100, FreeSpace: d.space,
	})
}

// printing has calls of every command, on the desk of printingDesk. Commands that
// change something get their own desk.
var printing = []struct {
	args    string
	changes bool
	code    int // if it is not 0
	stdin   string
}{
	{args: "help"}, {args: "version"}, {args: "version -json"},
	{args: "completion bash"}, {args: "completion fish"}, {args: "completion zsh"}, {args: "completion powershell"},
	{args: "init", changes: true}, {args: "init -json", changes: true},
	{args: "validate"}, {args: "validate -json"},
	{args: "plan"}, {args: "plan -json"}, {args: "plan -detailed-exitcode", code: 2},
	{args: "plan -format=json"}, {args: "plan -format=markdown"}, {args: "plan -format=html"},
	{args: "apply -auto-approve", changes: true}, {args: "apply -auto-approve -json", changes: true},
	{args: "status"}, {args: "status -json"}, {args: "status -format=csv"}, {args: "status -format=html"}, {args: "run"},
	{args: "refresh", changes: true}, {args: "refresh -json", changes: true},
	{args: "resolve -as=sent campaign.autumn", changes: true}, {args: "resolve -json -as=sent campaign.autumn", changes: true},
	{args: "serve -listen=127.0.0.1:0", changes: true}, {args: "sandbox -listen=127.0.0.1:0"},
	{args: "reply"}, {args: "reply test note.json"}, {args: "reply test -json note.json"},
	{args: "show"}, {args: "show -json"}, {args: "show saved.plan"}, {args: "show -json saved.plan"},
	{args: "comment", changes: true, stdin: "<!-- handbill-plan -->\n"}, {args: "comment -json", changes: true, stdin: "<!-- handbill-plan -->\n"},
	{args: "preview"}, {args: "preview -json"}, {args: "preview -html=page.html", changes: true},
	{args: "try campaign.autumn", changes: true}, {args: "try -json campaign.autumn", changes: true},
	{args: "test"}, {args: "test -json"},
	{args: "fmt -diff -check", code: 1}, {args: "fmt -", stdin: "a=1\n"},
	{args: "console", stdin: "1 + 1\n"}, {args: "graph"},
	{args: "output"}, {args: "output -json"}, {args: "output -raw where"},
	{args: "providers"}, {args: "providers -json"}, {args: "providers check"}, {args: "providers check -json"},
	{args: "import -campaign=campaign.autumn old.csv", changes: true}, {args: "import -json -campaign=campaign.autumn old.csv", changes: true},
	{args: "explain"}, {args: "explain -json"}, {args: "explain check_failed"},
	{args: "metadata"}, {args: "metadata functions"}, {args: "metadata functions -json"}, {args: "metadata schema"},
	{args: "state"}, {args: "state list"}, {args: "state list -json"}, {args: "state list -json campaign.autumn"}, {args: "state list campaign.autumn"}, {args: "state show campaign.autumn"}, {args: "state show -json campaign.autumn"},
	{args: "state pull"}, {args: "state export -out=all.jsonl", changes: true}, {args: "state export -json -out=all.jsonl", changes: true},
	{args: "state rm campaign.autumn", changes: true}, {args: "state rm -json campaign.autumn", changes: true}, {args: "state mv campaign.autumn campaign.winter", changes: true},
	{args: "state mv -json campaign.autumn campaign.winter", changes: true},
	{args: "state verify"}, {args: "state verify -json"}, {args: "state backup copy.state", changes: true}, {args: "state backup -json copy.state", changes: true},
	{args: "state restore earlier.state", changes: true}, {args: "state restore -json earlier.state", changes: true}, {args: "state acknowledge -why=looked", changes: true}, {args: "state acknowledge -json -why=looked", changes: true},
	{args: "state migrate -to=new.state", changes: true}, {args: "state migrate -json -to=new.state", changes: true},
	{args: "state erase +4915112345671", changes: true}, {args: "state erase -json +4915112345671", changes: true}, {args: "state giveback +4915112345671", changes: true}, {args: "state giveback -json +4915112345671", changes: true},
	{args: "state prune -days=60", changes: true}, {args: "state prune -json -days=60", changes: true},
	{args: "state notices"}, {args: "state notices -json"},
	{args: "state optouts"}, {args: "state optouts list"}, {args: "state optouts list -json"}, {args: "state optouts list -csv"},
	{args: "state optouts add +4915112345679", changes: true}, {args: "state optouts add -json +4915112345679", changes: true},
	{args: "state optouts remove -why=letter +4915112345678", changes: true}, {args: "state optouts remove -json -why=letter +4915112345678", changes: true},
	{args: "state optouts import leavers.csv", changes: true}, {args: "state optouts import -json leavers.csv", changes: true},
}

// silent lists the commands that are not in the table, and why.
var silent = map[string]string{
	"run list":     "needs a state in a database: TestRunsCarriedOn",
	"run follow":   "the same",
	"run stop":     "the same",
	"run resume":   "the same",
	"worker":       "the same; it writes to stderr alone",
	"lsp":          "answers an editor: lsp's TestStreamThatEnds, and TestLanguageServer",
	"state unlock": "needs what a lock of another machine left behind; it says one line as all others do",
}

// printingDesk is a desk where every command has something to print: a campaign was
// applied, one of its messages is in doubt, one person opted out, and four new
// people are waiting.
func printingDesk(t *testing.T) *desk {
	d := newDesk(t)
	n := newNetwork(d, sandbox.Options{})
	n.onPost = func(i int) {
		if i == 2 {
			panic(http.ErrAbortHandler)
		}
	}
	d.write("main.hcl", strings.NewReplacer("spring", "autumn", "message  =", `testers = ["+4915112345670"]
  message =`).Replace(spring)+`
output "where" { value = "Berlin" }
`)
	d.write("contacts.csv", "phone\n+4915112345671\n+4915112345672\n+4915112345673\n")
	d.write("old.csv", "phone,message id,sent at\n+4915112345679,wamid.Z,2026-02-01T10:00:00Z\n")
	d.write("leavers.csv", "recipient,reason\n+4915112345679,asked by letter\n")
	d.write("ugly.hcl", "variable \"x\" {\ndefault=1\n}\n")
	d.env = append(d.env, forgetest.New(t).GitHub()...)
	d.write("note.json", `{"provider": "provider.sandbox.main", "type": "text", "text": "Hello?", "from": "+4915112345671"}`)
	d.write("autumn.test.hcl", "run \"all\" {\n  assert {\n    condition     = true\n    error_message = \"never\"\n  }\n}\n")
	d.must(0, "init")
	d.must(0, "state", "backup", "earlier.state")
	d.must(1, "apply", "-auto-approve")
	d.must(0, "state", "optouts", "add", "+4915112345678")
	d.write("contacts.csv", fiveContacts)
	d.must(0, "plan", "-out=saved.plan")
	return d
}

// TestOutputThatCannotBeWritten checks that a command that loses output at its
// beginning, in the middle or at its last byte ends with exit code 1 and says
// so on stderr.
func TestOutputThatCannotBeWritten(t *testing.T) {
	shared := printingDesk(t)
	for _, row := range printing {
		t.Run(row.args, func(t *testing.T) {
			args := strings.Fields(row.args)
			d := shared
			if row.changes {
				t.Parallel()
				d = printingDesk(t)
			} else {
				d.t = t
			}
			d.stdin = row.stdin
			cuts := []int{0}
			if !row.changes {
				whole := &cutWriter{left: 1 << 30}
				if code := d.runCut(whole, args...); code != row.code || whole.tried == 0 {
					t.Fatalf("exit %d and %d bytes with a whole output, want %d\n%s", code, whole.tried, row.code, d.stderr.String())
				}
				last := whole.tried - 1
				if args[0] == "test" {
					last -= 40 // it shows how long it took, and the next time may have fewer digits
				}
				cuts = []int{0, whole.tried / 2, last}
			}
			for _, cut := range cuts {
				w := &cutWriter{left: cut, err: syscall.ENOSPC}
				want := 1
				if row.code > 2 {
					want = row.code
				}
				if code := d.runCut(w, args...); code != want || w.tried == 0 {
					t.Errorf("exit %d when only %d bytes could be written, want %d\n%s", code, cut, want, d.stderr.String())
				}
				if got := d.stderr.String(); strings.Count(got, "Error: ") != 1 {
					t.Errorf("cut after %d bytes, want one error on stderr:\n%s", cut, got)
				}
				wantAll(t, d.stderr.String(), "Output cut short", "no space left on device")
			}
		})
	}
}

// commands asks the program for its commands, as shell completion does.
func commands(d *desk) (all []string) {
	var walk func(path ...string)
	walk = func(path ...string) {
		out := d.must(0, append(append([]string{"__complete"}, path...), "")...)
		for line := range strings.Lines(out) {
			name, _, ok := strings.Cut(strings.TrimSpace(line), "\t")
			if !ok || strings.HasPrefix(name, "-") {
				continue
			}
			sub := append(slices.Clone(path), name)
			all = append(all, strings.Join(sub, " "))
			if name != "help" && len(sub) < 4 {
				walk(sub...)
			}
		}
	}
	walk()
	return all
}

// rowsOf returns the rows of the table of outputs that run a command.
func rowsOf(command string) (rows []string) {
	for _, row := range printing {
		if row.args == command || strings.HasPrefix(row.args, command+" ") {
			rows = append(rows, row.args)
		}
	}
	return rows
}

func TestEveryCommandIsInTheTableOfOutputs(t *testing.T) {
	for _, c := range commands(newDesk(t)) {
		if silent[c] == "" && len(rowsOf(c)) == 0 {
			t.Errorf("handbill %s is not in the table of outputs", c)
		}
	}
}

// noJSON lists the commands without -json, and why.
var noJSON = map[string]string{
	"help":            "a text for people",
	"completion":      "a script for a shell",
	"fmt":             "with - it writes a file; else names of files, a line each",
	"console":         "a conversation",
	"graph":           "Graphviz's language is a form for programs",
	"lsp":             "it speaks JSON-RPC",
	"worker":          "tells what it does while it does it, on stderr",
	"serve":           "it runs until it is stopped; /metrics is for programs",
	"sandbox":         "it runs until it is stopped; its page and API are for programs",
	"metadata schema": "it is JSON",
	"state pull":      "it is JSON lines",
}

// TestEveryCommandHasJSON checks that whatever a command shows to people is
// also available as JSON, and that the JSON decodes.
func TestEveryCommandHasJSON(t *testing.T) {
	d := printingDesk(t)
	all := commands(d)
	for _, c := range all {
		parent := slices.ContainsFunc(all, func(other string) bool { return strings.HasPrefix(other, c+" ") })
		first, _, _ := strings.Cut(c, " ")
		switch has := strings.Contains(d.must(0, append(strings.Fields(c), "-help")...), "  -json "); {
		case noJSON[c] != "" || noJSON[first] != "":
			if has && c != "metadata schema" {
				t.Errorf("handbill %s has -json; take it out of the list of those that have none", c)
			}
		case !has && !(parent && c != "providers"):
			t.Errorf("handbill %s has no -json", c)
		case has && silent[c] == "" && !slices.ContainsFunc(rowsOf(c), func(row string) bool { return strings.Contains(row, " -json") }):
			t.Errorf("handbill %s -json is not in the table of outputs", c)
		}
	}
	for _, row := range printing {
		if !strings.Contains(row.args, " -json") || strings.Contains(row.args, "apply") {
			continue
		}
		on := d
		if row.changes {
			on = printingDesk(t)
		}
		on.stdin = row.stdin
		out := json.NewDecoder(strings.NewReader(on.must(max(row.code, 0), strings.Fields(row.args)...)))
		documents := 0
		for ; ; documents++ {
			var document any
			if err := out.Decode(&document); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("handbill %s: %v", row.args, err)
			}
		}
		if documents == 0 {
			t.Errorf("handbill %s wrote no JSON", row.args)
		}
	}
}

// TestReportThatCannotBeWritten checks that an apply that loses the last byte
// of its report has sent and recorded everything, and ends with exit code 1.
func TestReportThatCannotBeWritten(t *testing.T) {
	for _, flag := range []string{"", "-json"} {
		t.Run("apply "+flag, func(t *testing.T) {
			args := []string{"apply", "-auto-approve"}
			if flag != "" {
				args = append(args, flag)
			}
			d, _ := springDesk(t)
			whole := &cutWriter{left: 1 << 30}
			if code := d.runCut(whole, args...); code != 0 {
				t.Fatalf("exit %d\n%s", code, d.stderr.String())
			}
			d, n := springDesk(t)
			if code := d.runCut(&cutWriter{left: whole.tried - 1, err: syscall.EPIPE}, args...); code != 1 {
				t.Errorf("exit %d, want 1\n%s", code, d.stderr.String())
			}
			wantAll(t, d.stderr.String(), "Output cut short", "stays as it is")
			if n.count() != 5 {
				t.Errorf("%d messages were sent, want 5", n.count())
			}
			wantAll(t, d.must(0, "plan"), "No changes")
		})
	}
}

// TestPlanThatCannotBeShown checks that a plan that nobody could read is not
// applied.
func TestPlanThatCannotBeShown(t *testing.T) {
	for _, args := range [][]string{{"apply", "-auto-approve"}, {"apply", "-auto-approve", "-json"}, {"apply"}} {
		d, n := springDesk(t)
		d.stdin = "send 5\n"
		if code := d.runCut(&cutWriter{left: 40, err: syscall.ENOSPC}, args...); code != 1 || n.count() != 0 {
			t.Errorf("%v: exit %d with %d messages, want 1 and none\n%s", args, code, n.count(), d.stderr.String())
		}
	}
}

// TestQuestionThatCannotBeAsked checks that the answer to a question that could
// not be written is not an approval.
func TestQuestionThatCannotBeAsked(t *testing.T) {
	d, n := springDesk(t)
	d.stdin = "send 5\n"
	if code := d.runCut(&cutWriter{left: 1 << 20, at: "Only", err: syscall.ENOSPC}, "apply"); code != 1 || n.count() != 0 {
		t.Errorf("exit %d with %d messages, want 1 and none\n%s", code, n.count(), d.stderr.String())
	}
}

// TestReaderOfHelpThatLeft checks that quitting a pager on a help text is no
// error, but a full disk is one.
func TestReaderOfHelpThatLeft(t *testing.T) {
	d := newDesk(t)
	for _, args := range [][]string{{"-help"}, {"plan", "-help"}, {"help", "apply"}, {"state"}} {
		if code := d.runCut(&cutWriter{left: 10, err: syscall.EPIPE}, args...); code != 0 || d.stderr.String() != "" {
			t.Errorf("%v: exit %d, %q", args, code, d.stderr.String())
		}
		if code := d.runCut(&cutWriter{left: 10, err: syscall.ENOSPC}, args...); code != 1 {
			t.Errorf("%v: exit %d on a full disk, want 1", args, code)
		}
	}
	if code := d.runCut(&cutWriter{left: 10, err: syscall.EPIPE}, "explain"); code != 1 {
		t.Errorf("a list whose reader left: exit %d, want 1", code)
	}
}
