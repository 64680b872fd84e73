package metaobject

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// object is a JSON object whose members are decoded one by one, so that one bad
// member does not lose the others.
type object map[string]json.RawMessage

func toObject(raw json.RawMessage) object {
	var o object
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	return o
}

func (o object) sub(key string) object { return toObject(o[key]) }

// text returns a string member, or a number as it was written.
func (o object) text(key string) string {
	var s string
	if json.Unmarshal(o[key], &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(o[key], &n) == nil {
		return n.String()
	}
	return ""
}

// list returns the elements of an array; nil for anything else.
func (o object) list(key string) []json.RawMessage {
	var l []json.RawMessage
	if json.Unmarshal(o[key], &l) != nil {
		return nil
	}
	return l
}

// time reads Unix seconds or milliseconds, as a number or a string.
func (o object) time(key string) time.Time { return Time(o.text(key)) }

// Time reads Unix seconds, or milliseconds if the number is too large for seconds;
// zero for anything else. nyaruka/courier has seen milliseconds.
func Time(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || n <= 0 || n > 1e14:
		return time.Time{}
	case n > 1e11:
		return time.UnixMilli(n).UTC()
	}
	return time.Unix(n, 0).UTC()
}

// DecodeEnvelope reads Meta's webhook body: entries with changes. Every change
// gives at least one event; what isn't understood becomes an EventOther with the
// reason. An error means that body is not such an envelope.
func DecodeEnvelope(body []byte) ([]message.Event, error) {
	o := toObject(body)
	if o == nil {
		return nil, errors.New("the body is not a JSON object")
	}
	if _, ok := o["entry"]; !ok {
		return nil, errors.New("the body has no entry")
	}
	entries := o.list("entry")
	if entries == nil {
		return []message.Event{Other(body, "", "entry is not an array")}, nil
	}
	var events []message.Event
	for _, raw := range entries {
		events = append(events, decodeEntry(raw)...)
	}
	return events, nil
}

func decodeEntry(raw json.RawMessage) []message.Event {
	entry := toObject(raw)
	if entry == nil {
		return []message.Event{Other(raw, "", "an entry is not an object")}
	}
	changes := entry.list("changes")
	if changes == nil {
		return []message.Event{Other(raw, entry.text("field"), "an entry has no changes")}
	}
	var events []message.Event
	for _, c := range changes {
		change := toObject(c)
		value, ok := change["value"]
		if !ok {
			events = append(events, Other(c, change.text("field"), "a change has no value"))
			continue
		}
		events = append(events, DecodeChange(change.text("field"), value, entry.time("time"))...)
	}
	for i := range events {
		events[i].AccountID = entry.text("id")
		if t := events[i].Template; t != nil {
			t.Account = events[i].AccountID
		}
	}
	return events
}

// Other keeps what was not understood.
func Other(raw []byte, field, reason string) message.Event {
	return message.Event{Kind: message.EventOther, Field: field, Reason: reason, Raw: append([]byte(nil), raw...)}
}

// DecodeChange reads the value of one change. at is the time of the notice,
// for events that have none of their own.
func DecodeChange(field string, value json.RawMessage, at time.Time) []message.Event {
	v := toObject(value)
	if v == nil {
		return []message.Event{Other(value, field, "the value is not an object")}
	}
	events := decodeChange(field, value, v, at)
	number := v.sub("metadata")
	id, digits := number.text("phone_number_id"), providers.Digits(number.text("display_phone_number"))
	for i := range events {
		events[i].NumberID, events[i].Number = id, digits
	}
	return events
}

func decodeChange(field string, value json.RawMessage, v object, at time.Time) []message.Event {
	d := &decoder{field: field, value: v, contacts: v.list("contacts")}
	d.decode(value)
	for i := range d.events {
		if d.events[i].At.IsZero() {
			d.events[i].At = at
		}
	}
	if len(d.events) == 0 {
		return []message.Event{Other(value, field, fmt.Sprintf("nothing in a change of %q is known", field))}
	}
	return d.events
}

// decode reads every part that it knows. It looks at the change's field only if
// that alone decides what a message or a status is.
func (d *decoder) decode(value json.RawMessage) {
	v := d.value
	if isAccount(d.field, v) {
		d.events = append(d.events, accountUpdate(d.field, v, value))
		return
	}
	d.apart()
	switch d.field {
	case "smb_message_echoes":
		d.each("messages", d.echo)
	case "history": // media of old chats come outside their chats
		d.tally("messages", "media", ofOldChats)
	default:
		d.each("messages", d.inbound)
	}
	if d.field == "calls" {
		d.each("statuses", d.call)
	} else {
		d.each("statuses", d.status)
	}
	d.each("user_preferences", d.preference)
	d.each("user_id_update", d.identity)
	d.each("errors", d.fault)
	if d.field == "errors" && v["code"] != nil {
		d.events = append(d.events, d.fault(v, value))
	}
}

// accountFields are notices about the account, its numbers and templates.
// Source: Meta, webhooks/reference, 2026-09-11.
var accountFields = map[string]bool{
	"account_alerts": true, "account_offboarded": true, "account_reconnected": true, "account_review_update": true,
	"account_settings_update": true, "account_update": true, "automatic_events": true,
	"business_capability_update": true, "business_status_update": true, "business_username_update": true,
	"business_username_updates": true, "flows": true, "message_template_components_update": true,
	"message_template_quality_update": true, "message_template_status_update": true, "partner_solutions": true,
	"payment_configuration_update": true, "phone_number_name_update": true, "phone_number_quality_update": true,
	"security": true, "template_category_update": true, "template_correct_category_detection": true,
	"template_performance_metrics": true,
}

// isAccount reports whether a change is such a notice. In Meta's samples, notices
// about templates have other field names, so their content is checked too.
func isAccount(field string, v object) bool {
	if v["statuses"] != nil || v["messages"] != nil {
		return false
	}
	return accountFields[field] || v["message_template_id"] != nil
}

func accountUpdate(field string, v object, value json.RawMessage) message.Event {
	return message.Event{Kind: message.EventAccount, Field: field, Title: accountTitle(v), Raw: append([]byte(nil), value...), Template: templateNotice(v),
		Limit: Tier(v.text("max_daily_conversations_per_business"))}
}

var tierForm = regexp.MustCompile(`^(?:TIER_)?([1-9][0-9]{0,8})(K?)$`)

// Tier returns how many people a messaging limit allows in 24 hours. It reads
// "TIER_2K", "TIER_250", "2000" and "TIER_UNLIMITED"; -1 means no limit, and 0 an
// unknown word.
// Source: Meta, messaging-limits, 2026-09-11.
func Tier(s string) int {
	s = strings.ToUpper(s)
	if s == "TIER_UNLIMITED" || s == "UNLIMITED" || s == "-1" {
		return -1
	}
	found := tierForm.FindStringSubmatch(s)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		return 0
	}
	if found[2] == "K" {
		n *= 1000
	}
	return n
}

// accountTitle summarises a notice in a few words.
func accountTitle(v object) string {
	var words []string
	for _, key := range []string{"event", "message_template_name", "message_template_language", "reason",
		"previous_quality_score", "new_quality_score", "previous_category", "new_category", "correct_category", "current_limit",
		"max_daily_conversations_per_business", "alert_type", "decision"} {
		if t := v.text(key); t != "" {
			words = append(words, t)
		}
	}
	return providers.Safe(strings.Join(words, " "), nil)
}

type decoder struct {
	field    string
	value    object
	contacts []json.RawMessage
	events   []message.Event
}

// each decodes the elements of an array; one that is no object is kept.
func (d *decoder) each(key string, decode func(object, json.RawMessage) message.Event) {
	raw, ok := d.value[key]
	if !ok || string(raw) == "null" {
		return
	}
	list := d.value.list(key)
	if list == nil {
		d.events = append(d.events, Other(raw, d.field, key+" is not an array"))
	}
	for _, element := range list {
		o := toObject(element)
		if o == nil {
			d.events = append(d.events, Other(element, d.field, "an element of "+key+" is not an object"))
			continue
		}
		d.events = append(d.events, decode(o, element))
	}
}

// Statuses turns the word of a status into a rank or a failure; ok is false for a
// word that says nothing about the delivery. "viewed" and "undelivered" are 1msg's
// words, "not-sent" is Kaleyra's.
func Statuses(word string) (rank message.Rank, failed, ok bool) {
	switch strings.ToLower(strings.ReplaceAll(word, "_", "-")) {
	case "sent":
		return message.RankSent, false, true
	case "delivered":
		return message.RankDelivered, false, true
	case "read", "viewed":
		return message.RankRead, false, true
	case "played":
		return message.RankPlayed, false, true
	case "failed", "not-sent", "undelivered":
		return message.RankNone, true, true
	}
	return message.RankNone, false, false
}

func (d *decoder) status(o object, raw json.RawMessage) message.Event {
	if o.text("recipient_type") == "group" {
		return d.groupStatus(o)
	}
	rank, failed, ok := Statuses(o.text("status"))
	if !ok {
		return Other(raw, d.field, fmt.Sprintf("a status of %q is not known", o.text("status")))
	}
	e := message.Event{
		Kind: message.EventStatus, ID: providers.ID(o.text("id")), At: o.time("timestamp"), Ref: o.text("biz_opaque_callback_data"),
		From: address(o.text("recipient_id"), o.text("recipient_user_id")), Rank: rank, Failed: failed, Billing: billing(o.sub("pricing")),
	}
	if e.ID == "" && e.Ref == "" {
		return Other(raw, d.field, "a status names no message")
	}
	e.Parent = o.text("parent_recipient_user_id")
	if failed {
		e.Code, e.Title = firstError(o.list("errors"))
	}
	return e
}

// billing reads a status's pricing; nil if it has none. Meta is removing billable;
// without it the type decides: whatever is not free is billed.
// Source: Meta, webhooks/reference/messages/status, 2026-09-11.
func billing(o object) *message.Billing {
	if len(o) == 0 {
		return nil
	}
	b := &message.Billing{Model: strings.ToUpper(word(o.text("pricing_model"))), Type: word(o.text("type"))}
	if b.Category = word(o.text("category")); b.Category == "" {
		b.Category = message.UnknownWord
	}
	var said *bool
	if json.Unmarshal(o["billable"], &said) != nil || said == nil {
		b.Billable = !strings.HasPrefix(b.Type, "free_")
	} else {
		b.Billable = *said
	}
	return b
}

// wordForm matches Meta's names, such as "marketing_lite" and
// "authentication-international". Other text is dropped: it may hold anything.
var wordForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// word returns one of Meta's names in lower case, or "" for anything else.
func word(s string) string {
	if s = strings.ToLower(s); s == "" || wordForm.MatchString(s) {
		return s
	}
	return message.UnknownWord
}

// firstError returns the code and title of the first error; for a known code the
// title is ours.
func firstError(list []json.RawMessage) (code, title string) {
	for _, raw := range list {
		var e Error
		if json.Unmarshal(raw, &e) == nil && (e.Code >= 0 || e.Message != "") {
			return codeAndTitle(e)
		}
	}
	return "", ""
}

func codeAndTitle(e Error) (code, title string) {
	words := providers.Safe(e.Message, nil)
	if e.Code < 0 {
		return "", words
	}
	if c, ok := LookUp(e.Code); ok {
		return strconv.Itoa(e.Code), c.Title
	}
	return strconv.Itoa(e.Code), words
}

func (d *decoder) fault(_ object, raw json.RawMessage) message.Event {
	code, title := firstError([]json.RawMessage{raw})
	return message.Event{Kind: message.EventAccount, Field: "errors", Code: code, Title: title, Raw: append([]byte(nil), raw...)}
}

// preference reads a choice that a person made in WhatsApp itself. Any stop opts
// out; only a choice about marketing opts in.
// Source: Meta, webhooks/reference/user_preferences, 2026-05-21.
func (d *decoder) preference(o object, raw json.RawMessage) message.Event {
	value, category := strings.ToLower(o.text("value")), o.text("category")
	from := address(o.text("wa_id"), o.text("user_id"))
	stop := value == "stop"
	switch in := value == "resume" || value == "signup"; {
	case from.Key() == "":
		return Other(raw, d.field, "a preference names nobody")
	case !stop && !in:
		return Other(raw, d.field, "a preference says neither stop, resume nor signup")
	case in && category != "marketing_messages":
		return Other(raw, d.field, "a preference opts in to something else than marketing messages")
	}
	return message.Event{Kind: message.EventPreference, At: o.time("timestamp"), From: from,
		Parent: o.text("parent_user_id"), OptOut: stop, Category: category}
}

func (d *decoder) identity(o object, raw json.RawMessage) message.Event {
	ids := o.sub("user_id")
	old, now := ids.text("previous"), ids.text("current")
	if now == "" {
		return Other(raw, d.field, "a change of user id does not name the new one")
	}
	phone, parent := o.text("wa_id"), o.sub("parent_user_id")
	return message.Event{
		Kind: message.EventIdentity, At: o.time("timestamp"),
		From: address(phone, old), Parent: parent.text("previous"),
		NewAddress: address(phone, now), NewParent: parent.text("current"),
	}
}

// address makes an Address from a WhatsApp id and a user id. For a person whose
// number is hidden, the WhatsApp id may hold a user id too.
func address(waID, userID string) message.Address {
	digits := strings.TrimPrefix(waID, "+")
	if digits == "" {
		return message.Address{UserID: userID}
	}
	if strings.Trim(digits, "0123456789") != "" {
		if userID == "" {
			userID = waID
		}
		return message.Address{UserID: userID}
	}
	return message.Address{Phone: "+" + digits, UserID: userID}
}
