package metaobject

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

var codeInText = regexp.MustCompile(`\(#([0-9]+)\)`)

// DecodeHistory reads the answer of message_history for one message.
// Source: Meta's OpenAPI v23.0.
func DecodeHistory(body []byte, messageID string) ([]message.Event, error) {
	var answer struct {
		Data []struct {
			MessageID string `json:"message_id"`
			Events    struct {
				Data []struct {
					Status    string      `json:"delivery_status"`
					Timestamp json.Number `json:"timestamp"`
					Error     string      `json:"error_description"`
				} `json:"data"`
			} `json:"events"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, errors.New("the message history is not JSON of the documented form")
	}
	var events []message.Event
	for _, m := range answer.Data {
		if m.MessageID != messageID {
			continue
		}
		for _, step := range m.Events.Data {
			e := message.Event{Kind: message.EventStatus, ID: messageID, At: Time(step.Timestamp.String())}
			var ok bool
			if e.Rank, e.Failed, ok = Statuses(step.Status); !ok {
				continue // DELETED and unknown words say nothing about the delivery
			}
			if e.Failed {
				e.Code, e.Title = historyError(step.Error)
			}
			events = append(events, e)
		}
	}
	return events, nil
}

func historyError(text string) (code, title string) {
	title = providers.Safe(text, nil)
	found := codeInText.FindStringSubmatch(text)
	if found == nil {
		return "", title
	}
	if n, err := strconv.Atoi(found[1]); err == nil {
		if c, ok := LookUp(n); ok {
			title = c.Title
		}
	}
	return found[1], title
}
