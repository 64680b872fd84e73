package view

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Bounds of the page of status.
const (
	maxPageDoubts = 500
	maxPageCauses = 50
)

// statusPage is the data of the template of a status.
type statusPage struct {
	page
	Verdict   string
	Attention bool
	At        time.Time
	Figures   []figure
	Campaigns []statusCampaign
	Doubts    []pageDoubt
	Findings  []StatusFinding
	Templates []statusTemplate
	Notices   []noticeRow
	Runs      []statusRun

	Diagnostics []Diagnostic
}

type statusCampaign struct {
	Address, Halted, Arithmetic, Silent, Skipped string
	Revision                                     int // 0 for the first
	Running                                      bool
	Funnel                                       []funnelBar
	Failures                                     []failureRow
	MoreFailures                                 int
	Orders                                       []OrderStatus
	Variants                                     []statusVariant
	Experiment                                   *statusExperiment
	Billing                                      []billingRow
	Unpriced                                     string // "" for none
	Links                                        []string
}

// statusRun is an open run, with a line for each of its numbers.
type statusRun struct {
	Name    string
	Numbers []string
}

type funnelBar struct {
	Name, Count, Share string
	Color              int
	W                  float64
}

type failureRow struct{ Code, Title, Count, Advice string }

type noticeRow struct{ Kind, What, Count, Newest string }

type billingRow struct{ Name, Price, Count, Note string }

type pageDoubt struct{ Address, Since, Cause string }

// HTML writes the status as one self-contained page.
func (r *StatusReport) HTML(w io.Writer, s Style) error {
	base, err := newPage("handbill status")
	if err != nil {
		return err
	}
	p := statusPage{page: base, At: r.At.UTC(), Findings: r.Findings, Diagnostics: r.Diagnostics}
	if len(p.Findings) > maxPageDoubts {
		p.Findings = p.Findings[:maxPageDoubts]
	}
	var sum CampaignStatus
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		sum.Accepted += c.Accepted
		sum.Delivered += c.Delivered + c.Read
		sum.Read += c.Read
		sum.Replied += c.Replied
		sum.Failed += c.Failed + c.Rejected
		sum.InDoubt += c.InDoubt
		sum.Pending += c.Pending + c.Held
		if i < maxPageCampaigns {
			p.Campaigns = append(p.Campaigns, c.page())
		}
	}
	p.Attention = sum.InDoubt > 0 || len(r.Findings) > 0
	p.Verdict = fmt.Sprintf("%s accepted, %s to go, %s in doubt.", Plural(sum.Accepted, "message"), Count(sum.Pending), Count(sum.InDoubt))
	p.Figures = []figure{{Count(sum.Accepted), "accepted"}, {Count(sum.Delivered), "delivered"}, {Count(sum.Read), "read"}, {Count(sum.Replied), "replied"}, {Count(sum.Failed), "refused or failed"}}
	for i, d := range r.Doubts {
		if i == maxPageDoubts {
			break
		}
		p.Doubts = append(p.Doubts, pageDoubt{fmt.Sprintf("%s[%q]", d.Address, s.Recipient(d.Recipient)), d.Since.UTC().Format("2006-01-02 15:04 MST"), d.Cause})
	}
	p.Templates = pageStatusTemplates(r.Templates)
	for _, n := range r.Notices {
		p.Notices = append(p.Notices, noticeRow{n.Kind, n.what(), Count(n.Count), n.Newest.Format("2006-01-02 15:04 MST")})
	}
	for i := range r.Runs {
		run := statusRun{Name: r.Runs[i].name() + ", since " + stamp(r.Runs[i].Started)}
		for k := range r.Runs[i].Numbers {
			run.Numbers = append(run.Numbers, r.Runs[i].number(&r.Runs[i].Numbers[k]))
		}
		p.Runs = append(p.Runs, run)
	}
	return render(w, "status.html", &p)
}

func (c *CampaignStatus) page() statusCampaign {
	run := state.CampaignRun{Planned: c.Planned, Accepted: c.Accepted, Rejected: c.Rejected, InDoubt: c.InDoubt, Held: c.Held, HeldOut: c.HeldOut, Cancelled: c.Cancelled, Pending: c.Pending}
	p := statusCampaign{Address: c.Address, Running: c.Running, Halted: c.haltNote(), Skipped: skipNote(c.Skipped), Orders: c.Orders, Variants: statusVariants(c), Experiment: c.Experiment.page(),
		Arithmetic: Count(c.Planned) + " planned = " + arithmetic(&run)}
	for _, l := range heldLines(c.HeldFor, c.HeldUntil) {
		if c.Held > 0 {
			p.Arithmetic += "; " + strings.TrimSpace(l)
		}
	}
	if c.Revision > 1 {
		p.Revision = c.Revision
	}
	if c.Silent > 0 {
		p.Silent = Count(c.Silent)
	}
	for i, f := range c.Failures {
		if i == maxPageCauses {
			p.MoreFailures = len(c.Failures) - i
			break
		}
		p.Failures = append(p.Failures, failureRow{f.Code, f.Title, Count(f.Count), f.Advice})
	}
	for i := range c.Links {
		p.Links = append(p.Links, c.Links[i].line())
	}
	for _, b := range c.Billing {
		p.Billing = append(p.Billing, billingRow{b.name(), b.price(), Count(b.Count), b.note()})
	}
	if n := c.unpriced(); n > 0 {
		p.Unpriced = Count(n)
	}
	if c.Accepted == 0 {
		return p
	}
	const width = 700
	for _, st := range c.stages() {
		color := 1
		if st.name == "failed" {
			color = 8
		}
		share := float64(st.n) / float64(c.Accepted)
		p.Funnel = append(p.Funnel, funnelBar{Name: st.name, Count: Count(st.n), Share: strconv.FormatFloat(share*100, 'f', 0, 64),
			Color: color, W: round(min(share, 1) * width)})
	}
	return p
}

// haltNote says why the campaign stopped early, and how to lift the halt if only a
// person can.
func (c *CampaignStatus) haltNote() string {
	if c.Halt == nil {
		return Reason(c.Halted)
	}
	return haltText(c.Halt) + "; lift it with " + c.Halt.Resume
}

// CSV writes one row for each campaign revision. A cell that a spreadsheet would
// take for a formula begins with an apostrophe.
func (r *StatusReport) CSV(w io.Writer, _ Style) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"campaign", "revision", "planned", "accepted", "rejected", "in_doubt", "held", "pending", "cancelled",
		"sent", "delivered", "read", "failed", "silent", "replied", "opted_out", "last_run", "halted", "failures", "orders", "billing", "held_out", "arms", "clicked", "links"}}
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		row := []string{c.Address}
		for _, n := range []int{c.Revision, c.Planned, c.Accepted, c.Rejected, c.InDoubt, c.Held, c.Pending, c.Cancelled,
			c.Sent, c.Delivered, c.Read, c.Failed, c.Silent, c.Replied, c.OptedOut} {
			row = append(row, strconv.Itoa(n))
		}
		last := ""
		if !c.LastRun.IsZero() {
			last = c.LastRun.UTC().Format(time.RFC3339)
		}
		var failures, orders, billing []string
		for _, f := range c.Failures {
			failures = append(failures, strings.TrimSpace(f.Code+" "+f.Title)+" "+strconv.Itoa(f.Count))
		}
		for _, o := range c.Orders {
			orders = append(orders, strconv.Itoa(o.Count)+" "+o.Value+" "+o.Currency)
		}
		for _, b := range c.Billing {
			billing = append(billing, fmt.Sprintf("%s %s %d", b.name(), b.price(), b.Count))
		}
		rows = append(rows, append(row, last, string(c.Halted), strings.Join(failures, "; "), strings.Join(orders, "; "), strings.Join(billing, "; "), strconv.Itoa(c.HeldOut), c.Experiment.cell(), strconv.Itoa(c.Clicked), c.linkCell()))
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = cellText(cell)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cellText keeps a spreadsheet from taking a foreign text for a formula. Source:
// OWASP ASVS 5.0, 1.2.10.
func cellText(s string) string {
	s = inert(message.SafeText(s))
	if trimmed := strings.TrimSpace(s); trimmed != "" && strings.ContainsAny(trimmed[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}
