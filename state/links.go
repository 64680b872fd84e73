package state

import (
	"context"
	"time"
)

// Links is the part of a Store that keeps the links of messages, each with a token of its own, and who followed them.
// They are recorded by the intents of the messages (Intent.Links), and go with their attempts.
type Links interface {
	// Link returns the link with a token; ok is false where no message has it, or its recipient was erased.
	Link(ctx context.Context, token string) (l SentLink, ok bool, err error)
	// Click records that people, and programs, followed links. Of several times that people followed one, the earliest
	// stands. A token of which nothing is known is left out.
	Click(ctx context.Context, clicks []Click) error
	// LinkCounts counts a campaign's links, every campaign's for "", by campaign and link.
	LinkCounts(ctx context.Context, campaign string) ([]LinkCount, error)
}

// TokenLink is a link in a message that is about to be sent.
type TokenLink struct {
	Token string // of this recipient's link, message.TokenLength characters
	Link  string // address of the link block, "link.shop"
}

// SentLink is a link that a message has.
type SentLink struct {
	Campaign string
	Link     string    // address of the link block
	Clicked  time.Time // when the person first followed it; zero for never
}

// Click is one visit of a link, or several of programs.
type Click struct {
	Token    string
	At       time.Time // when the person followed it; zero where only programs did
	Programs int       // how often programs fetched it: previews, scanners, robots
}

// LinkCount counts the links of one block in one campaign.
type LinkCount struct {
	Campaign string
	Link     string
	Clicked  int // in how many deliveries the person followed it
	Programs int // how often programs fetched it
}

// KeptLink is a TokenLink with what became of it.
type KeptLink struct {
	Token    string // "" where its recipient was erased
	Attempt  int64
	Link     string
	Clicked  int64 // 0 for never
	Programs int64
}

func (KeptLink) item() {}

// EarlierClick is the earlier of two moments of which 0 is none.
func EarlierClick(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
