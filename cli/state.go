package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// stateOptions are the flags that the state commands share.
type stateFlags struct {
	in   inputFlags
	lock lockFlags
	show bool
}

func (a *app) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "state", Short: "look at the state, and change it by hand",
		Long: `The state remembers what was sent to whom and what came of it. These commands
read it and, with care, change it. Everything that changes it takes the lock and
makes a backup first.`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.stateListCommand(), a.stateShowCommand(), a.statePullCommand(), a.stateRemoveCommand(),
		a.stateMoveCommand(), a.stateUnlockCommand(), a.stateVerifyCommand(), a.stateBackupCommand(),
		a.stateRestoreCommand(), a.stateAcknowledgeCommand(), a.stateExportCommand(), a.stateEraseCommand(), a.stateGiveBackCommand(), a.statePruneCommand(),
		a.optoutsCommand())
	return cmd
}

// withState loads the configuration, opens the state for reading, and runs fn.
func (a *app) withState(ctx context.Context, f *stateFlags, fn func(*project, *state.Store) error) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.close()
	store, err := a.readState(ctx, p)
	if err != nil {
		return a.failState(err, false)
	}
	if store == nil {
		return a.fail("No state", fmt.Errorf("there is no state at %s yet. \"handbill init\" makes it", a.display(p.statePath())))
	}
	defer store.Close()
	return fn(p, store)
}

// changeState loads the configuration, takes the lock, backs the state up, and
// runs fn.
func (a *app) changeState(ctx context.Context, f *stateFlags, operation string, fn func(*project, *state.Store) error) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.close()
	if !state.Exists(p.statePath()) {
		return a.fail("No state", fmt.Errorf("there is no state at %s yet. \"handbill init\" makes it", a.display(p.statePath())))
	}
	unlock, err := a.lock(ctx, &f.lock, p.statePath(), operation)
	if err != nil {
		return a.failState(err, false)
	}
	defer unlock()
	store, _, err := a.openState(ctx, p)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	if _, err := store.AutoBackup(ctx, strings.ReplaceAll(operation, " ", "-")); err != nil {
		return a.fail("State not backed up", fmt.Errorf("nothing was changed: %w", err))
	}
	return fn(p, store)
}

func (a *app) stateListCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "list [flags] [ADDRESS...]", Short: "list resources, or the deliveries of a campaign",
		Long: `Lists the addresses of the resources of the last apply, and for campaigns that are
named on the command line their deliveries.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s *state.Store) error { return a.stateList(cmd.Context(), s, &f, args) })
		},
	}
	f.in.bind(cmd.Flags())
	cmd.Flags().BoolVar(&f.show, "show-recipients", false, "show numbers as they are")
	return cmd
}

func (a *app) stateList(ctx context.Context, s *state.Store, f *stateFlags, addresses []string) error {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	defer snap.Close()
	if len(addresses) == 0 {
		resources, err := snap.Resources(ctx)
		if err != nil {
			return a.failState(err, false)
		}
		for _, r := range resources {
			fmt.Fprintln(a.sys.Stdout, message.SafeText(r.Address))
		}
		return nil
	}
	style := a.style()
	style.ShowRecipients = f.show
	for _, address := range addresses {
		found := false
		for d, err := range snap.Deliveries(ctx, address) {
			if err != nil {
				return a.failState(err, false)
			}
			found = true
			fmt.Fprintf(a.sys.Stdout, "%s[%q]  %s%s\n", d.Campaign, style.Recipient(d.Recipient), d.Send, style.DeliveryNote(&d))
		}
		if !found {
			return a.fail("No such deliveries", fmt.Errorf("the state has no delivery of %s", message.SafeText(address)))
		}
	}
	return nil
}

func (a *app) stateShowCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "show [flags] ADDRESS", Short: "show one resource of the last apply", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s *state.Store) error { return a.stateShow(cmd.Context(), s, args[0]) })
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}

func (a *app) stateShow(ctx context.Context, s *state.Store, address string) error {
	resources, err := a.stateResources(ctx, s)
	if err != nil {
		return err
	}
	for _, r := range resources {
		if r.Address == address {
			return view.ResourceText(a.sys.Stdout, a.style(), r.Address, r.Tree)
		}
	}
	return a.fail("No such resource", fmt.Errorf("the state has no resource %s; \"handbill state list\" shows what it has", message.SafeText(address)))
}

// stateResource is a resource of the state, decoded.
type stateResource struct {
	Address string
	Tree    *lang.Tree
}

func (a *app) stateResources(ctx context.Context, s *state.Store) ([]stateResource, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, a.failState(err, false)
	}
	defer snap.Close()
	list, err := snap.Resources(ctx)
	if err != nil {
		return nil, a.failState(err, false)
	}
	out := make([]stateResource, len(list))
	for i, r := range list {
		var tree lang.Tree
		if err := json.Unmarshal(r.Tree, &tree); err != nil {
			return nil, a.failState(fmt.Errorf("%s: %w", r.Address, err), false)
		}
		out[i] = stateResource{r.Address, &tree}
	}
	return out, nil
}

func (a *app) statePullCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "pull", Short: "write the state as JSON lines, data as it is", Args: cobra.NoArgs,
		Long: `Writes everything in the state to stdout, one JSON object a line: numbers and
names as they are. It is for programs and backups, not for pull requests.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s *state.Store) error {
				err := s.Export(cmd.Context(), a.sys.Stdout)
				if err != nil {
					return a.failState(err, false)
				}
				return nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}

func (a *app) stateExportCommand() *cobra.Command {
	var f stateFlags
	var out string
	cmd := &cobra.Command{
		Use: "export -out=FILE", Short: "write the state as JSON lines into a file", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s *state.Store) error { return a.stateExport(cmd.Context(), s, out) })
		},
	}
	f.in.bind(cmd.Flags())
	cmd.Flags().StringVar(&out, "out", "", "the file; it must not exist")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err)
	}
	return cmd
}

func (a *app) stateExport(ctx context.Context, s *state.Store, name string) error {
	file, err := os.OpenFile(a.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return a.fail("Export not written", fmt.Errorf("there is something at %s already, and an export never overwrites; name another file", message.SafeText(name)))
	}
	if err != nil {
		return a.fail("Export not written", fmt.Errorf("%s: %w", message.SafeText(name), plainPathError(err)))
	}
	err = s.Export(ctx, file)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(a.path(name))
		return a.fail("Export not written", err)
	}
	fmt.Fprintf(a.sys.Stdout, "Exported the state to %s. It holds numbers and names as they are.\n", name)
	return nil
}

func (a *app) stateRemoveCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "rm ADDRESS...", Short: "forget a resource and its deliveries", Args: cobra.MinimumNArgs(1),
		Long: `Forgets a resource. For a campaign this forgets who was sent it: the next apply
sends to them again.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeState(cmd.Context(), &f, "state rm", func(_ *project, s *state.Store) error {
				for _, address := range args {
					n, err := s.Remove(cmd.Context(), address)
					if err != nil {
						return a.failState(err, false)
					}
					fmt.Fprintf(a.sys.Stdout, "Removed %s and %s.\n", message.SafeText(address), deliveries(n))
				}
				return nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	return cmd
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return view.Count(n) + " deliveries"
}

func (a *app) stateMoveCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "mv FROM TO", Short: "rename a resource without losing its history", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeState(cmd.Context(), &f, "state mv", func(_ *project, s *state.Store) error {
				if err := s.Move(cmd.Context(), args[0], args[1]); err != nil {
					return a.failState(err, false)
				}
				fmt.Fprintf(a.sys.Stdout, "Moved %s to %s.\n", message.SafeText(args[0]), message.SafeText(args[1]))
				return nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	return cmd
}

func (a *app) stateUnlockCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "unlock ID", Short: "remove what a lock left behind", Args: cobra.ExactArgs(1),
		Long: `The lock is the operating system's and ends with the process that holds it, so
this is needed only when a file system keeps locks of a machine that is gone. ID
is the lock id that the refusal showed.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.load(cmd.Context(), &f.in)
			if err != nil {
				return err
			}
			defer p.close()
			host, err := os.Hostname()
			if err != nil {
				host = "unknown"
			}
			if err := state.ForceUnlock(p.statePath(), args[0], host); err != nil {
				return a.fail("State not unlocked", err)
			}
			fmt.Fprintln(a.sys.Stdout, "The state is unlocked.")
			return nil
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}

func (a *app) stateVerifyCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "verify", Short: "prove that the state is what was written", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s *state.Store) error { return a.stateVerify(cmd.Context(), s) })
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}

func (a *app) stateVerify(ctx context.Context, s *state.Store) error {
	r, err := s.Verify(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	if r.OK() {
		fmt.Fprintf(a.sys.Stdout, "The state is sound: %s checked.\n", view.Plural(int(r.Rows), "row"))
		return nil
	}
	const shown = 10
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s rows are not what was written:\n", view.Count(len(r.Problems)), view.Count(int(r.Rows)))
	for i, p := range r.Problems {
		if i == shown {
			fmt.Fprintf(&b, "    and %d more\n", len(r.Problems)-shown)
			break
		}
		fmt.Fprintf(&b, "    %s row %d: %s\n", p.Table, p.Row, p.What)
	}
	b.WriteString("\nDo not apply with this state. Restore a backup with \"handbill state restore FILE\"; the automatic ones lie beside the state.")
	return a.fail("State damaged", fmt.Errorf("%s", b.String()))
}

func (a *app) stateBackupCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "copy the state while it may be in use", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s *state.Store) error {
				if err := s.Backup(cmd.Context(), a.path(args[0])); err != nil {
					return a.failState(err, false)
				}
				fmt.Fprintf(a.sys.Stdout, "Backed the state up to %s.\n", args[0])
				return nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}

func (a *app) stateRestoreCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "put a backup in the state's place", Args: cobra.ExactArgs(1),
		Long: `Puts a backup in the state's place; the state that was there is kept beside it.
What was sent after the backup was made is not in it: apply refuses until you
have said why going on is right, with -acknowledge here or later with "handbill
state acknowledge", since those people would get a message again.`,
	}
	var acknowledge string
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.stateRestore(cmd.Context(), &f, args[0], acknowledge)
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	cmd.Flags().StringVar(&acknowledge, "acknowledge", "", "why nothing was sent since the backup, or why sending again is right")
	return cmd
}

func (a *app) stateRestore(ctx context.Context, f *stateFlags, backup, acknowledge string) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.close()
	unlock, err := a.lock(ctx, &f.lock, p.statePath(), "state restore")
	if err != nil {
		return a.failState(err, false)
	}
	defer unlock()
	if err := state.Restore(ctx, a.path(backup), a.stateOptions(p.statePath())); err != nil {
		return a.failRestore(err, backup)
	}
	fmt.Fprintf(a.sys.Stdout, "Restored the state from %s.\n", backup)
	if acknowledge == "" {
		fmt.Fprintln(a.sys.Stdout, "What was sent after that backup is unknown to this state, so apply refuses it until you have looked:\nimport what is missing (\"handbill import\"), then say why going on is right (\"handbill state acknowledge -why=…\").")
		return nil
	}
	store, _, err := a.openState(ctx, p)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	if err := store.Acknowledge(ctx, a.who(), acknowledge); err != nil {
		return a.failState(err, false)
	}
	return nil
}

// failRestore says that a file cannot be put in the state's place.
func (a *app) failRestore(err error, backup string) error {
	name := message.SafeText(backup)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("there is no file %s. The copies that handbill made lie beside the state; their names have .backup in them", name)
	case errors.Is(err, state.ErrForeign):
		err = fmt.Errorf("%s is no copy of a handbill state. Take a file that \"handbill state backup\" wrote, or one of the automatic copies beside the state", name)
	default:
		return a.failState(err, false)
	}
	return a.fail("Not restored", fmt.Errorf("%w. The state is as it was", err))
}

func (a *app) stateEraseCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "erase RECIPIENT...", Short: "forget a person everywhere, and never send to them again", Args: cobra.MinimumNArgs(1),
		Long: `Removes a person's number, names and messages from the state and from its
backups' successors, and keeps only a keyed hash, so as never to send to that
number again. Backups made before still hold the person: delete them.

It takes the lock, so it waits its turn (-lock-timeout) behind an apply. Who asks
to be forgotten need not wait: with -lock=false it runs beside an apply and serve,
which send nothing to the person from then on.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.stateErase(cmd.Context(), &f, args) },
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	return cmd
}

// stateErase makes no backup first: a backup would keep the person.
func (a *app) stateErase(ctx context.Context, f *stateFlags, people []string) error {
	keys, err := a.personKeys(people)
	if err != nil {
		return err
	}
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.close()
	unlock, err := a.lock(ctx, &f.lock, p.statePath(), "state erase")
	if err != nil {
		return a.failState(err, false)
	}
	defer unlock()
	store, _, err := a.openState(ctx, p)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	for _, key := range keys {
		if err := store.Erase(ctx, key); err != nil {
			return a.failState(err, false)
		}
	}
	fmt.Fprintf(a.sys.Stdout, "Erased %s.\n", view.Plural(len(keys), "person"))
	copies := copiesOf(p.statePath())
	if len(copies) > 0 {
		fmt.Fprintf(a.sys.Stdout, "Backups made before still hold them; delete:\n")
	}
	for _, c := range copies {
		fmt.Fprintf(a.sys.Stdout, "    %s\n", a.display(c))
	}
	return nil
}

// copiesOf are the files beside a state that handbill copied or put away.
func copiesOf(path string) []string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // the state itself was just written there
	}
	var out []string
	for _, e := range entries {
		for _, kind := range []string{".backup", ".replaced", ".restoring"} {
			if strings.HasPrefix(e.Name(), filepath.Base(path)+kind) {
				out = append(out, filepath.Join(filepath.Dir(path), e.Name()))
			}
		}
	}
	return out
}

func (a *app) statePruneCommand() *cobra.Command {
	var f stateFlags
	var older int
	cmd := &cobra.Command{
		Use: "prune -days=N", Short: "drop raw webhook bodies and settled history that is older", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if older < 45 {
				return a.fail("Invalid option", fmt.Errorf("-days=%d: outcomes may come up to 45 days late, so at least 45 are kept", older))
			}
			return a.changeState(cmd.Context(), &f, "state prune", func(_ *project, s *state.Store) error {
				n, err := s.Prune(cmd.Context(), a.sys.Now().AddDate(0, 0, -older))
				if err != nil {
					return a.failState(err, false)
				}
				fmt.Fprintf(a.sys.Stdout, "Pruned %s.\n", view.Plural(n, "row"))
				return nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	cmd.Flags().IntVar(&older, "days", 0, "what is older than this many days goes; at least 45")
	return cmd
}

func (a *app) stateGiveBackCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "giveback RECIPIENT...", Short: "let reply rules answer a person again after a handover", Args: cobra.MinimumNArgs(1),
		Long: `A reply rule with handover = true makes all rules silent for a person, so that
somebody can talk to them. This gives the person back to the rules. It needs no
lock and may run beside serve.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := a.personKeys(args)
			if err != nil {
				return err
			}
			p, err := a.load(cmd.Context(), &f.in)
			if err != nil {
				return err
			}
			defer p.close()
			store, _, err := a.openState(cmd.Context(), p)
			if err != nil {
				return a.failState(err, false)
			}
			defer store.Close()
			for _, recipient := range keys {
				if err := store.Handover(cmd.Context(), recipient, false); err != nil {
					return a.failState(err, false)
				}
			}
			fmt.Fprintf(a.sys.Stdout, "Reply rules answer %s again.\n", view.Plural(len(args), "person"))
			return nil
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}
