package postgres

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
)

// Problem is a violated invariant of the state.
type Problem struct {
	Table string // "" for the state as a whole
	What  string
}

// Report is what Verify found.
type Report struct {
	Rows     int64 // how many attempts, outcomes and people were read
	Problems []Problem
}

// checks are the invariants of a state, each as a query that counts violations.
var checks = []struct{ table, what, sql string }{
	{"attempts", "%d attempts have a recipient who is not their person", "SELECT count(*) FROM attempts WHERE recipient LIKE 'erased:%' AND person <> recipient"},
	{"attempts", "%d attempts were made beside one that was open, accepted or in doubt", `SELECT count(*) FROM attempts a JOIN attempts b
		ON b.campaign = a.campaign AND b.revision = a.revision AND b.person = a.person AND b.attempt > a.attempt LEFT JOIN outcomes o ON o.id = a.id
		WHERE NOT a.ordered AND (o.send IS NULL OR o.send = 4) AND NOT EXISTS (SELECT FROM outcomes p WHERE p.id = b.id AND p.send = 2)`},
	{"attempts", "%d attempts are of a run that is not there", "SELECT count(*) FROM attempts a WHERE a.run > 0 AND NOT EXISTS (SELECT FROM runs r WHERE r.id = a.run)"},
	{"outcomes", "%d outcomes are none", "SELECT count(*) FROM outcomes WHERE send NOT IN (0, 2, 3, 4, 5)"},
	{"lanes", "%d lanes are of a run that is not there", "SELECT count(*) FROM lanes l WHERE l.run > 0 AND NOT EXISTS (SELECT FROM runs r WHERE r.id = l.run)"},
	{"plans", "%d parts of plans are of runs that are over", "SELECT count(*) FROM plans p JOIN runs r ON r.id = p.run WHERE r.over"},
	{"lanes", "%d lanes that others can take have no limit", "SELECT count(*) FROM lanes l JOIN runs r ON r.id = l.run WHERE r.carried AND l.until IS NULL"},
	{"circles", "%d circles are nobody's", "SELECT count(*) FROM circles c WHERE NOT EXISTS (SELECT FROM ids i WHERE i.circle = c.id)"},
}

// Verify reads everything and reports violated invariants. It does not look for
// bytes that changed on the disk: the database's page checksums, if enabled, do.
func (s *Store) Verify(ctx context.Context) (r Report, err error) {
	err = s.read(ctx, func(t *tx) error {
		r = Report{}
		t.one("SELECT (SELECT count(*) FROM attempts) + (SELECT count(*) FROM outcomes) + (SELECT count(*) FROM ids)", nil, &r.Rows)
		for _, c := range checks {
			var n int64
			if t.one(c.sql, nil, &n); n > 0 {
				r.Problems = append(r.Problems, Problem{c.table, fmt.Sprintf(c.what, n)})
			}
		}
		for _, c := range t.readCircles("true") {
			for _, id := range c.IDs() {
				if o := t.circles[id]; o != nil {
					r.Problems = append(r.Problems, Problem{"circles", "an id is in two circles"})
				}
				t.circles[id] = c
			}
		}
		t.runs()
		t.halts()
		t.verifyBlocks(&r)
		return nil
	})
	return r, err
}

// verifyBlocks makes every block of the packed index anew from the rows and compares.
func (t *tx) verifyBlocks(r *Report) {
	type kept struct {
		campaign string
		revision int
		span
		facts []byte
		names []string
	}
	var list []kept
	var k kept
	t.each("SELECT campaign, revision, first, last FROM packed ORDER BY campaign, revision, first", nil, []any{&k.campaign, &k.revision, &k.first, &k.last}, func() error {
		list = append(list, k)
		return nil
	})
	for _, k := range list {
		t.one("SELECT facts, names FROM packed WHERE campaign = $1 AND revision = $2 AND first = $3", args(k.campaign, int64(k.revision), k.first), &k.facts, &k.names)
		b, full := t.block(k.campaign, k.revision, k.span, math.MaxInt)
		if t.err == nil && (!full || b.First != k.first || b.Last != k.last || !bytes.Equal(b.Facts(), k.facts) || !slices.Equal(b.Names, k.names)) {
			r.Problems = append(r.Problems, Problem{"packed", "a block of the packed index says something else than the rows of attempts and outcomes"})
		}
	}
}
