package kaleyra

import (
	"errors"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// Encode wraps Meta's message object; ref goes into extra_info.ref, which
// comes back in callbacks.
func (p *Provider) Encode(to message.Address, m message.Message, ref string) (message.Request, error) {
	if metaobject.Path(m) != "/messages" {
		return message.Request{}, errors.New("Kaleyra has no address for Marketing Messages")
	}
	object, err := metaobject.Encode(to, m, "")
	if err != nil {
		return message.Request{}, err
	}
	w := &providers.Writer{}
	w.Open('{')
	w.Key("messaging_object")
	w.Raw(string(object))
	p.extra(w, ref)
	w.Optional("callback_profile_id", p.config.CallbackProfileID)
	w.Close('}')
	return message.Request{Path: "/messages", Body: w.Bytes()}, nil
}

func (p *Provider) extra(w *providers.Writer, ref string) {
	c := &p.config
	if ref == "" && c.Ref1 == "" && c.Ref2 == "" && c.Source == "" {
		return
	}
	w.Begin("extra_info", '{')
	w.Optional("ref", ref)
	w.Optional("ref1", c.Ref1)
	w.Optional("ref2", c.Ref2)
	w.Optional("wa_source", c.Source)
	w.Close('}')
}
