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

// checkSaved refuses options that decide what is planned beside a plan that was made
// already: who says -exclude would believe that somebody gets nothing.
func (a *app) checkSaved(f *planFlags) error {
	for _, late := range []struct {
		given bool
		name  string
	}{
		{len(f.target) > 0, "-target"}, {len(f.except) > 0, "-exclude"}, {len(f.again) > 0, "-replace"}, {f.retry != "", "-retry"},
		{!f.refresh, "-refresh=false"}, {f.prices != "", "-prices"}, {f.forceDelete, "-force-delete-templates"},
	} {
		if late.given {
			return a.fail("Invalid option", fmt.Errorf("%s does not go with a saved plan: what it decides was decided when the plan was made. Nothing was sent. Give it to \"handbill plan\"", late.name))
		}
	}
	return nil
}
