package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/workspace"
)

// openLog opens the log that HANDBILL_LOG (trace, debug, info, warn, error)
// asks for, on stderr or in the file HANDBILL_LOG_PATH. Without HANDBILL_LOG
// nothing is logged. What is logged never holds a token, and recipients are
// masked.
func (a *app) openLog() (close func(), err error) {
	a.log = hclog.NewNullLogger()
	level, _ := a.sys.Env("HANDBILL_LOG")
	if level == "" {
		return func() {}, nil
	}
	parsed := hclog.LevelFromString(level)
	if parsed == hclog.NoLevel {
		return nil, fmt.Errorf("HANDBILL_LOG is %q; expected one of trace, debug, info, warn, error", message.SafeText(level))
	}
	out, close := io.Writer(a.sys.Stderr), func() {}
	if path, _ := a.sys.Env("HANDBILL_LOG_PATH"); path != "" {
		file, err := os.OpenFile(a.path(path), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return nil, fmt.Errorf("opening the log %s: %w", path, workspace.PathCause(err))
		}
		out, close = file, func() { file.Close() }
	}
	a.log = hclog.New(&hclog.LoggerOptions{Name: "handbill", Level: parsed, Output: out, TimeFn: a.sys.Now})
	return close, nil
}

// logEvent logs one event of a run: attempts at level debug, pauses and halts at
// higher levels.
func (a *app) logEvent(ev apply.Event) {
	if !a.log.IsDebug() && (ev.Kind == apply.EventAnswered || ev.Kind == apply.EventGated || ev.Kind == apply.EventHeld) {
		return // one for each message; to word them costs more than the rest of the report
	}
	where := []any{"provider", ev.Provider, "campaign", ev.Campaign}
	switch ev.Kind {
	case apply.EventAnswered:
		a.log.Debug("answered", append(where, "recipient", message.Mask(ev.Recipient), "attempt", ev.Attempt,
			"class", ev.Answer.Class.String(), "code", ev.Answer.Code, "title", message.SafeText(ev.Answer.Title), "again", ev.Again)...)
	case apply.EventPaused:
		a.log.Info(string(ev.Kind), append(where, "reason", ev.Reason, "until", ev.Until)...)
	case apply.EventHalted:
		a.log.Warn("halted", append(where, "reason", ev.Halt.Reason, "code", ev.Halt.Code, "title", message.SafeText(ev.Halt.Title))...)
	default:
		a.log.Debug(string(ev.Kind), append(where, "recipient", message.Mask(ev.Recipient), "reason", ev.Reason)...)
	}
}

// logArgs logs a command without the values of its flags: they may be secret.
func (a *app) logArgs(args []string) {
	shown := make([]string, len(args))
	for i, arg := range args {
		shown[i] = arg
		if name, _, ok := strings.Cut(arg, "="); ok {
			shown[i] = name + "=…"
		} else if !strings.HasPrefix(arg, "-") && i > 0 {
			shown[i] = "…"
		}
	}
	a.log.Info("command", "version", a.sys.Build.Version, "revision", a.sys.Build.Revision, "args", strings.Join(shown, " "))
}
