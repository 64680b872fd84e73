package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// TestConversation builds the real programs and plays the example with them.
func TestConversation(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the programs, which takes a while")
	}
	bin := t.TempDir()
	for name, pkg := range map[string]string{"handbill": "../../..", "crm": "../crm"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	var out locked
	d := &demo{handbill: filepath.Join(bin, "handbill"), crm: filepath.Join(bin, "crm"), dir: t.TempDir(), out: &out}
	err := d.play(t.Context(), "..")
	d.end()
	if err != nil {
		t.Fatalf("%v\n%s", err, out.b.String())
	}
	got := out.b.String()
	for _, want := range []string{"1 planned = 1 accepted", `"product":"prod_beta","quantity":2`, "59.80 EUR"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
