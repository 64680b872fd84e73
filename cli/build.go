package cli

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// The linker sets these for a release. They are used if the module's own build
// information is missing or says less, as in a build from a source archive:
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
	// Digest identifies the content of the program's file: "sha256:…", or "" where it
	// cannot be read. It may be nil where Revision or Sum tell builds apart.
	Digest func() string
}

// processBuild describes the running program. Digest reads the program's file on
// its first call.
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
// one module version have the same ID on every platform. A build from unknown
// source is identified by the digest of its file. "" means that the build cannot be
// identified.
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

// pseudo matches the pseudo-version of a commit that no release precedes.
var pseudo = regexp.MustCompile(`^0\.0\.0-[0-9]{14}-[0-9a-f]{12}`)

// Release is the version that required_version compares; "" where the build
// has none.
func (b *Build) Release() string {
	if b.Version == "devel" || pseudo.MatchString(b.Version) {
		return ""
	}
	return b.Version
}

// userAgent is the User-Agent header of requests.
func (b *Build) userAgent() string { return "handbill/" + b.Version }

// executableDigest returns the digest of the running program's file, even if
// another file has replaced it since.
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
	if id := buildID(f); id != nil {
		h.Write(id)
	} else if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// buildID returns what Go's linker wrote into an ELF file to identify it, which
// includes a hash of its content; nil where there is none. Reading it takes no time,
// and hashing 50 MB takes longer than a plan of a thousand messages.
// Source: how the go command describes its build IDs (buildid.go), read 2026-11.
func buildID(file io.ReaderAt) []byte {
	f, err := elf.NewFile(file)
	if err != nil {
		return nil
	}
	note := f.Section(".note.go.buildid")
	if note == nil {
		return nil
	}
	data, err := note.Data()
	const head = 16 // three lengths and "Go"
	if err != nil || len(data) <= head || bytes.Count(data, []byte("/")) != 3 {
		return nil // as with -ldflags=-buildid=
	}
	return data[head:]
}
