package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
)

// workerOptions are the flags of worker.
type workerOptions struct {
	in          inputFlags
	numbers     []string
	parallelism int
	metrics     string
}

func (a *app) workerCommand() *cobra.Command {
	var opt workerOptions
	cmd := &cobra.Command{
		Use: "worker [flags]", Short: "carry on the runs of others that share the state", Args: cobra.NoArgs,
		Long: `Drives the sending numbers of runs that are open in a state that machines share
(state "postgres"): those that "handbill apply -detach" left to workers, and those
whose process died, ten seconds after it was last heard of.

It needs the state's URL, in the configuration of the directory or, where there is
none, in HANDBILL_STATE_URL (and HANDBILL_STATE_SCHEMA); and the environment
variables that the configuration of the run reads. The run itself, with its
configuration, is in the state; secrets are not.

An interrupt ends it cleanly: it sends nothing new, waits for what is in flight,
gives its numbers back to other workers, and exits with code 0. A second one ends it
at once and leaves what was in flight in doubt.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.worker(cmd.Context(), &opt) },
	}
	opt.in.bindVars(cmd.Flags())
	cmd.Flags().StringSliceVar(&opt.numbers, "numbers", nil, "only this number (provider.TYPE.NAME); may be repeated")
	cmd.Flags().IntVar(&opt.parallelism, "parallelism", 0, "most sends in flight per number; 0 adapts to the provider's latency")
	cmd.Flags().StringVar(&opt.metrics, "metrics", "", "address of /metrics for Prometheus; none by default")
	return cmd
}

func (a *app) worker(ctx context.Context, opt *workerOptions) error {
	p, store, err := a.openShared(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.Close()
	defer store.Close()
	ctx, stop, release := a.interruptible(ctx)
	defer release()
	metrics := newWorkerMetrics(&a.sys.Build)
	if opt.metrics != "" {
		url, err := metrics.serve(ctx, opt.metrics)
		if err != nil {
			return a.fail("Cannot listen", err)
		}
		a.notice("%s metrics on %s", a.stampNow(), url)
	}
	a.notice("%s worker: looks for open runs in the state %s", a.stampNow(), p.StateName())
	err = operation.Work(ctx, p.Workspace, store, operation.WorkerOptions{Numbers: opt.numbers, Parallelism: opt.parallelism,
		Spacing: cmp.Or(a.sys.Spacing, fp.Spacing()), Vars: opt.in.vars, Stop: stop, Turn: metrics.turn, Observe: func(ev operation.WorkerEvent) {
			metrics.event(ev)
			a.workerEvent(ev)
		}})
	if err != nil {
		return a.failState(err, false)
	}
	return nil
}

// workerEvent tells on stderr what a worker did, one line for each event.
func (a *app) workerEvent(ev operation.WorkerEvent) {
	words := []string{a.stampNow(), string(ev.Kind)}
	if ev.Number != "" {
		words = append(words, message.SafeText(ev.Number))
	}
	if ev.Run != 0 {
		words = append(words, fmt.Sprintf("of run %d", ev.Run))
	}
	if ev.Doubts > 0 {
		words = append(words, fmt.Sprintf("(%d in doubt)", ev.Doubts))
	}
	if slices.Contains([]operation.WorkerEventKind{operation.WorkerDone, operation.WorkerLeft, operation.WorkerLost}, ev.Kind) {
		words = append(words, fmt.Sprintf("(%d sent)", ev.Sent))
	}
	line := strings.Join(words, " ")
	if ev.Err != nil {
		line += ": " + strings.TrimPrefix(message.SafeText(ev.Err.Error()), ev.Number+": ")
	}
	a.notice("%s", line)
	a.log.Info("worker", "event", string(ev.Kind), "run", ev.Run, "number", ev.Number, "doubts", ev.Doubts, "sent", ev.Sent, "error", ev.Err)
}
