package postgres

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/state"
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

// TestTurnsReadByKey checks that a turn reads the rows that it is about, and not all
// that are there, also where the database has no statistics of them yet: a campaign
// would slow down with each message until they are analyzed.
func TestTurnsReadByKey(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	lane := begin(t, s)
	sql(t, s, `INSERT INTO attempts (campaign, revision, recipient, person, attempt, run, number, intended, message, digest, body, ref)
		SELECT 'campaign.before', 1, '+49' || i, '+49' || i, 1, 1, 'n', 1, 'm', '\\x00', '\\x00', '' FROM generate_series(1, 5000) i;
		INSERT INTO outcomes SELECT id, 2, 'response', 1, '', '', '', '' FROM attempts`)
	var intents []state.Intent
	for i := range 60 {
		intents = append(intents, intent(fmt.Sprintf("+49151123456%d", 10+i)))
	}
	verdicts, err := s.Intend(t.Context(), lane, intents)
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []state.Outcome
	for i, v := range verdicts {
		outcomes = append(outcomes, state.Outcome{Attempt: v.Attempt, Send: state.Accepted, Proof: state.ProofResponse, ID: fmt.Sprint("wamid.", i)})
		intents[i] = intent(fmt.Sprintf("+49151223456%d", 10+i))
	}
	read := -1
	calls := []*turn{{lane: lane, outcomes: outcomes, intents: intents}}
	err = s.writeFew(t.Context(), func(tx *tx) { tx.askTurns(calls) }, func(tx *tx) error {
		if err := tx.turns(calls); err != nil {
			return err
		}
		tx.one("SELECT sum(seq_tup_read)::integer FROM pg_stat_xact_user_tables WHERE relid IN ('attempts'::regclass, 'outcomes'::regclass)", nil, &read)
		return tx.err
	})
	if err != nil || read != 0 {
		t.Errorf("%d rows were read that the turn is not about, %v", read, err)
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
