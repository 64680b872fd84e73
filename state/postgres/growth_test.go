package postgres

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/internal/pgtest"
)

// TestCountsGrowWithTheCampaign checks that counting a campaign looks at each of its
// attempts once, also where the database has no statistics of them yet. A join of
// each with each takes minutes for 20,000 people.
func TestCountsGrowWithTheCampaign(t *testing.T) {
	const people = 2000
	s := create(t, pgtest.Shared(t))
	sql(t, s, `INSERT INTO attempts (campaign, revision, recipient, person, attempt, run, number, intended, message, digest, body, ref)
		SELECT 'campaign.before', 1, '+49' || i, '+49' || i, 1, 1, 'n', 1, 'm', '\\x00', '\\x00', '' FROM generate_series(1, `+strconv.Itoa(people)+`) i;
		ANALYZE attempts;
		INSERT INTO attempts (campaign, revision, recipient, person, attempt, run, number, intended, message, digest, body, ref)
		SELECT 'campaign.spring', revision, recipient, person, 1, 1, number, 1, message, digest, body, '' FROM attempts`)
	var plan string
	err := s.once(t.Context(), func(c *pgx.Conn) error {
		if err := s.begin(t.Context(), c, beginRead, idleRead); err != nil {
			return err
		}
		plan = explain(t.Context(), t, c, "SELECT count(*) "+attemptTables+"WHERE a.campaign = $1 AND a.revision = $2 AND "+newestOnly, "campaign.spring", int64(1))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	removed := 0
	for _, m := range regexp.MustCompile(`Rows Removed by (?:Join )?Filter: (\d+)`).FindAllStringSubmatch(plan, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		removed += n
	}
	if removed > 10*people || !strings.Contains(plan, "actual") {
		t.Errorf("%d rows were compared for nothing:\n%s", removed, plan)
	}
}

// explain runs a query, and returns what the database did.
func explain(ctx context.Context, t *testing.T, c *pgx.Conn, query string, args ...any) string {
	t.Helper()
	rows, err := c.Query(ctx, "EXPLAIN (ANALYZE, TIMING OFF) "+query, append([]any{pgx.QueryExecModeExec}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
