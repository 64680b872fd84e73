package sqlite

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// Exchanges are the answers to a recipient since a time, the newest first and
// up to n, without those to the inbound event seq. Doubts count.
func (s *Store) Exchanges(ctx context.Context, recipient string, seq int64, since time.Time, n int) (out []state.Exchange, err error) {
	err = s.read(ctx, func(c *conn) error {
		who, err := c.recipientID(recipient)
		if err != nil {
			return err
		}
		ids, err := c.idList(who)
		if err != nil {
			return err
		}
		return c.each(`SELECT i.received, a.intended FROM attempts a LEFT JOIN outcomes o ON o.id = a.id LEFT JOIN inbound i ON i.id = a.revision
			WHERE a.recipient IN (SELECT value FROM json_each(?)) AND `+ofReplies+` AND a.intended > ? AND a.revision <> ? AND (o.send IS NULL OR o.send IN (2, 4))
			ORDER BY a.intended DESC LIMIT ?`,
			func(st *sqlite.Stmt) error {
				out = append(out, state.Exchange{Asked: state.Moment(st.ColumnInt64(0)), Answered: state.Moment(st.ColumnInt64(1))})
				return nil
			}, ids, state.Millis(since), seq, n)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the answers to a person: %w", err)
	}
	return out, nil
}
