package cli

// sent is what became of the messages of a run, as far as its exit code tells.
type sent struct {
	failed bool // some were refused, or a campaign was halted
	doubts int  // in doubt after the run
	fresh  int  // of them, by this run
}

// code is the exit code of a run that ended; templates is that of its templates.
func (s *sent) code(templates exit, detailed bool) error {
	switch {
	case s.doubts > 0 && detailed:
		return exit(exitSomeInDoubt)
	case templates != exitDone:
		return templates
	case s.failed && detailed:
		return exit(exitSomeFailed)
	case s.failed || s.fresh > 0:
		return exit(exitError)
	}
	return nil
}
