// Package sandbox sends into handbill's own simulated WhatsApp network, over
// real HTTP and in a real provider's wire format: to a running "handbill
// sandbox", or to one that it starts itself on this machine.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
	network "github.com/handbill/handbill/sandbox"
)

// Config are the arguments of a sandbox provider. Clock is required; all else
// may be zero.
type Config struct {
	URL         string        // of a running "handbill sandbox"; "" starts one in this process
	Wire        string        // wire format: "cloud" (default), "dialog360", "kaleyra" or "onemsg"
	Seed        int64         // decides what becomes of messages
	Latency     time.Duration // mean time to an answer
	FailureRate float64       // share of recipients that are not on WhatsApp, 0 to 1
	Throughput  float64       // messages per second; 0 is the wire format's own
	Clock       providers.Clock
	Client      *wire.Client // for polls, if the wire format has none
}

// Schema returns the arguments of the provider's block in the language.
func Schema() []providers.Argument {
	return []providers.Argument{
		{Name: "url", Type: "string", Description: "Address of a running \"handbill sandbox\"; without it one is started for the run."},
		{Name: "wire", Type: "string", Description: "Wire format: cloud (default), dialog360, kaleyra or onemsg."},
		{Name: "seed", Type: "number", Description: "Decides what becomes of messages; the same seed, the same end."},
		{Name: "latency", Type: "string", Description: "Mean time to an answer, such as \"200ms\"."},
		{Name: "failure_rate", Type: "number", Description: "Share of recipients that are not on WhatsApp, from 0 to 1."},
		{Name: "throughput", Type: "number", Description: "Messages per second that the simulated number may send; the wire format's own by default."},
	}
}

// Constructor makes the provider of the chosen wire format for a base URL. The
// caller passes it in, since provider packages do not import each other.
type Constructor func(baseURL string) (providers.Provider, error)

// Provider is a number of a simulated network.
type Provider struct {
	config  Config
	wire    network.Provider
	make    Constructor
	offline providers.Provider // for what needs no network: encoding and decoding
	profile *providers.Profile

	once   sync.Once
	err    error
	base   string // of the network, without a path
	online providers.Provider
	server *network.Server

	network *network.Sandbox // in this process; nil with a URL
	ahead   atomic.Int64     // how far its clock is ahead, a time.Duration
}

// AccountID is the account that every number of a network belongs to.
const AccountID = network.AccountID

// nowhere is the address of the provider that only encodes.
const nowhere = "http://127.0.0.1:1"

// New checks the arguments and makes a Provider. The network starts with the
// first request and ends with Close.
func New(c Config, make Constructor) (*Provider, error) {
	if c.Wire == "" {
		c.Wire = string(network.Cloud)
	}
	if c.Client == nil {
		c.Client = wire.New(wire.Options{})
	}
	if err := check(c); err != nil {
		return nil, err
	}
	offline, err := make(nowhere + network.BasePath(network.Provider(c.Wire)))
	if err != nil {
		return nil, err
	}
	p := &Provider{config: c, wire: network.Provider(c.Wire), make: make, offline: offline}
	p.profile = offline.Profile().WithThroughput(c.Throughput)
	p.profile.Title = "sandbox (" + p.profile.Title + ")"
	p.profile.Type = "sandbox"
	p.profile.Polls = p.wire != network.Kaleyra
	return p, nil
}

func check(c Config) error {
	var errs []error
	if !slices.Contains(network.Providers(), network.Provider(c.Wire)) {
		errs = append(errs, fmt.Errorf("wire: expected cloud, dialog360, kaleyra or onemsg, got %q", c.Wire))
	}
	if c.URL != "" {
		_, err := providers.CheckBase(c.URL)
		errs = append(errs, err)
	}
	if c.FailureRate < 0 || c.FailureRate > 1 || math.IsNaN(c.FailureRate) {
		errs = append(errs, errors.New("failure_rate: expected a share from 0 to 1"))
	}
	if c.Latency < 0 || c.Latency > time.Minute {
		errs = append(errs, errors.New("latency: expected a duration of at most one minute, such as \"200ms\""))
	}
	if !(c.Throughput >= 0 && c.Throughput <= 1e6) {
		errs = append(errs, errors.New("throughput: expected messages per second, more than 0 and at most 1000000"))
	}
	return errors.Join(errs...)
}

// Profile returns the wire format's profile under the sandbox's name.
func (p *Provider) Profile() *providers.Profile { return p.profile }

// connect starts the network, or finds the running one, once.
func (p *Provider) connect() (providers.Provider, error) {
	p.once.Do(func() { p.err = p.start() })
	return p.online, p.err
}

func (p *Provider) start() error {
	p.base = p.config.URL
	if p.base == "" {
		p.network = network.New(p.options())
		server, err := p.network.Start(context.Background(), "127.0.0.1:0")
		if err != nil {
			return err
		}
		p.server, p.base = server, server.URL()
	}
	base, err := providers.CheckBase(p.base)
	if err != nil {
		return err
	}
	p.base = base
	p.online, err = p.make(base + network.BasePath(p.wire))
	return err
}

// options returns those of the network in this process. It treats every window as
// open: nobody writes to this network, and only the state knows the real windows.
func (p *Provider) options() network.Options {
	return network.Options{
		Clock: p.clock, Seed: p.config.Seed, Latency: p.config.Latency, FailureRate: p.config.FailureRate,
		Throughput: int(math.Ceil(p.profile.Throughput.Value)), AssumeOpen: true,
	}
}

// Close ends the network that this provider started.
func (p *Provider) Close() error {
	p.once.Do(func() { p.err = errors.New("the sandbox is closed") })
	if p.server == nil {
		return nil
	}
	return p.server.Close()
}
