package postgres

import (
	"net/url"
	"testing"

	"github.com/handbill/handbill/internal/pgtest"
)

// TestPooler runs the contract through PgBouncer in transaction mode: each transaction
// may get another of few connections to the server.
func TestPooler(t *testing.T) {
	dir := pgtest.Shared(t).Pooler(t, 3)
	contract(t, (&url.URL{Scheme: "postgres", User: url.User("handbill"), Path: "/postgres", RawQuery: url.Values{"host": {dir}, "port": {"6432"}}.Encode()}).String(), pooled...)
}

// pooled are the parts of the contract that are run through a pooler: those that have
// several processes, large transactions and snapshots, and the histories.
var pooled = []string{"RunsSideBySide", "Fencing", "OneLaneIsFenced", "ASnapshotStandsStill", "InboxIsAcceptedOnceAndFolded", "PeopleInAnyOrder", "TheStoreIsTheModel",
	"Claims", "EraseForgetsEitherSpelling", "MoveRemoveImport", "BlobsByPrefix", "FrequencyCap", "Slots", "PruneKeepsWhatMatters"}
