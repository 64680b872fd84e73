package cli

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/user"
	"time"

	"golang.org/x/term"

	"github.com/handbill/handbill/state"
)

// System is everything that a command may use of the process: streams, environment,
// clock and signals. Tests pass their own.
type System struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Environ is the environment as "NAME=value".
	Environ []string
	// Build is the program's own identity.
	Build Build
	Now   func() time.Time
	// Rand is the source of randomness for the identity of a new state and the key of
	// its links.
	Rand io.Reader
	// Dir is the working directory.
	Dir string
	// Interrupts delivers one value per interrupt: the first ends a command
	// cleanly, the second immediately.
	Interrupts <-chan os.Signal
	// StdinTerminal, StdoutTerminal and StderrTerminal say which streams are
	// terminals.
	StdinTerminal, StdoutTerminal, StderrTerminal bool
	// Width is the terminal's width in columns; 0 for unknown.
	Width int
	// FreeSpace returns how many bytes can be written on the disk of path; nil asks
	// the file system.
	FreeSpace func(path string) (int64, error)
	// StateTime returns the time by the clock of a state that machines share, which is
	// compared with Now; nil asks the state.
	StateTime func(context.Context, state.Shared) (time.Time, error)
	// Spacing is the minimum time between two messages to one person: 0 for the
	// default of 6 seconds, negative for none, for tests whose clock stands still.
	Spacing time.Duration
	// Sleep waits while a template is reviewed, and between the rounds of apply -watch; nil
	// waits by the machine's clock.
	Sleep func(context.Context, time.Duration) error
}

// ProcessSystem is the System of the running process.
func ProcessSystem(interrupts <-chan os.Signal) System {
	dir, err := os.Getwd()
	if err != nil {
		dir = "." // the directory was removed under us: relative paths fail with their own errors
	}
	width := 0 // of the terminal on either stream
	for _, f := range []*os.File{os.Stderr, os.Stdout} {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = w
		}
	}
	return System{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Environ: os.Environ(), Build: processBuild(), Now: time.Now, Rand: rand.Reader, Dir: dir, Interrupts: interrupts,
		StdinTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Width:          width,
	}
}

// Env is the value of an environment variable and whether it is set.
func (s *System) Env(name string) (string, bool) {
	for i := len(s.Environ) - 1; i >= 0; i-- {
		if k, v, _ := cutEnv(s.Environ[i]); k == name {
			return v, true
		}
	}
	return "", false
}

func cutEnv(entry string) (name, value string, ok bool) {
	for i := 1; i < len(entry); i++ { // Windows has names that begin with "="
		if entry[i] == '=' {
			return entry[:i], entry[i+1:], true
		}
	}
	return entry, "", false
}

// who is the person at the command line, for the record.
func (a *app) who() string {
	for _, name := range []string{"USER", "LOGNAME"} {
		if v, _ := a.sys.Env(name); v != "" {
			return v
		}
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}
