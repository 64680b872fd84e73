package faults

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

// TestFullOutput runs the program with a standard output that cannot be written: a
// full disk, and a closed pipe.
func TestFullOutput(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	h := newHouse(t, 3, sandbox.Options{})
	if out, code := h.run("apply", "-auto-approve"); code != 0 {
		t.Fatalf("apply: %d\n%s", code, out)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	reader, left, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	reader.Close()
	for name, stdout := range map[string]*os.File{"no space left on device": full, "broken pipe": left} {
		for _, args := range []string{"state pull", "status -json", "show -json", "validate -json", "state list", "preview",
			"metadata schema", "apply -auto-approve", "plan", "version", "explain", "completion bash"} {
			cmd := exec.Command(handbill(t), strings.Fields(args)...)
			var said bytes.Buffer
			cmd.Dir, cmd.Stdout, cmd.Stderr = h.dir, stdout, &said
			if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said.String(), name) {
				t.Errorf("handbill %s: %v, want exit code 1 and %q on stderr:\n%s", args, err, name, said.String())
			}
		}
	}
}
