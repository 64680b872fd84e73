package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// Mark says how the business marked a message that a person wrote.
type Mark struct {
	Read   bool // the message is marked as read
	Typing bool // an answer was announced
}

// Marked returns the mark of the inbound message with that id.
func (s *Sandbox) Marked(id string) Mark {
	s.chats.mu.Lock()
	defer s.chats.mu.Unlock()
	return s.chats.marks[id]
}

// mark records a mark on a message that a person wrote to the number; false when
// there is no such message.
func (c *chats) mark(num *number, id string, typing bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for el := c.order.Front(); el != nil; el = el.Next() {
		ch := el.Value.(*chat)
		if ch.num != num {
			continue
		}
		for i := range ch.bubbles {
			if b := &ch.bubbles[i]; b.id == id && !b.out {
				m := c.marks[id]
				c.marks[id] = Mark{Read: true, Typing: m.Typing || typing}
				return true
			}
		}
	}
	return false
}

// sendOrRead handles a POST to messages: a send, or the mark of an inbound message
// as read. Source: Meta, messages/mark-message-as-read, typing-indicators, read
// 2026-09-11.
func (s *Sandbox) sendOrRead(w http.ResponseWriter, r *http.Request, num *number) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err == nil && bytes.Contains(body, []byte(`"status"`)) && s.read(w, num, body) {
		return
	}
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	s.send(w, r, num, s.meta(), func(b []byte) (*outbound, *refusal) { return decodeObject(b, false) })
}

// failing is a reader that returns err, which another reader returned before.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// read answers a body that marks a message as read; false when it is another body.
func (s *Sandbox) read(w http.ResponseWriter, num *number, body []byte) bool {
	var named struct {
		Status *string `json:"status"`
	}
	if json.Unmarshal(body, &named) != nil || named.Status == nil {
		return false
	}
	var in struct {
		Product   string `json:"messaging_product"`
		Status    string `json:"status"`
		MessageID string `json:"message_id"`
		Typing    *struct {
			Type string `json:"type"`
		} `json:"typing_indicator"`
	}
	bad := strict(body, &in, "message")
	switch {
	case bad != nil:
	case in.Product != "whatsapp":
		bad = required("messaging_product")
	case in.Status != "read":
		bad = invalid("status must be read")
	case in.MessageID == "":
		bad = required("message_id")
	case in.Typing != nil && in.Typing.Type != "text":
		bad = invalid("typing_indicator type must be text")
	case !s.chats.mark(num, in.MessageID, in.Typing != nil):
		bad = &refusal{code: 100, param: "Invalid parameter", details: "there is no message of this id"}
	}
	if bad != nil {
		s.meta().refused(bad).write(w)
		return true
	}
	jsonAnswer(http.StatusOK, map[string]bool{"success": true}).write(w)
	return true
}

// oneMsgRead is 1msg's method to mark a message as read. Source: OpenAPI 2.39,
// read 2026-11-20.
func (s *Sandbox) oneMsgRead(w http.ResponseWriter, r *http.Request, num *number) {
	var in struct {
		MessageID string `json:"messageId"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil || strict(body, &in, "message") != nil || !s.chats.mark(num, in.MessageID, false) {
		jsonAnswer(http.StatusBadRequest, map[string]string{"error": "Message is not found"}).write(w)
		return
	}
	jsonAnswer(http.StatusOK, map[string]any{"result": "success"}).write(w)
}
