package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// oneMsgWire is 1msg's answer format: a refusal is usually a 200 with
// sent:false. Source: 1msg OpenAPI 2.39 and SDK 1.0.0, n8n node, read
// 2026-11-20.
type oneMsgWire struct{ key uint64 }

func (oneMsgWire) late() bool { return false }

func (ow oneMsgWire) accepted(o *outbound, m receipt) answer {
	chat := chatID(o.to)
	if m.queued {
		return jsonAnswer(http.StatusOK, map[string]any{"sent": false, "jobId": kaleyraID(ow.key, m.n), "message": "Message is queued"})
	}
	out := map[string]any{"sent": true, "message": "Sent to " + chat, "description": "Message has been sent to the provider"}
	if !m.noID {
		out["id"] = m.id
	}
	return jsonAnswer(http.StatusOK, out)
}

// chatID is 1msg's name of a conversation.
func chatID(to string) string {
	if isUserID(to) {
		return to + "@lid"
	}
	return to + "@c.us"
}

func (oneMsgWire) refused(r *refusal) answer {
	switch {
	case r.word == "blocked":
		return answer{status: http.StatusForbidden, typ: "text/plain; charset=utf-8", body: []byte("Channel is blocked: subscriptionBlocked")}
	case r.word != "":
		return jsonAnswer(http.StatusOK, map[string]any{"sent": false, "message": r.word})
	case r.code == 131047:
		return jsonAnswer(http.StatusBadRequest, map[string]any{"sent": false, "message": "Dialog window is closed"})
	case r.code == 130429:
		return jsonAnswer(http.StatusTooManyRequests, map[string]any{"error": "Too many requests"})
	case r.code == 100:
		return jsonAnswer(http.StatusBadRequest, map[string]any{"error": r.text()})
	case r.code == 190 || r.code == 0:
		return jsonAnswer(http.StatusUnauthorized, map[string]any{"error": "Wrong token. Please provide token as a GET parameter."})
	case r.code == 132001:
		return jsonAnswer(http.StatusOK, map[string]any{"sent": false, "message": "template is not defined", "error": r.text()})
	}
	return jsonAnswer(http.StatusOK, map[string]any{"sent": false, "message": r.text(), "error": map[string]any{
		"code": r.code, "message": r.text(), "error_user_title": r.title(), "error_user_msg": r.details,
	}})
}

func (s *Sandbox) routeOneMsg(mux *http.ServeMux) {
	wr := oneMsgWire{s.key}
	mux.HandleFunc("POST /onemsg/{channel}/{method}", s.oneMsgAuth(func(w http.ResponseWriter, r *http.Request, num *number) {
		method := r.PathValue("method")
		switch translate, known := oneMsgMethods[method]; {
		case known:
			s.send(w, r, num, wr, func(b []byte) (*outbound, *refusal) { return decodeOneMsg(b, translate) })
		case method == "readMessage":
			s.oneMsgRead(w, r, num)
		case method == "webhook":
			setOneMsgWebhook(w, r, num)
		case method == "settings":
			setOneMsgSettings(w, r, num)
		case method == "addTemplate":
			s.oneMsgCreate(w, r)
		case method == "removeTemplate":
			s.oneMsgDelete(w, r)
		case method == "uploadMedia":
			jsonAnswer(http.StatusOK, map[string]string{"mediaId": s.mediaID()}).write(w)
		default:
			jsonAnswer(http.StatusNotFound, map[string]string{"error": "Method not found"}).write(w)
		}
	}))
	mux.HandleFunc("GET /onemsg/{channel}/{method}", s.oneMsgAuth(func(w http.ResponseWriter, r *http.Request, num *number) {
		switch r.PathValue("method") {
		case "hookInfo":
			s.hookInfo(w, r)
		case "status":
			jsonAnswer(http.StatusOK, map[string]any{"accountStatus": "connected", "status": "connected"}).write(w)
		case "me":
			jsonAnswer(http.StatusOK, map[string]any{"id": num.display + "@c.us", "name": "Sandbox", "phone": num.display}).write(w)
		case "webhook":
			getOneMsgWebhook(w, num)
		case "settings":
			getOneMsgSettings(w, num)
		case "templates":
			s.oneMsgTemplates(w)
		default:
			jsonAnswer(http.StatusNotFound, map[string]string{"error": "Method not found"}).write(w)
		}
	}))
	mux.HandleFunc("/onemsg/", func(w http.ResponseWriter, _ *http.Request) {
		jsonAnswer(http.StatusNotFound, map[string]string{"error": "Method not found"}).write(w)
	})
}

// oneMsgAuth takes the token from the header or, as the older API did, from
// the query; copies that differ are refused.
func (s *Sandbox) oneMsgAuth(next func(http.ResponseWriter, *http.Request, *number)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		query := r.URL.Query().Get("token")
		token := header
		if token == "" {
			token = query
		}
		if s.badToken(token) || (header != "" && query != "" && header != query) {
			jsonAnswer(http.StatusUnauthorized, map[string]string{"error": fmt.Sprintf(
				"Wrong token %q for channel %q. Please provide token as a GET parameter.", token, r.PathValue("channel"))}).write(w)
			return
		}
		next(w, r, s.number(OneMsg, r.PathValue("channel")))
	}
}

func (s *Sandbox) hookInfo(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("messageId")
	hooks := []map[string]any{}
	to, steps, _ := s.History(id)
	for _, st := range steps {
		h := map[string]any{"id": id, "type": "message", "status": st.Word, "timestamp": fmt.Sprint(st.At.Unix()), "recipient_id": to}
		if st.Code != 0 {
			h["errors"] = []map[string]any{{"code": st.Code, "title": (&refusal{code: st.Code}).title()}}
		}
		hooks = append(hooks, h)
	}
	jsonAnswer(http.StatusOK, map[string]any{"hooks": hooks}).write(w)
}

const maxOneMsgWebhooks = 5

func setOneMsgWebhook(w http.ResponseWriter, r *http.Request, num *number) {
	var in struct {
		URL json.RawMessage `json:"webhookUrl"`
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	if err != nil || json.Unmarshal(b, &in) != nil {
		jsonAnswer(http.StatusBadRequest, map[string]string{"error": "webhookUrl is required"}).write(w)
		return
	}
	urls, ok := webhookURLs(in.URL)
	if !ok {
		jsonAnswer(http.StatusBadRequest, map[string]string{"error": "webhookUrl must be one to five URLs"}).write(w)
		return
	}
	var ts []WebhookTarget
	for _, u := range urls {
		ts = append(ts, WebhookTarget{Provider: OneMsg, URL: u})
	}
	num.register(ts)
	jsonAnswer(http.StatusOK, map[string]any{"set": true, "message": strings.Join(urls, ",")}).write(w)
}

// webhookURLs reads one URL or a list; an empty string clears the list.
func webhookURLs(raw json.RawMessage) ([]string, bool) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		if one == "" {
			return nil, true
		}
		return []string{one}, isWebURL(one)
	}
	var many []string
	if json.Unmarshal(raw, &many) != nil || len(many) > maxOneMsgWebhooks {
		return nil, false
	}
	for _, u := range many {
		if !isWebURL(u) {
			return nil, false
		}
	}
	return many, true
}

func getOneMsgWebhook(w http.ResponseWriter, num *number) {
	urls := []string{}
	ts, _ := num.registered()
	for _, t := range ts {
		urls = append(urls, t.URL)
	}
	jsonAnswer(http.StatusOK, map[string]any{"webhookUrl": urls}).write(w)
}

func setOneMsgSettings(w http.ResponseWriter, r *http.Request, num *number) {
	var in struct {
		Acks *bool `json:"ackNotificationsOn"`
		Raw  *bool `json:"rawHooks"`
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	if err != nil || json.Unmarshal(b, &in) != nil {
		jsonAnswer(http.StatusBadRequest, map[string]string{"error": "settings must be a JSON object"}).write(w)
		return
	}
	num.mu.Lock()
	if in.Acks != nil {
		num.acks = *in.Acks
	}
	if in.Raw != nil {
		num.raw = *in.Raw
	}
	num.mu.Unlock()
	getOneMsgSettings(w, num)
}

func getOneMsgSettings(w http.ResponseWriter, num *number) {
	num.mu.Lock()
	out := map[string]any{"ackNotificationsOn": num.acks, "rawHooks": num.raw, "guaranteedHooks": true}
	num.mu.Unlock()
	jsonAnswer(http.StatusOK, out).write(w)
}
