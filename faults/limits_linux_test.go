package faults

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// These limit what a command may use for a hostile file. Go's runtime reserves
// more than a GiB of addresses before its first allocation, so the limit is on
// the data of the process, not on its address space.
const (
	maxData     = 1 << 30
	maxResident = 512 << 20
	maxSeconds  = 60 // of CPU time, however busy the machine is
)

// hostile is a directory that an attacker wrote, and the command that is run in it.
type hostile struct {
	name  string
	files map[string]string
	args  string
	want  string // what the diagnostic says
}

const people = "phone,name\n+4915112345601,Ana\n"

// shop is a configuration with a source and a body.
func shop(source, body string) string {
	return fmt.Sprintf(`provider "sandbox" "main" {}
audience "a" {
  source %s
  attributes = { name = row.name }
}
text_message "m" { body = %s }
campaign "c" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = text_message.m
  window   = "assume_open"
}
`, source, body)
}

// expression is a configuration with a hostile expression.
func expression(name, expr, want string) hostile {
	return hostile{name, map[string]string{"main.hcl": shop(`"csv" { path = "people.csv" }`, expr), "people.csv": people}, "validate", want}
}

// contacts is a configuration with hostile contacts.
func contacts(name, kind, data, want string) hostile {
	return hostile{name, map[string]string{"main.hcl": shop(fmt.Sprintf("%q { path = %q }", kind, "people."+kind), `recipient.name`), "people." + kind: data}, "plan", want}
}

func hostiles(t *testing.T) []hostile {
	again := strings.Repeat
	rules := shop(`"csv" { path = "people.csv" }`, `"x"`) + "reply_rule \"r\" {\n  when { any = true }\n  reply = text_message.h\n}\ntext_message \"h\" { body = \"hi\" }\n"
	return []hostile{
		expression("parentheses", again("(", 200_000)+`"x"`+again(")", 200_000), "nested too deeply"),
		expression("lists", again("[", 300_000), "nested too deeply"),
		expression("templates", again(`"${`, 100_000), "nested too deeply"),
		expression("a long sum", `"${1`+again("+1", 300_000)+`}"`, "too long"),
		expression("nested for", `join("", flatten([for a in range(200): [for b in range(200): [for c in range(200): [for d in range(200): "x"]]]]))`, "too costly"),
		expression("a wide format", `format("%1000000000d", 1)`, "Invalid function argument"),
		expression("a huge text", `"`+again("x", 20_000_000)+`"`, "File too large"),
		expression("a huge number", `"${1e100000000}"`, "out of range"),
		expression("a huge number in a text", `"${"1e100000000" - 0}"`, "out of range"),
		expression("a huge number, negated", `"${-"1e100000000"}"`, "out of range"),
		expression("a huge number in JSON", `"${jsondecode("1e100000000")}"`, "out of range"),
		{"blocks", map[string]string{"main.hcl": again("a {", 200_000)}, "validate", "nested too deeply"},
		{"JSON lists", map[string]string{"main.hcl.json": `{"text_message":` + again("[", 400_000)}, "validate", "nested too deeply"},
		{"JSON objects", map[string]string{"main.hcl.json": again(`{"a":`, 100_000)}, "validate", "nested too deeply"},
		{"a huge variable", map[string]string{"main.hcl": "variable \"n\" { type = number }\noutput \"n\" { value = \"${var.n}\" }\n"}, "validate -var=n=1e100000000", "out of range"},
		contacts("ten million columns", "csv", "phone"+again(",a", 10_000_000)+"\n", "can't be read"),
		contacts("a row of ten million columns", "csv", people+"+4915112345602"+again(",a", 10_000_000)+"\n", "can't be read"),
		contacts("a quote that never ends", "csv", people+"+4915112345602,\""+again("a\n", 10_000_000), "can't be read"),
		contacts("deep JSON people", "json", `[{"phone":"+4915112345601","name":`+again("[", 5_000_000), "can't be read"),
		contacts("a line that never ends", "ndjson", `{"phone":"`+again("1", 50_000_000)+`"}`, "can't be read"),
		{"a deep webhook", map[string]string{"main.hcl": rules, "people.csv": people, "hook.json": `{"webhook":` + again("[", 3_000_000)}, "reply test hook.json", "Unreadable events"},
		{"a plan that swells", map[string]string{"main.hcl": rules, "people.csv": people, "bomb.plan": bomb(t)}, "show bomb.plan", "Plan not readable"},
		{"a plan that swells, applied", map[string]string{"main.hcl": rules, "people.csv": people, "bomb.plan": bomb(t)}, "apply -auto-approve bomb.plan", "Plan not readable"},
		{"opt-outs of one row", map[string]string{"main.hcl": rules, "people.csv": people, "optouts.csv": again("a,", 5_000_000)}, "state optouts import optouts.csv", "Error"},
	}
}

// bomb is an archive that becomes a thousand times larger when unpacked.
func bomb(t *testing.T) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	blank := bytes.Repeat([]byte(" "), 1<<20)
	for _, name := range []string{"plan.json", "manifest.json", "entries", "config/main.hcl"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			if _, err := w.Write(blank); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var crash = regexp.MustCompile(`(?m)^(panic:|fatal error:|goroutine \d+|runtime:|unexpected fault)|out of memory`)

// TestHostileFiles checks that whatever a file contains, a command ends with a
// diagnostic and exit code 1, within its memory limit.
func TestHostileFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the binary on large files")
	}
	var most int64
	for _, h := range hostiles(t) {
		t.Run(h.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range h.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			out, code, resident := limited(t, dir, h.args)
			most = max(most, resident)
			switch {
			case crash.MatchString(out):
				t.Errorf("it crashed:\n%.2000s", out)
			case code != 1 || !strings.Contains(out, h.want):
				t.Errorf("exit %d, want 1 and %q:\n%.2000s", code, h.want, out)
			case len(out) > 64<<10:
				t.Errorf("the diagnostic has %d bytes", len(out))
			}
			if resident > maxResident {
				t.Errorf("it used %d MiB", resident>>20)
			}
		})
	}
	t.Logf("at most %d MiB", most>>20)
}

// limited runs a command in dir and returns its peak memory.
func limited(t *testing.T, dir, args string) (out string, code int, resident int64) {
	t.Helper()
	script := fmt.Sprintf("ulimit -d %d; ulimit -t %d; ulimit -c 0; exec \"$0\" %s", maxData>>10, maxSeconds, args)
	cmd := exec.Command("sh", "-c", script, handbill(t))
	var b bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &b, &b
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	code = exitCode(t, cmd.Wait())
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("the system does not say what it used")
	}
	return b.String(), code, usage.Maxrss << 10
}
