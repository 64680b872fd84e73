package lang

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/message"
)

// Options says what a configuration is loaded with. The zero value loads a
// configuration without variables, environment and providers.
type Options struct {
	// Vars are -var and -var-file in command-line order.
	Vars []VarInput
	// Environ is the process's environment, for HANDBILL_VAR_k.
	Environ []string
	// Env is what env("X") reads; nil refuses with a diagnostic.
	Env func(name string) (string, bool)
	// Schemas are the arguments of provider blocks by provider type.
	Schemas map[string]ProviderSchema
	// Version is the release of handbill that required_version compares; "" checks
	// nothing.
	Version string
	// Limits are the limits of messages at a type of provider; nil stands for
	// message.DefaultLimits.
	Limits func(providerType string) message.Limits
	// Phone is what the function phone() calls; nil makes phone() an error.
	Phone func(raw, region string) (string, error)
	// ModuleDirs are directories besides the configuration's in which modules may
	// lie; relative ones are below the process's.
	ModuleDirs []string
	// StopWords says what is wrong with the phrases of stop_words blocks; nil
	// says nothing.
	StopWords func([]*StopWords) []PhraseProblem
	// Undeclared takes import blocks whose template block is not written yet, to
	// have it generated; otherwise they are errors.
	Undeclared bool

	// Overlay are texts that stand in place of files, such as those that an editor
	// has not saved yet: by name, those of modules with their directory and slashes,
	// "modules/welcome/main.hcl". Load reads them; LoadFiles has its files already.
	Overlay map[string][]byte

	// known are values of variables from a snapshot: they override all others.
	known map[string]cty.Value
}

// VarInput is one -var (Name and Raw) or one -var-file (File). Path is where the
// file is, if that differs from File, which messages show.
type VarInput struct{ Name, Raw, File, Path string }

// ProviderSchema says which arguments a type of provider takes.
type ProviderSchema struct{ Arguments []ProviderArgument }

// ProviderArgument is one argument of a provider block.
type ProviderArgument struct {
	Name        string
	Type        cty.Type
	Required    bool
	Sensitive   bool
	Description string
}
