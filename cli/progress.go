package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// progress shows on stderr how far a command is: on a terminal as one line that is
// redrawn, otherwise as an occasional line.
type progress struct {
	w        io.Writer
	terminal bool
	width    int
	now      func() time.Time
	quiet    bool

	mu     sync.Mutex
	last   time.Time
	drawn  bool
	counts map[string]*sendProgress // by campaign
	order  []string
}

// sendProgress is the progress of one campaign.
type sendProgress struct {
	done, total, accepted, refused, doubt int
	since                                 time.Time
}

const (
	drawEvery = 100 * time.Millisecond
	lineEvery = 10 * time.Second
)

func (a *app) progress() *progress {
	return &progress{w: a.sys.Stderr, terminal: a.sys.StderrTerminal, width: a.sys.Width, now: a.sys.Now,
		last: a.sys.Now(), counts: map[string]*sendProgress{}}
}

// due reports whether it is time to say something again.
func (p *progress) due() bool {
	every := lineEvery
	if p.terminal {
		every = drawEvery
	}
	now := p.now()
	if p.quiet || now.Sub(p.last) < every {
		return false
	}
	p.last = now
	return true
}

// say shows one line of progress.
func (p *progress) say(line string) {
	if !p.terminal {
		fmt.Fprintln(p.w, line)
		return
	}
	fmt.Fprint(p.w, "\r\x1b[K"+view.Clip(line, max(p.width, 40)-1))
	p.drawn = true
}

// note prints a line that stays, above the progress line.
func (p *progress) note(line string) {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
	fmt.Fprintln(p.w, line)
}

// tell is note for other goroutines.
func (p *progress) tell(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(line)
}

// done removes the line.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

// plan shows the progress that plan.Build reports.
func (p *progress) plan(pr plan.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.due() {
		return
	}
	if pr.Stage == "reading" {
		p.say("Reading the state...")
		return
	}
	line := fmt.Sprintf("Planning %s: %s", pr.Campaign, view.Plural(pr.Rows, "row"))
	if pr.Size > 0 {
		line += " " + bar(float64(pr.Position)/float64(pr.Size))
	}
	p.say(line)
}

// run shows how far a run of others is.
func (p *progress) run(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due() {
		p.say(line)
	}
}

// bar draws a share as a bar with its percentage.
func bar(share float64) string {
	const cells = 20
	share = min(max(share, 0), 1)
	full := int(share * cells)
	return fmt.Sprintf("[%s%s] %3.0f %%", strings.Repeat("#", full), strings.Repeat(".", cells-full), share*100)
}

// apply shows the events that apply.Run reports.
func (p *progress) apply(ev apply.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ev.Kind {
	case apply.EventPaused:
		if wait := ev.Until.Sub(p.now()); wait >= 5*time.Second && !p.quiet {
			p.note(fmt.Sprintf("%s: %s, waiting %s, until %s", ev.Provider, view.Reason(ev.Reason), view.Duration(wait), ev.Until.UTC().Format("15:04:05 MST")))
		}
	case apply.EventHalted:
		if !p.quiet {
			p.note(fmt.Sprintf("%s: halted (%s)", ev.Campaign, view.Reason(ev.Halt.Reason)))
		}
	case apply.EventAnswered:
		p.answered(ev)
	}
}

func (p *progress) answered(ev apply.Event) {
	c := p.counts[ev.Campaign]
	if c == nil {
		c = &sendProgress{since: p.now()}
		p.counts[ev.Campaign] = c
		p.order = append(p.order, ev.Campaign)
	}
	c.done, c.total = ev.Done, ev.Total
	switch ev.Answer.Class {
	case message.Accepted:
		c.accepted++
	case message.Unknown:
		c.doubt++
	case message.Refused, message.WindowClosed, message.OptedOut:
		c.refused++
	}
	if p.due() {
		p.say(p.line(ev.Campaign, c))
	}
}

func (p *progress) line(campaign string, c *sendProgress) string {
	line := fmt.Sprintf("Sending %s: %s of %s %s", campaign, view.Count(c.done), view.Count(c.total), bar(float64(c.done)/float64(max(c.total, 1))))
	if c.refused > 0 {
		line += fmt.Sprintf(", %s refused", view.Count(c.refused))
	}
	if c.doubt > 0 {
		line += fmt.Sprintf(", %s in doubt", view.Count(c.doubt))
	}
	if took := p.now().Sub(c.since).Seconds(); took > 2 && c.done > 0 {
		left := time.Duration(float64(c.total-c.done) / (float64(c.done) / took) * float64(time.Second))
		line += fmt.Sprintf(", %.0f a second, %s left", float64(c.done)/took, view.Duration(left))
	}
	return line
}
