package cli

import (
	"maps"
	"slices"
	"strings"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/kaleyra"
	"github.com/handbill/handbill/providers/metaobject"
)

// classWords say what handbill does about an answer of a class.
var classWords = map[message.Class]string{
	message.Refused:       "The message was not taken. That recipient is counted as refused, and the campaign goes on. A retry is an order: -retry=CODE.",
	message.Throttled:     "The message was not taken. The number slows down and tries again by itself.",
	message.PairThrottled: "The message was not taken. That recipient waits and is tried again by itself; the others go on.",
	message.NotSent:       "The message was not taken. It is tried again by itself.",
	message.AccountFault:  "The message was not taken, and no other would be. The number's campaigns halt, and recipients stay pending.",
	message.WindowClosed:  "The message was not taken: the 24-hour window is closed. That recipient is counted as refused.",
	message.OptedOut:      "The message was not taken: the person stopped marketing. The opt-out is recorded.",
	message.Unknown:       "It is not known whether the message was taken. It is in doubt and is not sent again by itself.",
}

// providerCodes are the codes of every provider, with whose they are.
func providerCodes() map[string][]providers.Code {
	return map[string][]providers.Code{
		"Meta (360dialog, 1msg and Kaleyra pass it on)": metaobject.Explained(),
		"Kaleyra": kaleyra.Codes(),
	}
}

// explainProviderCode explains a code that a provider answers with, such as
// 131049, "(#131049)" or WA401; "" where none is known.
func explainProviderCode(code string) string {
	code = strings.ToUpper(strings.Trim(strings.ReplaceAll(code, "-", ""), "(#)"))
	tables := providerCodes()
	var out []string
	for _, whose := range slices.Sorted(maps.Keys(tables)) {
		for _, c := range tables[whose] {
			if c.Code != code {
				continue
			}
			text := classWords[c.Class]
			if c.Advice != "" {
				text += " What to do: " + c.Advice + "."
			}
			out = append(out, view.Explanation(c.Code, c.Title, text)+"\nA code of "+whose+". Source: "+c.Source+".\n")
		}
	}
	return strings.Join(out, "\n")
}
