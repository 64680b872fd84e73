package providers

import (
	"context"
	"time"

	"github.com/handbill/handbill/account"
)

// TemplateWriter is a TemplateReader whose account's templates can be changed.
// Each method but UploadSample makes at most one request, repeats nothing, and
// puts no credential into what it returns.
type TemplateWriter interface {
	TemplateReader
	// Abilities say which changes the account takes.
	Abilities() account.Abilities
	// CreateTemplate hands a template in for review. handle stands for its
	// header's file; "" where it has none. To create is not idempotent, and the
	// provider has no key for it: after TemplateUnknown the account is to be read
	// before anything is created again.
	CreateTemplate(ctx context.Context, s *account.Spec, handle string) TemplateAnswer
	// EditTemplate hands the template with that id in anew, all of it; see
	// account.Spec.Edit. To do it twice is to do it once, but for the budget of
	// edits of an approved template.
	EditTemplate(ctx context.Context, id string, s *account.Spec, handle string, recategorize bool) TemplateAnswer
	// DeleteTemplate deletes one language of a template, by its id; where id is
	// "", all of them. The name is blocked for 30 days then.
	DeleteTemplate(ctx context.Context, name, id string) TemplateAnswer
	// UploadSample uploads a header's file, and returns the handle that stands
	// for it in the request that follows.
	UploadSample(ctx context.Context, f *account.File, content []byte) (handle string, err error)
}

// TemplateOutcome is what an answer to a change of a template means.
type TemplateOutcome uint8

// The outcomes.
const (
	TemplateUnknown TemplateOutcome = iota // it may have been made, or not
	TemplateDone                           // it was made
	TemplateRefused                        // it was not made; as it stands it never will be
	TemplateBusy                           // it was not made; a later request may be
	TemplateThere                          // it was not made: there is one of that name and language
	TemplateLocked                         // it was not made: one of that name and language is being deleted
)

// TemplateAnswer is what an answer to a change of a template means.
type TemplateAnswer struct {
	Outcome TemplateOutcome
	ID      string        // of what was created; "" where it is not told
	Status  string        // Meta's word in upper case; "" where it is not told
	Code    string        // "100/2388043"; "" for none
	Detail  string        // a sentence; the provider's own words stand in quotes
	Wait    time.Duration // with TemplateBusy: how long; 0 where it is not told
}
