// Package lsp is a language server: it helps editors with the configuration that is
// open in them. It speaks the Language Server Protocol, version 3.17, as JSON-RPC 2.0
// messages over two streams.
//
//	err := lsp.Serve(ctx, stdin, stdout, &lsp.Options{Lang: options})
//
// It reads the files of the configuration and what these name by file() and csv(), as
// every load does, and the contacts of an audience's file. It knows no state and no
// provider's service, opens no connection and starts no process.
package lsp
