package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
)

// Webhooks returns the numbers of the configuration that have webhooks. trusted are
// addresses of numbers that are believed without a signature; local says that only
// this machine can post. close closes what they keep open, and is never nil.
func (w *Workspace) Webhooks(trusted []string, local bool) (out []serve.Number, close func(), err error) {
	var made []providers.Provider
	close = func() {
		for _, p := range made {
			CloseProvider(p)
		}
	}
	for _, decl := range w.Config.Providers {
		p, err := w.Provider(decl.Address())
		if err != nil {
			return nil, close, err
		}
		made = append(made, p)
		n, ok := webhookNumber(decl, p, local)
		if !ok {
			continue
		}
		n.TrustUnsigned = n.TrustUnsigned || slices.Contains(trusted, decl.Address())
		if err := guarded(&n); err != nil {
			return nil, close, err
		}
		out = append(out, n)
	}
	for _, address := range trusted {
		if !slices.ContainsFunc(out, func(n serve.Number) bool { return n.Address == address }) {
			return nil, close, fmt.Errorf("-trust-unsigned=%s: there is no such number", message.SafeText(address))
		}
	}
	return out, close, nil
}

// DecodeWebhook decodes a body as the provider at an address posts it.
func (w *Workspace) DecodeWebhook(address string, body []byte) ([]message.Event, error) {
	made, err := w.Provider(address)
	if err != nil {
		return nil, err
	}
	defer CloseProvider(made)
	hook, ok := made.(providers.Webhook)
	if !ok {
		return nil, fmt.Errorf("%s has no webhooks", address)
	}
	return hook.Decode(body)
}

// guarded refuses a number if anybody could post events as its provider.
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
	n := serve.Number{Address: decl.Address(), Type: decl.Type, Name: pathName(decl.Address()), Webhook: hook,
		Sender: providers.NewSender(made), Rate: made.Profile().Throughput.Value}
	if reader, ok := made.(providers.Reader); ok {
		n.Reader = reader
	}
	if named, ok := made.(providers.Numbered); ok {
		n.ID, n.Phone = named.WebhookNumber()
		n.Phone = providers.Digits(n.Phone)
	}
	if of, ok := made.(providers.Accounted); ok {
		n.Account = of.WebhookAccount()
	}
	args := arguments(decl.Arguments)
	// These compare a secret that only the provider knows.
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
// believed if only this machine can post.
type simulated struct{ providers.Webhook }

// Authenticate accepts every request.
func (simulated) Authenticate(http.Header, []byte) (bool, error) { return false, nil }

// Rules provides the reply rules of the last apply, compiled once per apply.
type Rules struct {
	ws    *Workspace
	store state.Store
	vars  []lang.VarInput
	none  *reply.Rules // before the first apply

	mu    sync.Mutex
	src   []byte
	rules *reply.Rules
}

// Rules returns the rules of a state; vars are the values of variables.
func (w *Workspace) Rules(store state.Store, vars []lang.VarInput) *Rules {
	none := reply.Silent(w.words.Load())
	return &Rules{ws: w, store: store, vars: vars, none: none, rules: none}
}

// Current compiles the rules when those in the state have changed. Before the first
// apply there are none, and stop words are those of the directory. If rules do not
// compile, Current reports that once and keeps the previous ones.
func (r *Rules) Current(ctx context.Context) (*reply.Rules, error) {
	src, err := r.store.Get(ctx, keptReplies)
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
		r.use(r.none)
		return r.none, nil
	}
	rules, diags := reply.Load(ctx, src, r.ws.host.LangOptions(r.ws.Dir, r.vars))
	if diags.HasErrors() {
		return nil, fmt.Errorf("the rules of the last apply do not compile here: %w", firstError(diags))
	}
	r.use(rules)
	return rules, nil
}

// use makes rules the current ones, and uses their stop words for joining messages
// into the state.
func (r *Rules) use(rules *reply.Rules) {
	r.rules = rules
	r.ws.words.Store(rules.Words())
}

func firstError(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return errors.New(d.Summary + ": " + d.Detail)
		}
	}
	return diags
}

// LeadsHere reports whether a path ends in one of handbill serve's paths for
// numbers of the same type, since one URL may receive the events of all of them.
func LeadsHere(cfg *lang.Config, address, path string) bool {
	_, number := message.CutModule(address)
	typ := strings.Split(number, ".")[1]
	for _, p := range cfg.Providers {
		if p.Type != typ {
			continue
		}
		base := "/webhooks/" + p.Type + "/" + pathName(p.Address())
		tokens := arguments(p.Arguments).secret("webhook_token").Split()
		if len(tokens) == 0 && strings.HasSuffix(strings.TrimSuffix(path, "/"), base) {
			return true
		}
		for _, t := range tokens {
			if strings.HasSuffix(path, base+"/"+t) {
				return true
			}
		}
	}
	return false
}

// WebhookPath is a number's path at handbill serve. A secret in it is replaced by
// its name.
func WebhookPath(cfg *lang.Config, address string) string {
	for _, p := range cfg.Providers {
		if p.Address() == address && arguments(p.Arguments).text("webhook_token") != "" {
			return "/webhooks/" + p.Type + "/" + pathName(p.Address()) + "/WEBHOOK_TOKEN"
		}
	}
	_, number := message.CutModule(address)
	return "/webhooks/" + strings.Split(number, ".")[1] + "/" + pathName(address)
}

// pathName is a number's name in a path: main for provider.cloud.main, main.de for
// provider.cloud.main["de"]. In a module it begins with the module's address:
// module.shop.main.
func pathName(address string) string {
	module, number := message.CutModule(address)
	name := strings.Join(strings.Split(number, ".")[2:], ".")
	return strings.NewReplacer(`["`, ".", `"]`, "").Replace(message.WithModule(module, name))
}
