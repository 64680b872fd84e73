package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/plantest"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/serve"
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

// readRecorded reads the messages of a file, or of standard input.
func (a *app) readRecorded(p *project, name string, now time.Time) ([]plantest.Inbound, error) {
	from := plantest.Recorded{Now: now, Decode: p.DecodeWebhook, ForwardBody: serve.ForwardBody}
	if len(p.Config.Providers) > 0 {
		from.Provider = p.Config.Providers[0].Address()
	}
	if name == "-" {
		return from.Read(a.sys.Stdin)
	}
	data, err := os.ReadFile(a.path(name))
	if err != nil {
		return nil, workspace.PathCause(err)
	}
	return from.Read(bytes.NewReader(data))
}

// repliedReport is the result of the rules for one event.
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
