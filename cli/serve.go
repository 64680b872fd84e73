package cli

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	in        inputFlags
	listen    serve.ListenOptions
	metrics   string
	allow     []string
	trust     []string
	retryDead bool
}

func (a *app) serveCommand() *cobra.Command {
	opt := serveOptions{}
	cmd := &cobra.Command{
		Use: "serve [flags]", Short: "receive webhooks, and answer by the reply rules", Args: cobra.NoArgs,
		Long: `Receives the providers' webhooks: what became of messages, and what people write,
tap and order. It records them in the state and answers by the reply rules of the
last apply, which it picks up by itself. It may run beside an apply, and several
of them may share a state that is kept in PostgreSQL.

Each number has the path /webhooks/TYPE/NAME, or /webhooks/TYPE/NAME/TOKEN where
webhook_token is set: register that URL at the provider. /healthz and /readyz are
for health checks.

An interrupt ends it cleanly: webhooks that were accepted are kept, and the exit
code is 0.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), &opt) },
	}
	opt.in.bind(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&opt.listen.Addr, "listen", "127.0.0.1:8080", "address to receive webhooks at")
	f.StringVar(&opt.metrics, "metrics", "", "address of /metrics for Prometheus; none by default")
	f.StringVar(&opt.listen.CertFile, "tls-cert", "", "certificate file (PEM); it is read again when it changes")
	f.StringVar(&opt.listen.KeyFile, "tls-key", "", "key file (PEM)")
	f.BoolVar(&opt.listen.BehindProxy, "insecure-behind-proxy", false, "plain HTTP on an address that others can reach: a proxy in front speaks TLS")
	f.StringSliceVar(&opt.allow, "allow-host", nil, "HOST:PORT on this machine or in a private network that lookups and forwards may reach; may be repeated")
	f.StringSliceVar(&opt.trust, "trust-unsigned", nil, "number (provider.TYPE.NAME) whose webhooks are accepted without a signature or a webhook_token; may be repeated")
	f.BoolVar(&opt.retryDead, "retry-forwards", false, "retry forwards that were given up")
	return cmd
}

func (a *app) serve(ctx context.Context, opt *serveOptions) error {
	p, err := a.load(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.Close()
	// This is not the lock of apply, which may run at the same time. Two servers on
	// one state in a file would take each other's sends for interrupted ones.
	locked, err := p.JoinServe(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	defer locked.Unlock()
	store, _, err := p.OpenState(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	halt, err := store.Halted(ctx)
	if err == nil && halt != nil {
		err = halt
	}
	if err != nil {
		return a.failState(err, false)
	}
	numbers, closeAll, err := p.Webhooks(opt.trust, serve.Loopback(opt.listen.Addr))
	defer closeAll()
	if err != nil {
		return a.fail("Provider not usable", err)
	}
	watch := &serveWatch{a: a}
	opt.listen.Reloaded, opt.listen.Now = watch.reloaded, a.sys.Now
	started := a.sys.Now()
	server, err := serve.New(ctx, serve.Options{Store: store, Numbers: numbers, Now: a.sys.Now, Monotonic: func() time.Duration { return a.sys.Now().Sub(started) }, Owner: p.Owner(state.OwnerServe), Rules: p.Rules(store, opt.in.vars).Current,
		Observe: watch.observe, AllowHosts: opt.allow, Spacing: cmp.Or(a.sys.Spacing, fp.Spacing()), Proxy: a.host().Proxy().Of, RetryDead: opt.retryDead,
		Build: serve.Build{Version: a.sys.Build.Version, Revision: a.sys.Build.Revision, Go: a.sys.Build.Go}})
	if err != nil {
		return a.fail("Cannot serve", err)
	}
	return a.listenAndServe(ctx, server, numbers, opt)
}

func (a *app) listenAndServe(ctx context.Context, server *serve.Server, numbers []serve.Number, opt *serveOptions) error {
	l, err := serve.Listen(ctx, opt.listen)
	if err != nil {
		return a.fail("Cannot listen", err)
	}
	var m net.Listener
	if opt.metrics != "" {
		if m, err = new(net.ListenConfig).Listen(ctx, "tcp", opt.metrics); err != nil {
			l.Close()
			return a.fail("Cannot listen", err)
		}
	}
	scheme := "http"
	if opt.listen.CertFile != "" {
		scheme = "https"
	}
	r := &view.ServerReport{What: "Listening", URL: scheme + "://" + l.Addr().String(), Wide: 28}
	for _, n := range numbers {
		r.Paths = append(r.Paths, view.ServerPath{Of: n.Address, Path: "/webhooks/" + n.Type + "/" + n.Name + tokenHint(&n)})
	}
	if m != nil {
		r.Metrics = "http://" + m.Addr().String() + "/metrics"
	}
	if err := a.show(r, a.style(), false); err != nil {
		a.log.Warn("where serve listens was not written", "error", err) // Main reports it at the end
	}
	ctx, cancel := a.untilInterrupt(ctx)
	defer cancel()
	if err := server.Serve(ctx, l, m); err != nil {
		return a.fail("Server stopped", err)
	}
	return nil
}

func tokenHint(n *serve.Number) string {
	if len(n.Tokens) > 0 {
		return "/<webhook_token>"
	}
	return ""
}

// serveWatch reports on stderr what happens, one line per event.
type serveWatch struct{ a *app }

func (w *serveWatch) observe(ev serve.Event) {
	words := []string{w.a.stampNow(), serveWords[ev.Kind]}
	for _, s := range []string{ev.Provider, ev.Rule, ev.Recipient, ev.Detail} {
		if s != "" {
			words = append(words, message.SafeText(s))
		}
	}
	if ev.Kind == serve.EventState {
		words = append(words, stateHint(ev.Err))
	}
	line := strings.Join(words, " ")
	if ev.Err != nil {
		line += ": " + message.SafeText(ev.Err.Error())
	}
	w.a.notice("%s", line)
}

var serveWords = map[serve.EventKind]string{
	serve.EventRefused: "refused a webhook:", serve.EventReplied: "replied:", serve.EventGated: "did not reply:",
	serve.EventMark: "could not mark a message as read, and goes on:",
	serve.EventRule: "could not carry out a rule:", serve.EventStop: "opted out:", serve.EventForwarded: "forwarded:",
	serve.EventForward: "could not forward, will try again:", serve.EventDead: "gave a forward up:",
	serve.EventHalted:    "sends no replies from a number any more, since the answers of the provider, or of a proxy before it, belong to other messages. Check the proxy, settle the doubts with handbill resolve, and start serve again:",
	serve.EventHandover:  "answers nothing more to a person until somebody looks and runs handbill state giveback:",
	serve.EventRecovered: "freed what another serve left that is gone:",
	serve.EventLost:      "was not heard of for ten seconds, so others go on with what it had taken up; it goes on too",
	serve.EventWell:      "the state is usable again, webhooks are taken", serve.EventState: "the state is not usable, webhooks are refused", serve.EventRules: "kept the rules from before:",
}

// stateHint says what to do about a state error that ended serve.
func stateHint(err error) string {
	if errors.Is(err, sqlite.ErrMoved) || errors.Is(err, sqlite.ErrJournal) {
		return "(end serve; \"handbill status\" then says what to do)"
	}
	return "(after a disk failed, fix it and start serve again)"
}

func (w *serveWatch) reloaded(err error) {
	if err != nil {
		w.a.diagnose([]view.Diagnostic{{Severity: "warning", Summary: "Certificate not taken", Detail: sentence(err)}})
		return
	}
	w.a.notice("The certificate was read again.")
}
