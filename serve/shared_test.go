package serve_test

import (
	"context"
	"testing"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/state/postgres"
)

// sharedState is the environment variable with the URL of a database in which
// houses keep their states; unset for states in files.
const sharedState = "HANDBILL_TEST_STATE"

func (h *house) openShared() {
	h.t.Helper()
	there, err := postgres.Exists(context.Background(), h.shared)
	if err != nil {
		h.t.Fatal(err)
	}
	make := postgres.Create
	if there {
		make = postgres.Open
	}
	if h.store, err = make(context.Background(), h.shared); err != nil {
		h.t.Fatal(err)
	}
}

// TestOnPostgres checks that serve does the same with a state in a database as
// with one in a file.
func TestOnPostgres(t *testing.T) {
	t.Setenv(sharedState, pgtest.Shared(t).URL())
	for name, test := range map[string]func(*testing.T){
		"ATapIsAnswered": TestATapIsAnswered, "OneMessageOneReply": TestOneMessageOneReply, "ADoubtfulReply": TestADoubtfulReplyIsNotSentAgain,
		"Order": TestMessagesOfOnePersonKeepTheirOrder, "StopWords": TestStopWords, "Handover": TestHandover, "Forward": TestForward,
	} {
		t.Run(name, test)
	}
}
