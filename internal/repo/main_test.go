package repo

import (
	"context"
	"log"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/handbill/handbill/cli"
)

// beHandbill makes this test binary act as handbill when it is run as a program.
const beHandbill = "HANDBILL_TEST_BINARY"

// TestMain runs the tests in the repository's root, so that paths are the same as
// those that people type.
func TestMain(m *testing.M) {
	if os.Getenv(beHandbill) != "" {
		os.Exit(cli.Main(context.Background(), os.Args[1:], cli.ProcessSystem(nil)))
	}
	if err := os.Chdir(filepath.Join("..", "..")); err != nil {
		log.Fatal(err)
	}
	os.Exit(m.Run())
}

// TestRoot checks that main.go is the only Go file in the root.
func TestRoot(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || !slices.Equal(files, []string{"main.go"}) {
		t.Errorf("the root holds %q, want main.go alone: %v", files, err)
	}
}
