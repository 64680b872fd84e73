package dialog360

import (
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
)

// Encode builds Meta's message object; ref goes into biz_opaque_callback_data.
// Templates sent through Marketing Messages use a separate path. The API key
// names the number, so the path does not.
func (p *Provider) Encode(to message.Address, m message.Message, ref string) (message.Request, error) {
	body, err := metaobject.Encode(to, m, ref)
	return message.Request{Path: metaobject.Path(m), Body: body}, err
}
