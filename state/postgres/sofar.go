package postgres

import (
	"context"
	"slices"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// SoFar implements state.Shared.
func (s *Store) SoFar(ctx context.Context, run int64, campaign string, revision, first, last int) (far state.SoFar, err error) {
	const answers = " FROM attempts a JOIN outcomes o ON o.id = a.id WHERE a.run = $1 AND a.campaign = $2 AND a.revision = $3 AND o.send <> $4 "
	err = s.read(ctx, func(t *tx) error {
		far = state.SoFar{}
		of := args(run, campaign, int64(revision), int16(state.Pending))
		t.one("SELECT count(*), count(*) FILTER (WHERE o.send = $5 AND EXISTS (SELECT FROM statuses s WHERE s.id = a.id AND s.failed_at <> 0 AND s.rank < $6))"+answers,
			append(slices.Clone(of), int16(state.Accepted), int16(message.RankDelivered)), &far.Answers, &far.Failed)
		if first > 0 && far.Answers >= first {
			var at int64
			t.one("SELECT max(settled) FROM (SELECT o.settled"+answers+"ORDER BY a.id LIMIT $5) f", append(slices.Clone(of), first), &at)
			far.First = state.Moment(at)
		}
		var failed bool
		t.each("SELECT o.send <> $5"+answers+"AND o.cause <> 'interrupted' ORDER BY o.settled DESC, a.id DESC LIMIT $6", append(slices.Clone(of), int16(state.Accepted), last), []any{&failed}, func() error {
			far.Last = append(far.Last, failed)
			return nil
		})
		slices.Reverse(far.Last)
		return nil
	})
	return far, named(err, "reading what a run came to")
}
