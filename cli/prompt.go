package cli

import (
	"bufio"
	"fmt"
)

// prompt asks people at the terminal, question by question.
type prompt struct {
	a  *app
	in *bufio.Scanner
}

func (a *app) prompt() *prompt { return &prompt{a: a, in: bufio.NewScanner(a.sys.Stdin)} }

// ask asks a question and reads the line that answers it; ok is false where
// none came. It fails when the question could not be written: what was typed
// answers a question that nobody saw.
func (p *prompt) ask(question string) (answer string, ok bool, err error) {
	if _, err := fmt.Fprintf(p.a.sys.Stdout, "%s\n  Enter a value: ", question); err != nil {
		return "", false, err
	}
	ok = p.in.Scan()
	_, err = fmt.Fprintln(p.a.sys.Stdout)
	return p.in.Text(), ok, err
}
