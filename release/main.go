// Command release builds what handbill is installed from: archives, packages, an
// image for containers, bills of materials and checksums. The same commit gives the
// same bytes. It is a module of its own, so that what it needs stays out of
// handbill's. Run it in its directory, by "make dist" in the root.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

// platforms are those that a release is built for. A 32-bit handbill compiles and is
// not released.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}

func main() {
	var opt options
	flag.StringVar(&opt.source, "source", "..", "checkout of handbill")
	flag.StringVar(&opt.out, "out", "../dist", "directory to write to; it is made, and must be empty")
	list := flag.String("platforms", strings.Join(platforms, ","), "what to build for")
	flag.Parse()
	opt.platforms = strings.Split(*list, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := build(ctx, &opt); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}
