package sandbox

import (
	"container/list"
	"encoding/json"
	"sync"
	"time"
)

// maxBubbles is how many messages one chat keeps.
const maxBubbles = 60

// bubble is one message in a chat.
type bubble struct {
	id      string
	at      time.Time
	out     bool // from the business
	kind    string
	typ     string
	context string
	content json.RawMessage
	in      Inbound
}

// chat is what one phone shows of one business number.
type chat struct {
	num     *number
	user    string
	name    string
	bubbles []bubble
	version uint64
}

// chats keeps the most recently used conversations.
type chats struct {
	mu    sync.Mutex
	limit int
	byKey map[string]*list.Element
	order *list.List // of *chat, last used first
	count uint64
	marks map[string]Mark // by the id of a message that came in
}

func newChats(limit int) *chats {
	return &chats{limit: limit, byKey: map[string]*list.Element{}, order: list.New(), marks: map[string]Mark{}}
}

func chatKey(num *number, user string) string {
	return string(num.provider) + "/" + num.id + "/" + user
}

func (c *chats) add(num *number, user, name string, b bubble) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.open(num, user)
	if name != "" {
		ch.name = name
	}
	if len(ch.bubbles) == maxBubbles {
		delete(c.marks, ch.bubbles[0].id)
		ch.bubbles = append(ch.bubbles[:0], ch.bubbles[1:]...)
	}
	ch.bubbles = append(ch.bubbles, b)
	c.count++
	ch.version = c.count
}

// open finds or makes the chat and moves it to the front.
func (c *chats) open(num *number, user string) *chat {
	key := chatKey(num, user)
	if el, ok := c.byKey[key]; ok {
		c.order.MoveToFront(el)
		return el.Value.(*chat)
	}
	ch := &chat{num: num, user: user}
	c.byKey[key] = c.order.PushFront(ch)
	if c.order.Len() > c.limit {
		last := c.order.Back()
		old := c.order.Remove(last).(*chat)
		delete(c.byKey, chatKey(old.num, old.user))
		for _, b := range old.bubbles {
			delete(c.marks, b.id)
		}
	}
	return ch
}

func (c *chats) sent(num *number, o *outbound, m receipt, now time.Time) {
	c.add(num, o.to, "", bubble{id: m.id, at: now, out: true, kind: o.kind, typ: o.typ, context: o.context, content: o.content})
}

func (c *chats) received(num *number, in Inbound, id string, now time.Time) {
	c.add(num, in.From, in.Name, bubble{id: id, at: now, kind: in.Type, typ: in.Type, context: in.Context, in: in})
}

// latest copies the n chats used last.
func (c *chats) latest(n int) []chat {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []chat
	for el := c.order.Front(); el != nil && len(out) < n; el = el.Next() {
		out = append(out, el.Value.(*chat).copied())
	}
	return out
}

// one copies a chat; an unknown one is empty.
func (c *chats) one(num *number, user string) chat {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byKey[chatKey(num, user)]; ok {
		return el.Value.(*chat).copied()
	}
	return chat{num: num, user: user}
}

func (c *chat) copied() chat {
	out := *c
	out.bubbles = append([]bubble(nil), c.bubbles...)
	return out
}
