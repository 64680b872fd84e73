package sqlite

import (
	"testing"
)

func TestHaltedUntilAcknowledged(t *testing.T) {
	o := closed(t)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if halt, err := s.Halted(t.Context()); halt != nil || err != nil {
		t.Errorf("a state in order: %v, %v", halt, err)
	}
	backup := o.Path + ".copy"
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Restore(t.Context(), backup, o); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if halt, err := s.Halted(t.Context()); halt == nil || err != nil {
		t.Errorf("a restored state: %v, %v", halt, err)
	}
	if err := s.Acknowledge(t.Context(), "ada", "nothing was sent since"); err != nil {
		t.Fatal(err)
	}
	if halt, err := s.Halted(t.Context()); halt != nil || err != nil {
		t.Errorf("an acknowledged state: %v, %v", halt, err)
	}
}
