package sandbox

import "github.com/handbill/handbill/message"

// Encode builds the request in the chosen wire format.
func (p *Provider) Encode(to message.Address, m message.Message, ref string) (message.Request, error) {
	return p.offline.Encode(to, m, ref)
}
