package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
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
		Long: `Receives what the providers tell: what became of messages, and what people write,
tap and order. It keeps that in the state and answers by the reply rules of the
last apply, which it picks up by itself. It may run beside an apply.

Each number has the path /webhooks/TYPE/NAME, and where webhook_token is set
/webhooks/TYPE/NAME/TOKEN: register that at the provider. /healthz and /readyz are
for whatever watches it.

An interrupt ends it cleanly: what was accepted is kept, and the exit code is 0.`,
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
	f.StringSliceVar(&opt.trust, "trust-unsigned", nil, "number (provider.TYPE.NAME) whose webhooks are believed without a signature or a webhook_token; may be repeated")
	f.BoolVar(&opt.retryDead, "retry-forwards", false, "try messages again that were given up to be handed on")
	return cmd
}

func (a *app) serve(ctx context.Context, opt *serveOptions) error {
	p, err := a.load(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.close()
	// Not the lock of those who send: an apply may run beside. Two servers on
	// one state would take each other's sends for interrupted ones.
	unlock, err := a.lock(ctx, &lockFlags{lock: true}, servePath(p), "serve")
	if err != nil {
		return a.failState(err, false)
	}
	defer unlock()
	store, _, err := a.openState(ctx, p)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	numbers, closeAll, err := a.webhookNumbers(p, opt)
	defer closeAll()
	if err != nil {
		return a.fail("Provider not usable", err)
	}
	watch := &serveWatch{a: a}
	opt.listen.Reloaded, opt.listen.Now = watch.reloaded, a.sys.Now
	rules := &ruleSource{a: a, store: store, vars: opt.in.vars}
	server, err := serve.New(ctx, serve.Options{Store: store, Numbers: numbers, Now: a.sys.Now, Rules: rules.current,
		Observe: watch.observe, AllowHosts: opt.allow, RetryDead: opt.retryDead,
		Build: serve.Build{Version: a.sys.Build.Version, Revision: a.sys.Build.Revision, Go: a.sys.Build.Go}})
	if err != nil {
		return a.fail("Cannot serve", err)
	}
	return a.listenAndServe(ctx, server, numbers, opt)
}

// servePath is what serve locks for as long as it runs.
func servePath(p *project) string { return p.statePath() + ".serve" }

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
	fmt.Fprintf(a.sys.Stdout, "Listening on %s://%s\n", scheme, l.Addr())
	for _, n := range numbers {
		fmt.Fprintf(a.sys.Stdout, "  %-28s /webhooks/%s/%s%s\n", n.Address, n.Type, n.Name, tokenHint(&n))
	}
	if m != nil {
		fmt.Fprintf(a.sys.Stdout, "Metrics on http://%s/metrics\n", m.Addr())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-a.sys.Interrupts:
			cancel()
		case <-ctx.Done():
		}
	}()
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

// webhookNumbers are the numbers of the configuration that have webhooks.
func (a *app) webhookNumbers(p *project, opt *serveOptions) (out []serve.Number, closeAll func(), err error) {
	var closers []interface{ Close() error }
	closeAll = func() {
		for _, c := range closers {
			c.Close()
		}
	}
	for _, decl := range p.config.Providers {
		made, err := a.provider(p.config, decl.Address())
		if err != nil {
			return nil, closeAll, err
		}
		if c, ok := made.(interface{ Close() error }); ok {
			closers = append(closers, c)
		}
		n, ok := webhookNumber(decl, made, serve.Loopback(opt.listen.Addr))
		if !ok {
			continue
		}
		n.TrustUnsigned = n.TrustUnsigned || slices.Contains(opt.trust, decl.Address())
		if err := guarded(&n); err != nil {
			return nil, closeAll, err
		}
		out = append(out, n)
	}
	for _, address := range opt.trust {
		if !slices.ContainsFunc(out, func(n serve.Number) bool { return n.Address == address }) {
			return nil, closeAll, fmt.Errorf("-trust-unsigned=%s: there is no such number", message.SafeText(address))
		}
	}
	return out, closeAll, nil
}

// guarded refuses a number to which anybody could write as its provider.
func guarded(n *serve.Number) error {
	_, byPath := n.Webhook.(providers.PathGuard)
	_, open := n.Webhook.(simulated)
	if len(n.Tokens) > 0 || n.TrustUnsigned || !byPath && !open {
		return nil
	}
	how := "set webhook_token to a long random word, and register the path with it at the provider"
	if open {
		how = "listen on 127.0.0.1"
	}
	return fmt.Errorf("%s signs no webhooks, so anybody could write to it in anybody's name: %s. To believe all that is posted to it, say -trust-unsigned=%s", n.Address, how, n.Address)
}

func webhookNumber(decl *lang.Provider, made providers.Provider, local bool) (serve.Number, bool) {
	hook, ok := made.(providers.Webhook)
	if !ok {
		return serve.Number{}, false
	}
	n := serve.Number{Address: decl.Address(), Type: decl.Type, Name: decl.Name, Webhook: hook,
		Sender: providers.NewSender(made), Rate: made.Profile().Throughput.Value}
	if named, ok := made.(providers.Numbered); ok {
		n.ID, n.Phone = named.WebhookNumber()
		n.Phone = providers.Digits(n.Phone)
	}
	if of, ok := made.(providers.Accounted); ok {
		n.Account = of.WebhookAccount()
	}
	args := arguments(decl.Arguments)
	// What these compare is a secret that only the provider was told.
	n.TrustUnsigned = len(args.secrets("webhook_headers")) > 0 || args.text("webhook_user") != ""
	if guard, ok := made.(providers.PathGuard); ok {
		n.Tokens = guard.WebhookTokens()
	}
	if decl.Type == "sandbox" {
		n.Webhook, n.TrustUnsigned = simulated{hook}, local
	}
	return n, true
}

// simulated is a number of the simulated network, which has no secrets: it is
// believed where only this machine can post.
type simulated struct{ providers.Webhook }

// Authenticate takes everything.
func (simulated) Authenticate(http.Header, []byte) (bool, error) { return false, nil }

// ruleSource gives the rules of the last apply, compiled once for every apply.
type ruleSource struct {
	a     *app
	store state.Store
	vars  []lang.VarInput

	mu    sync.Mutex
	src   []byte
	rules *reply.Rules
}

// current compiles the rules when the state holds others than before. Rules
// that do not compile are told once; those before them stay.
func (r *ruleSource) current(ctx context.Context) (*reply.Rules, error) {
	src, err := r.store.Get(ctx, replySource)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if bytes.Equal(src, r.src) {
		return r.rules, nil
	}
	r.src = src
	if len(src) == 0 {
		r.rules = nil
		return nil, nil
	}
	rules, diags := reply.Load(ctx, src, r.a.langOptions(r.vars))
	if diags.HasErrors() {
		return nil, fmt.Errorf("the rules of the last apply do not compile here: %w", firstError(diags))
	}
	r.rules = rules
	return rules, nil
}

func firstError(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return errors.New(d.Summary + ": " + d.Detail)
		}
	}
	return diags
}

// serveWatch tells on stderr what happens, a line each.
type serveWatch struct {
	a  *app
	mu sync.Mutex
}

func (w *serveWatch) observe(ev serve.Event) {
	words := []string{w.a.sys.Now().UTC().Format("2006-01-02T15:04:05Z"), serveWords[ev.Kind]}
	for _, s := range []string{ev.Provider, ev.Rule, ev.Recipient, ev.Detail} {
		if s != "" {
			words = append(words, message.SafeText(s))
		}
	}
	line := strings.Join(words, " ")
	if ev.Err != nil {
		line += ": " + message.SafeText(ev.Err.Error())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintln(w.a.sys.Stderr, line)
}

var serveWords = map[serve.EventKind]string{
	serve.EventRefused: "refused a webhook:", serve.EventReplied: "replied:", serve.EventGated: "did not reply:",
	serve.EventRule: "could not carry out a rule:", serve.EventStop: "opted out:", serve.EventForwarded: "forwarded:",
	serve.EventForward: "could not forward, will try again:", serve.EventDead: "gave a forward up:",
	serve.EventHandover: "answers nothing more to a person until somebody looks and runs handbill state giveback:",
	serve.EventWell:     "the state is usable again, webhooks are taken", serve.EventState: "the state is not usable, webhooks are refused (after a disk failed, mend it and start serve again):", serve.EventRules: "kept the rules from before:",
}

func (w *serveWatch) reloaded(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		view.Diagnostics(w.a.sys.Stderr, w.a.style(), []view.Diagnostic{{Severity: "warning", Summary: "Certificate not taken", Detail: sentence(err)}})
		return
	}
	fmt.Fprintln(w.a.sys.Stderr, "The certificate was read again.")
}
