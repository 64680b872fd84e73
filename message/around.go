package message

// Around is what any kind of message can have besides its content. The zero value
// is empty.
type Around struct {
	Envelope *Envelope `json:"envelope,omitempty"`
}

// Envelope is data of one send that is not content. Its texts may have slots, like
// those of the message.
type Envelope struct {
	// Quote is the provider's id of an earlier message in the same chat, which
	// the phone shows above this one. Empty quotes nothing.
	Quote string `json:"quote,omitempty"`
	// IdentityKeyHash is the hash of the recipient's identity that the business
	// saw last: WhatsApp refuses the message (137000) where the person behind the
	// number has changed since. Empty checks nothing.
	IdentityKeyHash string `json:"identity_key_hash,omitempty"`
}

func (a *Around) around() *Around { return a }

// EnvelopeOf returns the envelope of m; the zero value if it has none.
func EnvelopeOf(m Message) Envelope {
	if e := m.around().Envelope; e != nil {
		return *e
	}
	return Envelope{}
}

// SetEnvelope sets the envelope of m; the zero value removes it.
func SetEnvelope(m Message, e Envelope) {
	m.around().Envelope = nil
	if e != (Envelope{}) {
		m.around().Envelope = &e
	}
}

// visitAll visits every text of m, then those of its envelope. Without an envelope
// nothing more is visited, so that digests are the same as before envelopes
// existed.
func visitAll(m Message, v *visitor) {
	m.fields(v)
	if e := m.around().Envelope; e != nil {
		v.add(QuotePath, &e.Quote, Field{Type: FieldID, Limit: "quote", Optional: true})
		v.add(IdentityKeyHashPath, &e.IdentityKeyHash, Field{Type: FieldID, Limit: "identity_key_hash", Optional: true})
	}
}

// The paths of an envelope's texts.
const (
	QuotePath           = "quote"
	IdentityKeyHashPath = "identity_key_hash"
)

// Clone copies m deeply.
func Clone(m Message) Message {
	c := m.clone()
	*c.around() = Around{Envelope: shallow(m.around().Envelope)}
	return c
}

// envelope adds the rules for the envelope of m.
func (b *builder) envelope(m Message) {
	e := m.around().Envelope
	if e == nil {
		return
	}
	switch m.Kind() {
	case KindReaction:
		b.forbid("quote.reaction", "A reaction names its message already and can't quote another. Leave quote out.", &e.Quote)
	case KindTemplate:
		const detail = "WhatsApp shows no quotation above a template. Send a message of another kind within the 24-hour window, or leave quote out."
		b.add(&presenceRule{relation: b.relation("quote.template", Warning, detail, &e.Quote), forbidden: true})
	}
}
