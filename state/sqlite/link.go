package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// linkRow is a row of links: one link in the message of one attempt. It is written
// with the attempt, and again when somebody follows the link for the first time or a
// program fetches it. Where it leads is not in it: the last apply decides that for
// all messages of a campaign (state.Destination).
type linkRow struct {
	id       int64
	token    string // "" where the recipient was erased
	attempt  int64  // the id of the attempt
	link     int64  // the integer of the link block's address
	clicked  int64  // when the person first followed it; 0 for never
	programs int64  // how often previews and robots fetched it
}

// linkColumns are the columns that scanLink reads.
const linkColumns = "id, token, attempt, link, clicked, programs"

// scanLink reads a row of links.
func scanLink(st *sqlite.Stmt) linkRow {
	return linkRow{id: st.ColumnInt64(0), token: st.ColumnText(1), attempt: st.ColumnInt64(2), link: st.ColumnInt64(3), clicked: st.ColumnInt64(4), programs: st.ColumnInt64(5)}
}

// putLink writes a row; one with an id takes the place of the row that has it.
func (t *tx) putLink(l *linkRow) error {
	w := t.replace(tLinks, l.id)
	w.maybeText(l.token)
	w.int(l.attempt)
	w.int(l.link)
	w.maybe(l.clicked)
	w.int(l.programs)
	_, err := w.done()
	return err
}

// putLinks writes the links of a new attempt. A token is given out once, so that a row
// never changes whose it is; the index refuses another with the same.
func (t *tx) putLinks(attempt int64, links []state.TokenLink) error {
	for i := range links {
		link, err := t.address(links[i].Link)
		if err != nil {
			return err
		}
		if err := t.putLink(&linkRow{token: links[i].Token, attempt: attempt, link: link}); err != nil {
			return err
		}
	}
	return nil
}

// linksWhere reads rows of links.
func (c *conn) linksWhere(where string, args ...any) (out []linkRow, err error) {
	err = c.each("SELECT "+linkColumns+" FROM links WHERE "+where, func(st *sqlite.Stmt) error {
		out = append(out, scanLink(st))
		return nil
	}, args...)
	return out, err
}

// forgetTokens removes the tokens of an attempt, which lead to its recipient. What
// was counted stays.
func (t *tx) forgetTokens(attempt int64) error {
	rows, err := t.c.linksWhere("attempt = ? AND token IS NOT NULL", attempt)
	for i := 0; err == nil && i < len(rows); i++ {
		rows[i].token = ""
		err = t.putLink(&rows[i])
	}
	return err
}

// Link implements state.Store. It is asked for every visit, with whatever stands in an
// address, and reads three rows by their keys.
func (s *Store) Link(ctx context.Context, token string) (l state.SentLink, ok bool, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each(`SELECT r.address, n.address, l.clicked FROM links l JOIN attempts a ON a.id = l.attempt
			JOIN addresses r ON r.id = a.campaign JOIN addresses n ON n.id = l.link WHERE l.token = ?`, func(st *sqlite.Stmt) error {
			l, ok = state.SentLink{Campaign: st.ColumnText(0), Link: st.ColumnText(1), Clicked: state.Moment(st.ColumnInt64(2))}, true
			return nil
		}, token)
	})
	if err != nil {
		return state.SentLink{}, false, fmt.Errorf("looking a link up: %w", err)
	}
	return l, ok, nil
}

// Click implements state.Store. All clicks that came while the commit before was made
// are one transaction; what says nothing new, as a second visit, writes no row.
func (s *Store) Click(ctx context.Context, clicks []state.Click) error {
	err := s.write(ctx, func(t *tx) error {
		for i := range clicks {
			rows, err := t.c.linksWhere("token = ?", clicks[i].Token)
			if err != nil {
				return err
			}
			for _, l := range rows { // one, or none
				before := l
				l.clicked, l.programs = state.EarlierClick(l.clicked, state.Millis(clicks[i].At)), l.programs+int64(clicks[i].Programs)
				if l == before {
					continue
				}
				if err := t.putLink(&l); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recording %d clicks: %w", len(clicks), err)
	}
	return nil
}

// LinkCounts implements state.Store. A delivery has a link in each of its attempts, and
// the person counts once for all of them.
func (s *Store) LinkCounts(ctx context.Context, campaign string) (out []state.LinkCount, err error) {
	err = s.read(ctx, func(c *conn) error {
		names, err := c.addressNames()
		if err != nil {
			return err
		}
		// Revisions are deliveries of their own.
		return c.each("SELECT a.campaign, l.link, count(DISTINCT CASE WHEN l.clicked IS NOT NULL THEN a.recipient || '/' || a.revision END), sum(l.programs) FROM links l JOIN attempts a ON a.id = l.attempt GROUP BY 1, 2", func(st *sqlite.Stmt) error {
			n := state.LinkCount{Campaign: names[st.ColumnInt64(0)], Link: names[st.ColumnInt64(1)], Clicked: st.ColumnInt(2), Programs: st.ColumnInt(3)}
			if campaign == "" || campaign == n.Campaign {
				out = append(out, n)
			}
			return nil
		})
	})
	slices.SortFunc(out, func(a, b state.LinkCount) int {
		return strings.Compare(a.Campaign+"\x00"+a.Link, b.Campaign+"\x00"+b.Link)
	})
	return out, err
}

// links puts the links of messages.
func (r *itemReader) links() error {
	return r.rows("SELECT "+linkColumns+" FROM links ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		l := scanLink(st)
		return state.KeptLink{Token: l.token, Attempt: l.attempt, Link: r.d.addresses[l.link], Clicked: l.clicked, Programs: l.programs}, nil
	})
}

// addLink writes a link that came from another state.
func (t *tx) addLink(i *state.KeptLink) error {
	link, err := t.address(i.Link)
	if err != nil {
		return err
	}
	return t.putLink(&linkRow{token: i.Token, attempt: i.Attempt, link: link, clicked: i.Clicked, programs: i.Programs})
}
