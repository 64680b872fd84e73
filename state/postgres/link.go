package postgres

import (
	"context"

	"github.com/handbill/handbill/state"
)

// linkRows are the columns of the links of new attempts.
type linkRows struct {
	token, link []string
	attempt     []int64
}

const insertLinks = "INSERT INTO links (token, attempt, link) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])"

func (r *linkRows) add(attempt int64, links []state.TokenLink) {
	for i := range links {
		r.token, r.attempt, r.link = append(r.token, clean(links[i].Token)), append(r.attempt, attempt), append(r.link, clean(links[i].Link))
	}
}

// Link implements state.Store.
func (s *Store) Link(ctx context.Context, token string) (l state.SentLink, ok bool, err error) {
	err = s.read(ctx, func(t *tx) error {
		l, ok = state.SentLink{}, false
		var clicked int64
		t.each("SELECT a.campaign, l.link, l.clicked FROM links l JOIN attempts a ON a.id = l.attempt WHERE l.token = $1", args(clean(token)),
			[]any{&l.Campaign, &l.Link, &clicked}, func() error {
				l.Clicked, ok = state.Moment(clicked), true
				return nil
			})
		return nil
	})
	return l, ok, named(err, "looking a link up")
}

// Click implements state.Store.
func (s *Store) Click(ctx context.Context, clicks []state.Click) error {
	tokens, at, programs := make([]string, len(clicks)), make([]int64, len(clicks)), make([]int64, len(clicks))
	for i := range clicks {
		tokens[i], at[i], programs[i] = clean(clicks[i].Token), state.Millis(clicks[i].At), int64(clicks[i].Programs)
	}
	// A token may come several times, and UPDATE would take one of them. Rows are locked
	// in the order of their ids, so that two servers never wait for each other.
	const sql = `WITH told AS (SELECT token, coalesce(min(at) FILTER (WHERE at <> 0), 0) AS at, sum(programs) AS programs FROM unnest($1::text[], $2::bigint[], $3::bigint[]) c (token, at, programs) GROUP BY token),
		held AS (SELECT l.id, t.at, t.programs FROM links l JOIN told t ON t.token = l.token ORDER BY l.id FOR UPDATE OF l)
		UPDATE links l SET clicked = CASE WHEN l.clicked = 0 OR h.at <> 0 AND h.at < l.clicked THEN h.at ELSE l.clicked END, programs = l.programs + h.programs FROM held h WHERE h.id = l.id`
	err := s.write(ctx, func(t *tx) error {
		t.later(sql, tokens, at, programs)
		return nil
	})
	return named(err, "recording clicks")
}

// LinkCounts implements state.Store.
func (s *Store) LinkCounts(ctx context.Context, campaign string) (out []state.LinkCount, err error) {
	err = s.read(ctx, func(t *tx) error {
		out = nil
		var n state.LinkCount
		t.each(`SELECT a.campaign, l.link, count(DISTINCT (a.person, a.revision)) FILTER (WHERE l.clicked <> 0), sum(l.programs)::bigint FROM links l JOIN attempts a ON a.id = l.attempt
			WHERE $1 = '' OR a.campaign = $1 GROUP BY a.campaign, l.link ORDER BY a.campaign COLLATE "C", l.link COLLATE "C"`, args(campaign),
			[]any{&n.Campaign, &n.Link, &n.Clicked, &n.Programs}, func() error {
				out = append(out, n)
				return nil
			})
		return nil
	})
	return out, err
}

func (t *tx) itemLinks(put func(state.Item) error) {
	var l state.KeptLink
	t.each("SELECT coalesce(token, ''), attempt, link, clicked, programs FROM links ORDER BY id", nil, []any{&l.Token, &l.Attempt, &l.Link, &l.Clicked, &l.Programs}, func() error { return put(l) })
}

// addLink writes a link that came from another state.
func (t *tx) addLink(l *state.KeptLink) {
	t.later("INSERT INTO links (token, attempt, link, clicked, programs) VALUES (nullif($1, ''), $2, $3, $4, $5)", clean(l.Token), l.Attempt, clean(l.Link), l.Clicked, l.Programs)
}
