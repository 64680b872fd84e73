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
	// CreateTemplate submits a template for review. handle stands for its header's
	// file; "" if it has none. Creating is not idempotent, and providers take no
	// idempotency key: after TemplateUnknown the caller must read the account
	// before it creates anything again.
	CreateTemplate(ctx context.Context, s *account.Spec, handle string) TemplateAnswer
	// EditTemplate replaces the whole template with that id; see account.Spec.Edit.
	// Repeating it has no further effect, except that an approved template may be
	// edited only a limited number of times.
	EditTemplate(ctx context.Context, id string, s *account.Spec, handle string, recategorize bool) TemplateAnswer
	// DeleteTemplate deletes one language of a template by its id, or all languages
	// if id is "". The name is then blocked for 30 days.
	DeleteTemplate(ctx context.Context, name, id string) TemplateAnswer
	// ArchiveTemplate archives one language of an approved or rejected template by its
	// id: it can't be sent any more, and Meta deletes it after 28 days.
	ArchiveTemplate(ctx context.Context, id string) TemplateAnswer
	// UploadSample uploads a header's file, and returns the handle that stands
	// for it in the request that follows.
	UploadSample(ctx context.Context, f *account.File, content []byte) (handle string, err error)
}

// TemplateOutcome is what an answer to a change of a template means.
type TemplateOutcome uint8

// The outcomes.
const (
	TemplateUnknown TemplateOutcome = iota // the change may have been made, or not
	TemplateDone                           // it was made
	TemplateRefused                        // it was not made, and never will be without a change
	TemplateBusy                           // it was not made; a later request may be
	TemplateThere                          // it was not made: a template of that name and language exists
	TemplateLocked                         // it was not made: that name and language is being deleted
)

// TemplateAnswer is what an answer to a change of a template means.
type TemplateAnswer struct {
	Outcome TemplateOutcome
	ID      string        // of what was created; "" if not reported
	Status  string        // Meta's word in upper case; "" if not reported
	Code    string        // "100/2388043"; "" for none
	Detail  string        // a sentence; the provider's own words stand in quotes
	Wait    time.Duration // with TemplateBusy: how long; 0 if not reported
}
