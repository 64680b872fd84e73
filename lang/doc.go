// Package lang is the language of handbill: it turns the files of a directory
// into declarations, checks everything that can be known before a contact or
// the state is read, and compiles messages so that a campaign renders them for
// one recipient after another.
//
// Load is the way in. A Config's declarations are data; what depends on a
// row, a recipient or an inbound message is compiled by BindAudience,
// CompileCampaign and CompileReply, whose results are safe for concurrent use.
//
// An expression of either syntax first becomes native nodes (syntax.go). While a
// block is decoded, references to the elements of dynamic blocks and to the values
// that a campaign passes are replaced by what they stand for. What is left depends
// on the recipient, and on names that mean the same everywhere, and is compiled
// once (compile.go).
//
// Mistakes in the configuration are hcl.Diagnostics with a stable code (DiagCode,
// Codes). They never contain a sensitive value or a value of a recipient.
package lang
