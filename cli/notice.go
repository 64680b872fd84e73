package cli

import "fmt"

// notice says one line on stderr beside the report, while a command works: that
// it waits, what it leaves out, what happens at a server. It may be called by
// several goroutines.
func (a *app) notice(format string, args ...any) {
	a.errs.Lock()
	defer a.errs.Unlock()
	fmt.Fprintf(a.sys.Stderr, format+"\n", args...)
}
