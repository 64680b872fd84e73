package state

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/handbill/handbill/message"
)

type Options struct {
	Path         string
	ReadOnly     bool
	Clock        func() time.Time
	Rand         io.Reader
	Version      string
	AllowNetwork bool
	Backups      int
}
type Store struct{}
type Snapshot struct{}
type Table struct{}
type Sent struct {
	Send    Send
	Digest  [16]byte
	Code    string
	Attempt int
}

func Open(ctx context.Context, o Options) (*Store, error)         { panic("stub") }
func Create(ctx context.Context, o Options) (*Store, error)       { panic("stub") }
func Exists(path string) bool                                     { panic("stub") }
func Restore(ctx context.Context, backup string, o Options) error { panic("stub") }

func (s *Store) Close() error                                    { panic("stub") }
func (s *Store) Meta(ctx context.Context) (Meta, error)          { panic("stub") }
func (s *Store) Snapshot(ctx context.Context) (*Snapshot, error) { panic("stub") }

func (s *Snapshot) Close() error                                      { panic("stub") }
func (s *Snapshot) Meta(ctx context.Context) (Meta, error)            { panic("stub") }
func (s *Snapshot) Resources(ctx context.Context) ([]Resource, error) { panic("stub") }
func (s *Snapshot) Deliveries(ctx context.Context, campaign string) iter.Seq2[Delivery, error] {
	panic("stub")
}
func (s *Snapshot) Compact(ctx context.Context, campaign string, revision int) (*Table, error) {
	panic("stub")
}
func (s *Snapshot) People(ctx context.Context) iter.Seq2[Person, error] { panic("stub") }
func (s *Snapshot) RecentSends(ctx context.Context, since time.Time) iter.Seq2[RecentSend, error] {
	panic("stub")
}
func (s *Snapshot) Get(ctx context.Context, name string) ([]byte, error)            { panic("stub") }
func (s *Snapshot) Erased(ctx context.Context) (func(recipient string) bool, error) { panic("stub") }

func (t *Table) Len() int                             { panic("stub") }
func (t *Table) Lookup(recipient string) (Sent, bool) { panic("stub") }
func (t *Table) All() iter.Seq2[string, Sent]         { panic("stub") }

func (s *Store) Recover(ctx context.Context) (int, error)                              { panic("stub") }
func (s *Store) Begin(ctx context.Context, r Run, resources []Resource) (int64, error) { panic("stub") }
func (s *Store) Intend(ctx context.Context, run int64, intents []Intent) ([]Verdict, error) {
	panic("stub")
}
func (s *Store) Settle(ctx context.Context, run int64, outcomes []Outcome) error { panic("stub") }
func (s *Store) Finish(ctx context.Context, r Run) (Run, error)                  { panic("stub") }

func (s *Store) Append(ctx context.Context, in []Inbox) ([]bool, error) { panic("stub") }
func (s *Store) Fold(ctx context.Context, limit int) (int, error)       { panic("stub") }
func (s *Store) Events(ctx context.Context, provider string, evs []message.Event) error {
	panic("stub")
}
func (s *Store) ClaimInbound(ctx context.Context, n int) ([]InboundEvent, error) { panic("stub") }
func (s *Store) Answered(ctx context.Context, seqs ...int64) error               { panic("stub") }
func (s *Store) RecoverReplies(ctx context.Context) (int, error)                 { panic("stub") }
func (s *Store) Person(ctx context.Context, recipient string) (Person, error)    { panic("stub") }
func (s *Store) SetAttributes(ctx context.Context, recipient string, set map[string]string) error {
	panic("stub")
}
func (s *Store) Handover(ctx context.Context, recipient string, on bool) error { panic("stub") }
func (s *Store) LastReply(ctx context.Context, rule, recipient string) (time.Time, error) {
	panic("stub")
}
func (s *Store) Put(ctx context.Context, name string, data []byte) error { panic("stub") }

func (s *Store) Resolve(ctx context.Context, key Key, as Send, who, why string) error { panic("stub") }
func (s *Store) Move(ctx context.Context, from, to string) error                      { panic("stub") }
func (s *Store) Remove(ctx context.Context, address string) (int, error)              { panic("stub") }
func (s *Store) OptOut(ctx context.Context, recipient, reason, evidence string) error { panic("stub") }
func (s *Store) OptIn(ctx context.Context, recipient, evidence string) error          { panic("stub") }
func (s *Store) OptOuts(ctx context.Context) iter.Seq2[OptOutEntry, error]            { panic("stub") }
func (s *Store) Import(ctx context.Context, ds iter.Seq2[Delivery, error]) (added int, err error) {
	panic("stub")
}
func (s *Store) Export(ctx context.Context, w io.Writer) error              { panic("stub") }
func (s *Store) Erase(ctx context.Context, recipient string) error          { panic("stub") }
func (s *Store) Backup(ctx context.Context, path string) error              { panic("stub") }
func (s *Store) AutoBackup(ctx context.Context, why string) (string, error) { panic("stub") }
func (s *Store) Verify(ctx context.Context) (Report, error)                 { panic("stub") }
func (s *Store) Prune(ctx context.Context, before time.Time) (int, error)   { panic("stub") }
func (s *Store) Acknowledge(ctx context.Context, who, why string) error     { panic("stub") }

func (s *Store) Runs(ctx context.Context) ([]Run, error)                          { panic("stub") }
func (s *Store) Funnel(ctx context.Context, campaign string) ([]FunnelRow, error) { panic("stub") }
func (s *Store) InDoubt(ctx context.Context, campaign string) iter.Seq2[Delivery, error] {
	panic("stub")
}
func (s *Store) Orders(ctx context.Context) ([]OrderCount, error)                      { panic("stub") }
func (s *Store) Findings(ctx context.Context) ([]Finding, error)                       { panic("stub") }
func (s *Store) Notices(ctx context.Context, since time.Time) iter.Seq2[Notice, error] { panic("stub") }
func (s *Store) Waiting(ctx context.Context) (inbox, inbound int, err error)           { panic("stub") }
