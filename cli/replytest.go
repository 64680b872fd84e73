package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/plantest"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// replyTestOptions are the flags of reply test.
type replyTestOptions struct {
	in   inputFlags
	json bool
	why  bool
	at   string
}

func (a *app) replyTestCommand() *cobra.Command {
	var opt replyTestOptions
	cmd := &cobra.Command{
		Use: "test [flags] FILE...", Short: "show what the rules answer to recorded messages", Args: cobra.MinimumNArgs(1),
		Long: `Reads recorded inbound messages and shows for each which rule fires and what it
answers. Nothing is sent, fetched or stored. A FILE holds JSON values, one after
another ("-" reads standard input):

  {"provider": "provider.onemsg.main",
   "type": "text", "text": "is prod_alpha available?",
   "from": "+4915112345678", "name": "Ana",
   "lookups": {"stock": {"status": "in stock"}}}

Further keys: reply_kind and reply_id (a tap), answers (address of the message that
it answers), order {catalog_id, note, items [{product, quantity, price, currency}]},
data, ad, first_contact, attributes, opted_out, handover, at. A webhook as the provider
posts it stands under "webhook". A lookup that has no answer here takes its
fallback.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.replyTest(cmd.Context(), &opt, args) },
	}
	opt.in.bind(cmd.Flags())
	cmd.Flags().BoolVar(&opt.json, "json", false, "as JSON, one object a line")
	cmd.Flags().BoolVar(&opt.why, "why", false, "also say why the other rules do not fire")
	cmd.Flags().StringVar(&opt.at, "at", "", "the time at which it happens (RFC 3339), where an event says none")
	return cmd
}

// recorded is one value of a file.
type recorded struct {
	Provider   string                     `json:"provider"`
	Type       string                     `json:"type"`
	Text       string                     `json:"text"`
	From       string                     `json:"from"`
	Name       string                     `json:"name"`
	ReplyKind  string                     `json:"reply_kind"`
	ReplyID    string                     `json:"reply_id"`
	Answers    string                     `json:"answers"`
	Order      *reply.Order               `json:"order"`
	Data       json.RawMessage            `json:"data"`
	Ad         string                     `json:"ad"`
	First      bool                       `json:"first_contact"`
	Attributes map[string]string          `json:"attributes"`
	OptedOut   bool                       `json:"opted_out"`
	Handover   bool                       `json:"handover"`
	At         time.Time                  `json:"at"`
	Lookups    map[string]json.RawMessage `json:"lookups"`
	Webhook    json.RawMessage            `json:"webhook"`
}

func (a *app) replyTest(ctx context.Context, opt *replyTestOptions, files []string) error {
	p, err := a.load(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.Close()
	rules, diags := reply.Compile(p.Config, reply.Options{Limits: workspace.Limits})
	if a.hclDiags(diags, p.Config.Files) {
		return exit(exitError)
	}
	now := a.sys.Now()
	if opt.at != "" {
		if now, err = time.Parse(time.RFC3339, opt.at); err != nil {
			return a.fail("Invalid option", fmt.Errorf("-at=%s is no time such as 2026-03-01T09:00:00Z", message.SafeText(opt.at)))
		}
	}
	failed := false
	for _, name := range files {
		list, err := a.readRecorded(p, name, now)
		if err != nil {
			return a.fail("Unreadable events", fmt.Errorf("%s: %w", name, err))
		}
		for i := range list {
			r := plantest.Judge(rules, &list[i])
			r.Event = fmt.Sprintf("%s:%d", name, i+1)
			if !opt.why {
				r.Passed = nil
			}
			for _, one := range r.Answers {
				failed = failed || one.Error != ""
			}
			if err := a.show(repliedReport{r}, a.style(), opt.json); err != nil {
				return err
			}
		}
	}
	if failed {
		return exit(exitError)
	}
	return nil
}

// readRecorded reads the values of a file; a webhook may hold several events.
func (a *app) readRecorded(p *project, name string, now time.Time) ([]plantest.Inbound, error) {
	in := a.sys.Stdin
	if name != "-" {
		data, err := os.ReadFile(a.path(name))
		if err != nil {
			return nil, workspace.PathCause(err)
		}
		in = bytes.NewReader(data)
	}
	d := json.NewDecoder(in)
	d.DisallowUnknownFields()
	var out []plantest.Inbound
	for n := 1; ; n++ {
		r := &recorded{}
		switch err := d.Decode(r); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("value %d: %w", n, err)
		}
		evs, err := a.recordedEvents(p, r, now)
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", n, err)
		}
		out = append(out, evs...)
	}
}

func (a *app) recordedEvents(p *project, r *recorded, now time.Time) ([]plantest.Inbound, error) {
	if r.Provider == "" && len(p.Config.Providers) > 0 {
		r.Provider = p.Config.Providers[0].Address()
	}
	events := []message.Event{r.event()}
	if r.Webhook != nil {
		made, err := p.Provider(r.Provider)
		if err != nil {
			return nil, err
		}
		hook, ok := made.(providers.Webhook)
		if !ok {
			return nil, fmt.Errorf("%s has no webhooks", r.Provider)
		}
		if events, err = hook.Decode(r.Webhook); err != nil {
			return nil, err
		}
	}
	var out []plantest.Inbound
	for _, e := range events {
		if e.Kind == message.EventInbound {
			out = append(out, r.known(e, now))
		}
	}
	return out, nil
}

func (r *recorded) event() message.Event {
	e := message.Event{Kind: message.EventInbound, ID: "wamid.recorded", At: r.At, ProfileName: r.Name, Type: r.Type, Text: r.Text,
		ReplyKind: r.ReplyKind, ReplyID: r.ReplyID, Data: string(r.Data), Ad: r.Ad}
	if strings.HasPrefix(r.From, "+") {
		e.From.Phone = r.From
	} else {
		e.From.UserID = r.From
	}
	if r.Order != nil {
		e.Type, e.Order = "order", &message.Order{CatalogID: r.Order.CatalogID, Note: r.Order.Note}
		for _, i := range r.Order.Items {
			e.Order.Items = append(e.Order.Items, message.OrderItem{ProductID: i.Product, Quantity: i.Quantity, Price: i.Price, Currency: i.Currency})
		}
	}
	switch {
	case e.Type == "" && e.ReplyKind != "":
		e.Type = "interactive"
	case e.Type == "":
		e.Type = "text"
	}
	return e
}

func (r *recorded) known(e message.Event, now time.Time) plantest.Inbound {
	at := e.At
	if at.IsZero() {
		at = now
	}
	key := e.From.Key()
	return plantest.Inbound{
		Event: state.InboundEvent{Seq: 1, Provider: r.Provider, Received: at, Recipient: key, First: r.First, Message: r.Answers, Event: e},
		Known: reply.Known{Now: at, Person: state.Person{Recipient: key, Attributes: r.Attributes, OptedOut: r.OptedOut,
			Handover: r.Handover, LastInbound: at, WindowEnds: at.Add(delivery.WindowLength)}},
		Lookups: r.Lookups, ForwardBody: serve.ForwardBody,
	}
}

// repliedReport is what the rules make of one event.
type repliedReport struct{ *plantest.Reply }

// Text says which rule fires, and draws what it answers.
func (r repliedReport) Text(w io.Writer, s view.Style) error {
	_, err := io.WriteString(w, r.Told(plantest.Look{Draw: func(m message.Message) string { return view.MessagePicture(m).Terminal(s) }}))
	return err
}

// JSON writes one object.
func (r repliedReport) JSON(w io.Writer, _ view.Style) error {
	return json.NewEncoder(w).Encode(r.Reply)
}
