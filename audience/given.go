package audience

import (
	"io"
	"iter"

	"github.com/handbill/handbill/message"
)

// givenRows are rows that the caller has. They are asked for when the first one is
// needed, and not before: until then the caller may use what they come from.
type givenRows struct {
	src  Source
	pull func() ([]message.Value, error, bool)
	stop func()
	line int
	hash *rowHash
}

func openGiven(src Source) rows { return &givenRows{src: src, hash: newRowHash(src.Columns)} }

func (r *givenRows) columns() []string { return r.src.Columns }

func (r *givenRows) next(dst []message.Value) (int, error) {
	if r.pull == nil {
		r.pull, r.stop = iter.Pull2(r.src.Given)
	}
	values, err, ok := r.pull()
	if !ok {
		return 0, io.EOF
	}
	r.line++
	if err != nil {
		return r.line, err
	}
	copy(dst, values)
	r.hash.add(dst)
	return r.line, nil
}

func (r *givenRows) notes() []string {
	if r.src.Notes == nil {
		return nil
	}
	return r.src.Notes()
}

func (r *givenRows) digest() [32]byte { return r.hash.sum() }

func (r *givenRows) close() error {
	if r.stop != nil {
		r.stop()
	}
	return nil
}
