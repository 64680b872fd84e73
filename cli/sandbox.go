package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/workspace"
)

// sandboxOptions are the flags of sandbox.
type sandboxOptions struct {
	listen   string
	script   string
	ledger   string
	webhooks []string
	secret   string
	raw      bool
	quick    bool
	network  sandbox.Options
}

func (a *app) sandboxCommand() *cobra.Command {
	var opt sandboxOptions
	cmd := &cobra.Command{
		Use: "sandbox [flags]", Short: "run a simulated WhatsApp network, with a phone in the browser", Args: cobra.NoArgs,
		Long: `Runs a WhatsApp network in a box: it speaks the wire formats of all providers, below
/cloud, /dialog360, /kaleyra and /onemsg, enforces WhatsApp's limits, and sends
webhooks. Its page shows phones: read what comes, tap, type, order.

Point a number at it with provider "sandbox" { url = "http://127.0.0.1:4010" }, and
webhooks at a server with
-webhook=cloud=http://127.0.0.1:8080/webhooks/sandbox/main.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sandbox(cmd.Context(), &opt) },
	}
	f := cmd.Flags()
	f.StringVar(&opt.listen, "listen", "127.0.0.1:4010", "address to listen at")
	f.StringSliceVar(&opt.network.Hosts, "allow-host", nil, "host NAME, without a port, that requests may name besides those of this machine; may be repeated")
	f.StringVar(&opt.script, "script", "", "JSON file that makes chosen sends go wrong")
	f.StringVar(&opt.ledger, "ledger", "", "file to append a JSON line to for every request")
	f.StringArrayVar(&opt.webhooks, "webhook", nil, "WIRE=URL (wire: cloud, dialog360, kaleyra, onemsg) to post events to; may be repeated")
	f.StringVar(&opt.secret, "app-secret", "", "with -webhook=cloud: sign events with this secret")
	f.BoolVar(&opt.raw, "raw-hooks", false, "with -webhook=onemsg: post Meta's envelope")
	f.BoolVar(&opt.quick, "quick", false, "every message is delivered and read at once")
	f.Int64Var(&opt.network.Seed, "seed", 1, "decides ids, statuses and latencies")
	f.DurationVar(&opt.network.Latency, "latency", 0, "mean time to an answer")
	f.Float64Var(&opt.network.FailureRate, "failure-rate", 0, "share (0 to 1) of recipients that are not on WhatsApp")
	f.IntVar(&opt.network.Throughput, "throughput", 0, "messages per second of each number; 0 for WhatsApp's 80, -1 for no bound")
	f.BoolVar(&opt.network.AssumeOpen, "assume-open", false, "take every 24-hour window as open")
	return cmd
}

func (a *app) sandbox(ctx context.Context, opt *sandboxOptions) error {
	if err := a.sandboxFiles(opt); err != nil {
		return a.fail("Cannot run the sandbox", err)
	}
	if c, ok := opt.network.Journal.(io.Closer); ok {
		defer c.Close()
	}
	opt.network.Clock = a.sys.Now
	if opt.quick {
		opt.network.Statuses = sandbox.StatusMix{Delivered: 1, Read: 1, SentAfter: time.Millisecond, DeliveredAfter: time.Millisecond, ReadAfter: time.Millisecond}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := sandbox.New(opt.network).Start(ctx, opt.listen)
	if err != nil {
		return a.fail("Cannot listen", err)
	}
	r := &view.ServerReport{What: "Sandbox", URL: server.URL(), Wide: 10}
	for _, p := range sandbox.Providers() {
		r.Paths = append(r.Paths, view.ServerPath{Of: string(p), Path: server.BaseURL(p)})
	}
	if err := a.show(r, a.style(), false); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case <-a.sys.Interrupts:
	case <-ctx.Done():
	}
	if err := server.Close(); err != nil {
		return a.fail("Sandbox stopped", err)
	}
	return nil
}

// sandboxFiles reads the files that flags name.
func (a *app) sandboxFiles(opt *sandboxOptions) error {
	if opt.script != "" {
		data, err := os.ReadFile(a.path(opt.script))
		if err != nil {
			return fmt.Errorf("reading the script %s: %w", opt.script, workspace.PathCause(err))
		}
		if opt.network.Script, err = sandbox.ParseScript(data); err != nil {
			return fmt.Errorf("script %s: %w", opt.script, err)
		}
	}
	for _, w := range opt.webhooks {
		wire, url, ok := strings.Cut(w, "=")
		if !ok || !strings.HasPrefix(url, "http") {
			return fmt.Errorf("-webhook=%s: expected WIRE=URL, such as cloud=http://127.0.0.1:8080/webhooks/sandbox/main", message.SafeText(w))
		}
		opt.network.Webhooks = append(opt.network.Webhooks, sandbox.WebhookTarget{Provider: sandbox.Provider(wire), URL: url, AppSecret: opt.secret, Raw: opt.raw})
	}
	if opt.ledger == "" {
		return nil
	}
	f, err := os.OpenFile(a.path(opt.ledger), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the ledger %s: %w", opt.ledger, workspace.PathCause(err))
	}
	opt.network.Journal = f
	return nil
}
