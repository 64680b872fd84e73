package lsp

import "encoding/json"

// The parts of the protocol that the server uses, with the names of its
// specification: https://microsoft.github.io/language-server-protocol, version 3.17.

// received is a message of the client: a request, a notification, or an answer.
type received struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

// reply answers a request: with a result, which may be null, or with an error.
type reply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result"`
}

type failedReply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Error   *failure        `json:"error"`
}

type notification struct {
	Version string `json:"jsonrpc"`
	Method  string `json:"method"`
	Params  any    `json:"params"`
}

// failure is the error with which a request is answered.
type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (f *failure) Error() string { return f.Message }

// Codes of failures.
const (
	codeParse          = -32700
	codeInvalidRequest = -32600
	codeNoMethod       = -32601
	codeInvalidParams  = -32602
	codeInternal       = -32603
	codeNotInitialized = -32002
	codeFailed         = -32803
)

type initializeParams struct {
	RootURI          string            `json:"rootUri"`
	WorkspaceFolders []workspaceFolder `json:"workspaceFolders"`
	Capabilities     struct {
		TextDocument struct {
			Completion struct {
				Item struct {
					Snippets bool `json:"snippetSupport"`
				} `json:"completionItem"`
			} `json:"completion"`
		} `json:"textDocument"`
	} `json:"capabilities"`
}

type workspaceFolder struct {
	URI string `json:"uri"`
}

type initializeResult struct {
	Capabilities map[string]any    `json:"capabilities"`
	ServerInfo   map[string]string `json:"serverInfo"`
}

type documentItem struct {
	URI     string `json:"uri"`
	Version int    `json:"version"`
	Text    string `json:"text"`
}

type didOpenParams struct {
	Document documentItem `json:"textDocument"`
}

type didChangeParams struct {
	Document documentItem `json:"textDocument"` // without a text
	Changes  []struct {
		Range *span  `json:"range"` // nil where Text is the whole text
		Text  string `json:"text"`
	} `json:"contentChanges"`
}

type documentParams struct {
	Document documentItem `json:"textDocument"` // its URI alone
}

type positionParams struct {
	documentParams
	Position position `json:"position"`
}

type publishParams struct {
	URI         string       `json:"uri"`
	Version     *int         `json:"version,omitempty"` // nil for a file that is not open
	Diagnostics []diagnostic `json:"diagnostics"`
}

type diagnostic struct {
	Range    span   `json:"range"`
	Severity int    `json:"severity"`
	Code     string `json:"code,omitempty"`
	Source   string `json:"source"`
	Message  string `json:"message"`
}

const (
	severityError   = 1
	severityWarning = 2
)

type textEdit struct {
	Range   span   `json:"range"`
	NewText string `json:"newText"`
}

type logParams struct {
	Type    int    `json:"type"`
	Message string `json:"message"`
}

type markup struct {
	Kind  string `json:"kind"` // "markdown"
	Value string `json:"value"`
}

type hover struct {
	Contents markup `json:"contents"`
	Range    *span  `json:"range,omitempty"`
}

type location struct {
	URI   string `json:"uri"`
	Range span   `json:"range"`
}

type symbol struct {
	Name     string   `json:"name"`
	Detail   string   `json:"detail,omitempty"`
	Kind     int      `json:"kind"`
	Range    span     `json:"range"`
	Head     span     `json:"selectionRange"`
	Children []symbol `json:"children,omitempty"`
}

const symbolClass = 5

type completionList struct {
	Incomplete bool             `json:"isIncomplete"`
	Items      []completionItem `json:"items"`
}

type completionItem struct {
	Label         string   `json:"label"`
	Kind          int      `json:"kind"`
	Detail        string   `json:"detail,omitempty"`
	Documentation *markup  `json:"documentation,omitempty"`
	Format        int      `json:"insertTextFormat,omitempty"`
	Edit          textEdit `json:"textEdit"`
}

// Kinds of what is completed, and the form of a text with places to fill.
const (
	itemFunction  = 3
	itemVariable  = 6
	itemModule    = 9
	itemProperty  = 10
	itemValue     = 12
	itemReference = 18

	formatSnippet = 2
)
