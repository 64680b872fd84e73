package cli

import (
	"context"
	"fmt"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/workspace"
)

// encryptHelp and identityHelp are the help texts of flags.
const (
	encryptHelp  = "with -out: encrypt the plan to this age recipient (age1…); may be repeated"
	identityHelp = "the file with the age identity that reads an encrypted plan"
)

// openPlan reads the saved plan in a file.
func (a *app) openPlan(name, identity string) (*workspace.SavedPlan, error) {
	path := ""
	if identity != "" {
		path = a.path(identity)
	}
	saved, err := workspace.OpenPlan(a.path(name), path, identity)
	if err != nil {
		return nil, a.fail("Plan not readable", fmt.Errorf("%s: %w", name, err))
	}
	return saved, nil
}

// savedProject loads the configuration that a saved plan contains.
func (a *app) savedProject(ctx context.Context, saved *workspace.SavedPlan, in *inputFlags) (*project, error) {
	ws, diags, err := workspace.LoadSaved(ctx, a.hostOf(in), a.dir(), saved, in.vars)
	if err != nil {
		return nil, a.fail("Plan not readable", err)
	}
	if a.hclDiags(diags, ws.Config.Files) {
		ws.Close()
		return nil, exit(exitError)
	}
	ws.FollowMove(ctx, in.vars)
	return &project{Workspace: ws, diags: []view.Diagnostic{}}, nil
}
