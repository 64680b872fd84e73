package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// kaleyraWire is Kaleyra's v2 answer format. Kaleyra accepts everything that has
// the right shape; Meta's verdict comes by callback. Source: Kaleyra, "Send
// interactive list messages" and error codes of v2, read 2026-11-20.
type kaleyraWire struct{ key uint64 }

func (kaleyraWire) late() bool { return true }

type kaleyraAnswer struct {
	Code    string            `json:"code"`
	Message string            `json:"message"`
	Data    json.RawMessage   `json:"data"`
	Error   map[string]string `json:"error"`
}

func (kw kaleyraWire) accepted(_ *outbound, m receipt) answer {
	data := json.RawMessage(`{}`)
	if !m.noID {
		data = json.RawMessage(`{"message_id":"` + kaleyraID(kw.key, m.n) + `"}`)
	}
	return jsonAnswer(http.StatusAccepted, kaleyraAnswer{"WA202", "Request Accepted", data, map[string]string{}})
}

// kaleyraID is Kaleyra's own id of message n, a UUID.
func kaleyraID(key uint64, n uint32) string {
	a, b := mix(uint64(n), key), mix(uint64(n), ^key)
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// kaleyraCode is one of Kaleyra's own refusals.
type kaleyraCode struct {
	http    int
	message string
	field   string
	list    bool // data is [] instead of {}
}

var kaleyraCodes = map[string]kaleyraCode{
	"RBC001":  {401, "Incorrect SID or API key.", "error", true},
	"WA400":   {400, "Refer to correct payload format", "payload", false},
	"WA401":   {401, "Phone number is not present or does not belong to the account.", "phone_number", false},
	"WA-401":  {401, "API is not available for given customer.Please contact support for more info", "account", false},
	"WA500":   {500, "Please try again later", "error", false},
	"E110":    {400, "Please check your balance, You have a low balance!", "balance", false},
	"WAV2101": {400, "Account daily limit reached", "account", false},
	// Not documented: Kaleyra names no rate limit, but a proxy in front may have one.
	"WA429": {429, "Too many requests", "error", false},
}

func (kw kaleyraWire) refused(r *refusal) answer {
	word := r.word
	if word == "" {
		word = "WA400"
		if r.code == 130429 || r.http == http.StatusTooManyRequests {
			word = "WA429"
		}
	}
	c, known := kaleyraCodes[word]
	if !known {
		c = kaleyraCode{http: http.StatusBadRequest, message: r.details, field: "error"}
	}
	detail := c.message
	switch {
	case word == "WA400":
		detail = "Incorrect payload format"
	case word == "WA500":
		detail = "Internal server error"
	}
	data := json.RawMessage(`{}`)
	if c.list {
		data = json.RawMessage(`[]`)
	}
	return jsonAnswer(c.http, kaleyraAnswer{word, c.message, data, map[string]string{c.field: detail}})
}

func (s *Sandbox) routeKaleyra(mux *http.ServeMux) {
	wr := kaleyraWire{s.key}
	mux.HandleFunc("POST /kaleyra/v2/{sid}/whatsapp/{number}/messages", func(w http.ResponseWriter, r *http.Request) {
		if s.badToken(r.Header.Get("api-key")) || s.badToken(r.PathValue("sid")) {
			wr.refused(&refusal{word: "RBC001"}).write(w)
			return
		}
		number := digitsOf(r.PathValue("number"))
		if len(number) < 7 || len(number) > 15 {
			wr.refused(&refusal{word: "WA401"}).write(w)
			return
		}
		s.send(w, r, s.number(Kaleyra, number), wr, decodeKaleyra)
	})
	mux.HandleFunc("/kaleyra/", func(w http.ResponseWriter, _ *http.Request) {
		a := wr.refused(&refusal{word: "WA400"})
		a.status = http.StatusNotFound
		a.write(w)
	})
}

// decodeKaleyra unwraps Meta's message from Kaleyra's body.
func decodeKaleyra(body []byte) (*outbound, *refusal) {
	var in struct {
		Object json.RawMessage `json:"messaging_object"`
		Extra  struct {
			Ref     string `json:"ref"`
			Ref1    string `json:"ref1"`
			Ref2    string `json:"ref2"`
			Source  string `json:"wa_source"`
			Profile string `json:"callback_profile_id"`
		} `json:"extra_info"`
		Profile string `json:"callback_profile_id"`
	}
	if r := strict(body, &in, "payload"); r != nil {
		return nil, r
	}
	if in.Object == nil {
		return nil, required("messaging_object")
	}
	for _, ref := range []string{in.Extra.Ref, in.Extra.Ref1, in.Extra.Ref2} {
		if length(ref) > maxRef {
			return nil, &refusal{code: 100, param: "extra_info refs have at most 255 characters"}
		}
	}
	o, r := decodeObject(in.Object, false)
	if r != nil {
		return nil, r
	}
	if in.Extra.Ref != "" {
		o.ref = in.Extra.Ref
	}
	o.refs = [2]string{in.Extra.Ref1, in.Extra.Ref2}
	o.to = strings.TrimPrefix(o.to, "+")
	return o, nil
}
