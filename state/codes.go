package state

import "slices"

// CodeInfo explains one reason why a state is refused, or nothing is sent from it.
type CodeInfo struct {
	Code        string
	Summary     string
	Explanation string // a paragraph: what is wrong, why it matters, how to fix it
}

// The codes of those reasons.
const (
	CodeClockBehind = "clock_behind"
	CodeGone        = "state_gone"
	CodeHalted      = "state_halted"
	CodeJournal     = "state_journal"
	CodeMoved       = "state_moved"
	CodeNames       = "state_names"
	CodeOther       = "state_other"
	CodeSealed      = "state_sealed"
)

// Codes are all of them, sorted.
func Codes() []CodeInfo { return slices.Clone(codes) }

// SummaryOf is the summary of a code, "" for an unknown one.
func SummaryOf(code string) string {
	for _, c := range codes {
		if c.Code == code {
			return c.Summary
		}
	}
	return ""
}

var codes = []CodeInfo{
	{CodeClockBehind, "Clock behind the state",
		"The state holds a later time than this machine's clock shows. Quiet hours, 24-hour windows, spacing and frequency caps depend on the time, so apply sends nothing. Where the clock is wrong now, set it right. Where it was ahead once and is right now, say so with today's date: `handbill state acknowledge -clock=YYYY-MM-DD -why=\"…\"`. What was written while it was ahead keeps its times: people who were written to then count as written to at those times, for caps and windows too."},
	{CodeGone, "The state is gone",
		"There is no state although its mark, the file `.mark` beside it, tells that one was in use there. With a new one everybody would be sent to again, and who asked for no more messages would be forgotten. Put the state back, or a backup with `handbill state restore FILE`. To begin anew all the same, remove the mark."},
	{CodeHalted, "State is older than what was sent",
		"The state was restored from a backup, an older copy or another state was put in its place, or a part of it was lost. It does not know everything that was sent, nor everybody who asked for no more messages, so nothing is sent from it and `handbill serve` does not start. Look for the newest file first. Import what is missing with `handbill import` and `handbill state optouts import`. Then say with `handbill state acknowledge -why=\"…\"` why going on is right."},
	{CodeJournal, "State and journal do not belong together",
		"While a state is in use, and after a process was killed, what was committed last stands in its journal, the file that ends in `-wal`. The journal is gone, or another file than its own lies beside it, as after a copy of the one file alone, or a copy that was put in the place of a state whose process had been killed. Nothing was changed. Put the missing file back. If it is lost, take away a journal that is another file's, and restore the newest backup, or the file itself: `handbill state restore handbill.state` keeps what it holds and halts it until somebody has looked. To copy a state while it is in use, take `handbill state backup`."},
	{CodeMoved, "State was put away while it was open",
		"The file or the journal that a process had open is no longer at its path, or an older copy was written over it, as `cp` does. Nothing more was written, no webhook was answered with 200, and nothing more was sent. Where the file was moved, put it back. Where it was written over, end apply and serve. The next command then says how to go on; `handbill status` is enough. To put a backup in the place of a state, use `handbill state restore`, which does not do it while they run."},
	{CodeNames, "State can be reached by two paths",
		"Lock, journal and mark go by the path of the state. Where the file has a second hard link, or is mounted into a container by itself, two runs could send the same messages at once, and what lies beside it would stay behind. Keep one name, and mount the folder that holds the state, not the file. A symbolic link is fine."},
	{CodeOther, "Backup of another state",
		"The backup is not of the state that it would replace, but of another one, perhaps of another project. It does not know what was sent from the state that is there, nor who asked for no more messages. Take a backup of this state, or say with `-lineage` which other one you mean."},
	{CodeSealed, "State was moved elsewhere",
		"The state was moved with `handbill state migrate`, from a file to a database or back. It is kept as it was, and sealed: nothing is sent from it, and nothing is written to it that the new one would not know. Name the new place in the configuration. When the new place is given up for good and what was sent from it is imported, `handbill state acknowledge -unseal -why=\"…\"` makes this one usable again."},
}
