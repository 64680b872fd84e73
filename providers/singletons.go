package providers

import (
	"context"

	"github.com/handbill/handbill/account"
)

// SingletonWriter is a number through which objects can be read and changed of which it,
// or its account, has exactly one. Each method makes at most one request for each thing
// that it reads or changes, repeats nothing, and puts no credential into what it returns.
type SingletonWriter interface {
	// SingletonKey names the number or account that has the object; why says why it
	// can't be looked after through this number, and what to do instead, "" if it can.
	SingletonKey(of *account.Singleton) (key, why string)
	// Singleton reads all attributes that the provider tells of, in their normal form.
	Singleton(ctx context.Context, of *account.Singleton) (account.Values, error)
	// PutSingleton changes the given attributes and leaves the others as they are; secret
	// is what of.Secret names. Repeating it has no further effect. The answer's outcome is
	// never TemplateThere or TemplateLocked.
	PutSingleton(ctx context.Context, of *account.Singleton, v account.Values, secret string) TemplateAnswer
}
