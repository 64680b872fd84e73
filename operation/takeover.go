package operation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// ImportTemplate records what an account has as the declared template, or the
// translation of one, at an address. id is its name, NAME/LANGUAGE, or the account's
// id of one language. It changes nothing in the account. An error is an *Error, and
// then nothing was recorded.
func ImportTemplate(ctx context.Context, ws *workspace.Workspace, s state.Store, address, id string) ([]TemplateStep, error) {
	t := &takeOver{ws: ws, in: lang.Import{To: address, ID: id}}
	if err := t.target(); err != nil {
		return nil, &Error{"No such template", err}
	}
	rows, err := managed(ctx, s)
	if err != nil {
		return nil, err
	}
	t.rows = rows
	seen := ws.ReadTemplates(ctx, t.block.Held.Provider.Address())
	if seen.Err != nil {
		return nil, &Error{"Template not imported", fmt.Errorf("the templates of the account of %s could not be read: %w", t.block.Held.Provider.Address(), seen.Err)}
	}
	if err := t.find(seen); err != nil {
		return nil, &Error{"Template not imported", err}
	}
	return t.steps, s.Manage(ctx, t.keep, nil)
}

// takeOver is the work on one ImportTemplate.
type takeOver struct {
	ws    *workspace.Workspace
	in    lang.Import
	block *lang.Template
	list  []*lang.Translation
	rows  []state.Managed
	steps []TemplateStep
	keep  []state.Managed
}

// target finds the translations at the address.
func (t *takeOver) target() error {
	var declared []string
	for _, block := range t.ws.Config.Templates {
		declared = append(declared, block.Address())
		for _, tr := range block.Translations {
			if t.in.To == block.Address() || t.in.To == tr.Address() {
				t.block, t.list = block, append(t.list, tr)
			}
		}
	}
	if t.block == nil {
		has := "none is"
		if len(declared) > 0 {
			has = "declared are: " + strings.Join(declared, ", ")
		}
		return fmt.Errorf("%s is not a template block that is declared, or a translation of one; %s. To have the block written from what the account has, write an import block and run \"handbill plan -generate-config-out=templates.hcl\"", message.SafeText(t.in.To), has)
	}
	return nil
}

// find matches what the account has with the translations.
func (t *takeOver) find(seen *plan.Observed) error {
	var meant []*account.Template
	for i := range seen.Templates {
		if held := &seen.Templates[i]; t.in.Means(held.Name, held.Language, held.ID) {
			meant = append(meant, held)
		}
	}
	for _, tr := range t.list {
		i := slices.IndexFunc(meant, func(held *account.Template) bool {
			return held.Name == tr.Spec.Name && held.Language == tr.Spec.Language
		})
		if i < 0 {
			continue
		}
		if err := t.take(tr, meant[i], seen.Account); err != nil {
			return err
		}
	}
	switch {
	case len(meant) == 0:
		return fmt.Errorf("the account of %s has no template %s. An id is a name, NAME/LANGUAGE, or Meta's number of one language; names are compared as they are written", t.block.Held.Provider.Address(), message.SafeText(t.in.ID))
	case len(t.keep) == 0:
		return fmt.Errorf("%s is the template %s in %s, and %s is declared as %s in other languages or under another name: name and language have to be the same", message.SafeText(t.in.ID),
			message.SafeText(meant[0].Name), message.SafeText(meant[0].Language), t.in.To, t.block.Held.Template)
	}
	return nil
}

func (t *takeOver) take(tr *lang.Translation, held *account.Template, owner string) error {
	spec := tr.Spec
	key := plan.TemplateKey(&spec.Template)
	for i := range t.rows {
		switch row := &t.rows[i]; {
		case row.Address == tr.Address() && row.Known():
			return fmt.Errorf("the state has %s already. To take it over anew, remove it first: handbill state rm %s, which leaves the account alone", row.Address, row.Address)
		case row.Address != tr.Address() && row.Key == key && row.Account == owner:
			return fmt.Errorf("the state has it as %s. If that was renamed: handbill state mv %s %s", row.Address, row.Address, tr.Address())
		}
	}
	if spec.Category != held.Category {
		return fmt.Errorf("%s is declared as %q, and the account holds it as %q: Meta decides that. Write category = %q", tr.Address(), spec.Category, message.SafeText(held.Category), message.SafeText(held.Category))
	}
	if err := plan.CompleteFile(t.ws.Root, &spec); err != nil {
		return err
	}
	c := plan.TemplateChange{Address: tr.Address(), Provider: t.block.Held.Provider.Address(), Account: owner, Spec: spec, OnDestroy: t.block.OnDestroy, PreventDestroy: t.block.Lifecycle.PreventDestroy}
	row, err := recorded(&c, held, state.Managed{}, t.ws.Now().UTC())
	if err != nil {
		return err
	}
	step := TemplateStep{Address: tr.Address(), Did: TemplateAdopted, Status: held.Status, ID: held.ID}
	if !spec.SameWords(held) {
		step.Detail = "its words are others than declared, and the next plan edits them"
	}
	t.keep, t.steps = append(t.keep, row), append(t.steps, step)
	return nil
}
