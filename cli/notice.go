package cli

import "fmt"

// notice writes one line to stderr while a command works: that it waits, what it
// leaves out, or what a server sees. It is safe for concurrent use.
func (a *app) notice(format string, args ...any) {
	a.errs.Lock()
	defer a.errs.Unlock()
	fmt.Fprintf(a.sys.Stderr, format+"\n", args...)
}

// stampNow is the moment that a server's notice begins with.
func (a *app) stampNow() string { return a.sys.Now().UTC().Format("2006-01-02T15:04:05Z") }
