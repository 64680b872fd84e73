package delivery

import "github.com/handbill/handbill/message"

// Status is how an accepted message fared, joined from all that was told of it.
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
