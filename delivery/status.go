package delivery

import (
	"cmp"

	"github.com/handbill/handbill/message"
)

// Status is what became of an accepted message, joined from all reports about it.
type Status struct {
	Rank      message.Rank
	RankAt    int64
	FailedAt  int64
	FailCode  string
	FailTitle string
}

// Reached joins a rank: the highest one counts, at the earliest time at which it
// was told.
func (s Status) Reached(r message.Rank, at int64) Status {
	if r != message.RankNone && (r > s.Rank || r == s.Rank && (s.RankAt == 0 || at < s.RankAt)) {
		s.Rank, s.RankAt = r, at
	}
	return s
}

// Failed joins a failure: the earliest one counts. Texts break ties.
func (s Status) Failed(code, title string, at int64) Status {
	earlier := s.FailedAt == 0 || at < s.FailedAt
	if earlier || at == s.FailedAt && (code < s.FailCode || code == s.FailCode && title < s.FailTitle) {
		s.FailedAt, s.FailCode, s.FailTitle = at, code, title
	}
	return s
}

// Billed is what was reported about the price of a message; the zero value means
// that nothing was.
type Billed struct {
	message.Billing
	Rank message.Rank // of the status that reported it
	At   int64
}

// Told joins what a status says about the price: the status that got furthest
// counts, and of two equal ones the later. Billed takes precedence over free, and
// texts break ties.
func (b Billed) Told(what *message.Billing, r message.Rank, at int64) Billed {
	if what == nil {
		return b
	}
	if told := (Billed{*what, r, at}); b.Category == "" || b.compare(&told) < 0 {
		return told
	}
	return b
}

func (b *Billed) compare(o *Billed) int {
	billable := map[bool]int{true: 1}
	return cmp.Or(cmp.Compare(b.Rank, o.Rank), cmp.Compare(b.At, o.At), cmp.Compare(billable[b.Billable], billable[o.Billable]),
		cmp.Compare(b.Category, o.Category), cmp.Compare(b.Model, o.Model), cmp.Compare(b.Type, o.Type))
}
