package cli

import (
	"bufio"
	"fmt"
)

// prompt asks the user questions at the terminal.
type prompt struct {
	a  *app
	in *bufio.Scanner
}

func (a *app) prompt() *prompt { return &prompt{a: a, in: bufio.NewScanner(a.sys.Stdin)} }

// ask asks a question and reads one line as the answer; ok is false at the end of
// the input. It fails if the question could not be written, because nobody has seen
// the question then.
func (p *prompt) ask(question string) (answer string, ok bool, err error) {
	if _, err := fmt.Fprintf(p.a.sys.Stdout, "%s\n  Enter a value: ", question); err != nil {
		return "", false, err
	}
	ok = p.in.Scan()
	_, err = fmt.Fprintln(p.a.sys.Stdout)
	return p.in.Text(), ok, err
}
