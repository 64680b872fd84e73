package metaobject

import (
	"github.com/handbill/handbill/message"
)

// AppendContacts appends contact cards as the array of Meta's message object and
// of formats derived from it.
// Source: Meta, messages/contacts-messages, 2026-09-11.
func AppendContacts(dst []byte, cards []message.ContactCard) []byte {
	w := &writer{}
	w.Open('[')
	for i := range cards {
		w.card(&cards[i])
	}
	w.Close(']')
	return append(dst, w.Bytes()...)
}

func (w *writer) card(c *message.ContactCard) {
	w.Open('{')
	w.group("name", pairs{
		{"formatted_name", c.FormattedName}, {"first_name", c.FirstName}, {"last_name", c.LastName},
		{"middle_name", c.MiddleName}, {"prefix", c.Prefix}, {"suffix", c.Suffix},
	})
	w.Optional("birthday", c.Birthday)
	w.group("org", pairs{{"company", c.Company}, {"department", c.Department}, {"title", c.JobTitle}})
	groups(w, "phones", c.Phones, func(p message.ContactPhone) pairs {
		return pairs{{"phone", p.Phone}, {"wa_id", p.WaID}, {"type", p.Type}}
	})
	groups(w, "emails", c.Emails, func(e message.ContactEmail) pairs {
		return pairs{{"email", e.Email}, {"type", e.Type}}
	})
	groups(w, "urls", c.URLs, func(u message.ContactURL) pairs {
		return pairs{{"url", u.URL}, {"type", u.Type}}
	})
	groups(w, "addresses", c.Addresses, func(a message.ContactAddress) pairs {
		return pairs{
			{"street", a.Street}, {"city", a.City}, {"state", a.State}, {"zip", a.Zip},
			{"country", a.Country}, {"country_code", a.CountryCode}, {"type", a.Type},
		}
	})
	w.Close('}')
}

// pairs are keys and strings; empty strings are left out.
type pairs [][2]string

// group writes an object of the pairs, or nothing where all are empty.
func (w *writer) group(key string, p pairs) {
	for _, pair := range p {
		if pair[1] != "" {
			w.Key(key)
			w.pairs(p)
			return
		}
	}
}

func (w *writer) pairs(p pairs) {
	w.Open('{')
	for _, pair := range p {
		w.Optional(pair[0], pair[1])
	}
	w.Close('}')
}

func groups[T any](w *writer, key string, list []T, of func(T) pairs) {
	if len(list) == 0 {
		return
	}
	w.Begin(key, '[')
	for _, e := range list {
		w.pairs(of(e))
	}
	w.Close(']')
}
