// Package sqlite keeps a state in one SQLite file, and looks after that file: its
// lock, its mark, its backups, and where it may lie. Nothing outside this package
// sees SQL. Package state says what a state promises, and package delivery has
// the rules; this package loads rows, asks delivery, and writes rows.
//
//	store, err := sqlite.Open(ctx, sqlite.Options{Path: "handbill.state", Clock: time.Now, Version: "0.2.0"})
//	defer store.Close()
//
// # Files
//
// A state named handbill.state has these files beside it:
//
//	handbill.state          everything, when no process has it open
//	handbill.state-wal      the journal: what was committed last, while one has
//	handbill.state-shm      SQLite's index of the journal
//	handbill.state.lock     locked by whoever sends; .lock.info says who that is
//	handbill.state.mark     how far the state has come; see mark
//	handbill.state.backup-20260302T120000.000-apply
//	                        automatic backups, the newest ten
//	handbill.state.replaced what a restore took out of the way
//
// Whoever replaces, copies or removes some of them can lose messages or send
// them twice. So every process compares the file with its journal and its mark
// when it opens the state, and again at every read and write.
//
// # Tables
//
// migrations/ has the definitions. The tables that matter most:
//
//	attempts   one request for one delivery; written before it leaves
//	outcomes   what an attempt came to, under the attempt's id
//	statuses   how far an accepted message got, under the attempt's id
//	sheets     the packed index for planning; see block
//	runs       applies; lanes are the sending numbers that they took
//	inbox      webhooks that are accepted and not joined yet
//	inbound    what people wrote
//	people     what is known of a person; windows by sending number
//	circles    what was told about ids; ties says who is who because of it
//	orphans    events about messages that are not known, or not yet
//	ledger     for each table its number of rows, and the sum of their checksums
//
// A delivery that nobody tried to send has no row (docs/decisions/0002).
//
// # Integers instead of texts
//
// Rows hold recipients and addresses as integers, since a million rows repeat a
// handful of addresses and every phone number many times. A phone number is its
// digits: +4915112345678 is 4915112345678. A user id is a negative number, the
// id of its row in names. A person with several ids is a number from 1<<62. An
// address, such as campaign.spring, is the id of its row in addresses. Times are
// milliseconds since 1970 in UTC.
//
// # Transactions
//
// One writer at a time holds the turn of the store, and then SQLite's lock, which
// other processes may want too. Each write is one transaction, which is synced
// to the disk before the call returns. After a failed commit the store refuses
// further writes: nobody knows what the disk holds. Every read is one snapshot.
package sqlite
