package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// What a release is linked with, where the module's own stamps are not there
// or say less, as in a build from an archive of the source:
//
//	-ldflags "-X github.com/handbill/handbill/cli.linkedVersion=1.2.3 …"
var linkedVersion, linkedRevision, linkedDate string

// Build says which handbill a program is. processBuild is that of the running
// one.
type Build struct {
	// Version is by semantic versioning, without a "v": a release's, or the
	// pseudo-version of a commit, "0.0.0-20261129104442-a20bef7c8d1e"; "devel" where
	// nothing stamped the build.
	Version string
	// Revision is the commit, and Date its time (RFC 3339); "" where unknown.
	Revision, Date string
	// Dirty is set where the source was not the commit's.
	Dirty bool
	// Sum is the module's, "h1:…", of a build by "go install …@VERSION"; else "".
	Sum string
	// Go is the compiler's version.
	Go string
	// Digest is over the program's file: "sha256:…", or "" where it cannot be
	// read. It may be nil where Revision or Sum tell builds apart.
	Digest func() string
}

// processBuild is the Build of the running program. Digest reads its file when
// it is first asked.
func processBuild() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	b := stampedBuild(info)
	b.Version = strings.TrimPrefix(cmp.Or(linkedVersion, b.Version), "v")
	b.Revision, b.Date = cmp.Or(linkedRevision, b.Revision), cmp.Or(linkedDate, b.Date)
	b.Digest = sync.OnceValue(executableDigest)
	return b
}

// stampedBuild is what the Go command wrote into the program.
func stampedBuild(info *debug.BuildInfo) Build {
	b := Build{Version: strings.TrimPrefix(info.Main.Version, "v"), Sum: info.Main.Sum, Go: cmp.Or(info.GoVersion, runtime.Version())}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "devel"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Dirty = s.Value == "true"
		}
	}
	return b
}

// ID identifies a build; a saved plan is bound to it. Builds of one clean commit or
// one module version have the same ID on every platform. A build whose source is
// not known is identified by its file. "" stands for a build that cannot be told
// from others.
func (b *Build) ID() string {
	switch {
	case !b.Dirty && b.Revision != "":
		return "commit:" + b.Revision
	case !b.Dirty && b.Sum != "":
		return "module:" + b.Sum
	case b.Digest != nil:
		return b.Digest()
	}
	return ""
}

// pseudo is the version of a commit that no release precedes.
var pseudo = regexp.MustCompile(`^0\.0\.0-[0-9]{14}-[0-9a-f]{12}`)

// Release is the version that required_version compares; "" where the build
// has none.
func (b *Build) Release() string {
	if b.Version == "devel" || pseudo.MatchString(b.Version) {
		return ""
	}
	return b.Version
}

// userAgent is how requests name the program.
func (b *Build) userAgent() string { return "handbill/" + b.Version }

// executableDigest is the digest of the running program's file, even when another
// file has taken its place since.
func executableDigest() string {
	f, err := os.Open("/proc/self/exe") // Linux
	if err != nil {
		path, err := os.Executable()
		if err != nil {
			return ""
		}
		if f, err = os.Open(path); err != nil {
			return ""
		}
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
