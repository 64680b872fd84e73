package metaobject

import (
	"slices"
	"strconv"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// Code is handbill's interpretation of one of Meta's error codes.
type Code struct {
	Code   int
	Class  message.Class
	Title  string // what it reports
	Advice string // what a person can do; "" where there is nothing
	Scope  string // what it is about: account, number, recipient, message, template, flow
}

// codesSource and codesDate are the source of the table. The meaning of each code
// is Meta's; its class is derived from that. A code is in a class that means "not
// taken" only if Meta says so.
const (
	codesSource = "Meta, support/error-codes; HTTP column of the copy of 2025-12; david-lev/pywa errors.py; nyaruka/courier"
	codesDate   = "2026-09-11"
)

// Meta has a hundred codes that all mean a missing permission.
const (
	firstPermission = 200
	lastPermission  = 299
)

// Explained returns all known codes, for people to read.
func Explained() []providers.Code {
	var out []providers.Code
	for _, c := range codes() {
		last := c.Code
		if c.Code == firstPermission {
			last = lastPermission
		}
		for code := c.Code; code <= last; code++ {
			out = append(out, providers.Code{Code: strconv.Itoa(code), Class: c.Class, Title: c.Title, Advice: c.Advice,
				Source: codesSource + ", read " + codesDate})
		}
	}
	return out
}

// LookUp finds a code; ok is false for an unlisted one.
func LookUp(code int) (Code, bool) {
	if code >= firstPermission && code <= lastPermission {
		code = firstPermission
	}
	for _, c := range codes() {
		if c.Code == code {
			return c, true
		}
	}
	return Code{}, false
}

// codes returns all known codes.
func codes() []Code {
	return slices.Concat(accountCodes(), paceCodes(), recipientCodes(), messageCodes(), unclearCodes())
}

const (
	renewToken = "make a new access token and put it where access_token reads it"
	askMeta    = "open WhatsApp Manager, Account quality, and follow what it says"
)

// accountCodes halt sending: nothing will be accepted until a person acts.
func accountCodes() []Code {
	const f = message.AccountFault
	return []Code{
		{0, f, "the access token was not accepted", renewToken, "account"},
		{3, f, "the app lacks a capability or permission", "give the app whatsapp_business_messaging", "account"},
		{10, f, "a permission was not granted or was removed", "give the system user whatsapp_business_messaging for this account", "account"},
		{33, f, "the business number is deleted or unknown", "check phone_number_id", "number"},
		{190, f, "the access token has expired", renewToken, "account"},
		{200, f, "a permission is missing", "give the system user whatsapp_business_messaging for this account", "account"},
		{368, f, "the account is blocked for a time for breaking a policy", askMeta, "account"},
		{131005, f, "access denied", "give the system user the permission that WhatsApp Manager names", "account"},
		{131031, f, "the account is restricted or disabled", askMeta, "account"},
		{131037, f, "the number's display name is not approved", "have the display name approved in WhatsApp Manager", "number"},
		{131042, f, "there is a problem with the payment method", "open WhatsApp Manager, Payment settings", "account"},
		{131044, f, "the number's certificate is not signed", "register the number again in WhatsApp Manager", "number"},
		{131045, f, "the number is not registered", "register the number again", "number"},
		{131048, f, "too many messages of this number were reported as spam", "stop, look at the number's quality in WhatsApp Manager, and send to fewer people", "number"},
		{131063, f, "marketing templates are switched off for this address of the API", `write marketing_messages = "fallback" on the template_message, which sends it through Marketing Messages, or switch them on in WhatsApp Manager`, "account"},
		{131064, f, "the limit for wrongly categorised templates is reached", "wait until Meta lifts it, and correct the templates' categories", "account"},
		{132015, f, "the template is paused, or messages are held back for low quality", "edit the template or wait until Meta resumes it", "template"},
		{132016, f, "the template is disabled", "make a new template", "template"},
		{132068, f, "the flow is blocked", "fix the flow in WhatsApp Manager", "flow"},
		{132069, f, "the flow is throttled to ten messages an hour", "fix the flow in WhatsApp Manager", "flow"},
		{133005, f, "the two-step PIN is wrong", "register the number again", "number"},
		{133006, f, "the number is not verified", "verify the number", "number"},
		{133008, f, "too many wrong PINs", "wait, then register the number again", "number"},
		{133009, f, "PINs were tried too fast", "wait, then register the number again", "number"},
		{133010, f, "the number is not registered", "register the number", "number"},
		{133015, f, "the number was deleted and is not free yet", "wait 5 minutes and register it again", "number"},
		{133016, f, "the number was registered too often", "wait 72 hours", "number"},
		{134011, f, "the terms of WhatsApp Payments are not accepted", "accept them in WhatsApp Manager", "account"},
		{134102, f, "the template can't be used with Marketing Messages", "take marketing_messages out of the template_message", "template"},
		{139200, f, "direct send is not allowed for this account", "send a template", "account"},
	}
}

// paceCodes mean that the message was not taken and may be sent later.
func paceCodes() []Code {
	return []Code{
		{4, message.Throttled, "the app makes too many calls", "", "account"},
		{613, message.Throttled, "too many calls", "", "account"},
		{80007, message.Throttled, "the account makes too many calls", "", "account"},
		{130429, message.Throttled, "the number sends too fast", "lower throughput in the provider block if this repeats", "number"},
		{131056, message.PairThrottled, "this recipient got too many messages in a short time", "", "recipient"},
		{131057, message.Throttled, "the account is in maintenance", "", "account"},
		{133004, message.Throttled, "the server is unavailable for the moment", "", "account"},
		{134101, message.NotSent, "the template is still being synchronised; up to ten minutes", "", "template"},
		{2494100, message.Throttled, "the number is in maintenance", "", "number"},
	}
}

// recipientCodes are about one person.
func recipientCodes() []Code {
	const f = message.Refused
	return []Code{
		{1026, f, "the recipient's app can't show this kind of message", "", "recipient"},
		{130403, f, "the business has blocked this person", "unblock the person first", "recipient"},
		{130497, f, "the account may not message people in this country", "leave the country's recipients out of the audience", "country"},
		{130472, f, "the person is part of an experiment of Meta and gets no marketing", "", "recipient"},
		{131021, f, "sender and recipient are the same number", "", "recipient"},
		{131026, f, "undeliverable: not on WhatsApp, an old app, or terms not accepted", "", "recipient"},
		{131030, f, "the recipient is not on the test number's list", "add the recipient in the app's dashboard", "recipient"},
		{131047, message.WindowClosed, "the 24-hour window is closed", "send a template", "recipient"},
		{131049, f, "Meta chose not to deliver, to limit marketing per person", "wait at least 24 hours", "recipient"},
		{131050, message.OptedOut, "the person stopped marketing messages of this business", "", "recipient"},
		{131062, f, "this message can't go to a user id", "use the phone number: authentication templates need one", "recipient"},
		{137000, f, "the recipient's identity has changed since the hash that was sent along", "confirm who the person is, and send with the new hash", "recipient"},
		{138006, f, "the person has not allowed calls", "ask for permission to call first", "recipient"},
		{138009, f, "the person was asked for permission to call too often", "wait before asking again", "recipient"},
	}
}

// messageCodes are about the content: they would be the same for every recipient.
func messageCodes() []Code {
	const f = message.Refused
	return []Code{
		{100, f, "a parameter is wrong or not known", "", "message"},
		{131008, f, "a parameter is missing", "", "message"},
		{131009, f, "a parameter's value is not valid", "", "message"},
		{131051, f, "this kind of message is not supported", "", "message"},
		{131052, f, "the medium that a person sent could not be downloaded", "", "message"},
		{131053, f, "the medium could not be fetched or has the wrong format", "check that the link is public and its content type is right", "message"},
		{131055, f, "this address of the API does not take this message", "Marketing Messages takes marketing templates alone: take marketing_messages out of the template_message", "message"},
		{131060, f, "the message that this is about is not available", "", "message"},
		{131061, f, "a template with a maximum price can't be sent here", `write marketing_messages = "strict" on the template_message, which sends it through Marketing Messages`, "template"},
		{132000, f, "the number of parameters does not match the template", "compare the body's values with the template", "template"},
		{132001, f, "the template does not exist in this language or is not approved", "check name and language in WhatsApp Manager", "template"},
		{132005, f, "the text with its values is too long", "", "template"},
		{132007, f, "the text breaks a policy", "", "template"},
		{132012, f, "a value does not have the format that the template demands", "", "template"},
		{132018, f, "a value holds a new line, a tab or too many spaces", "", "template"},
		{134100, f, "only marketing templates can be sent here", "take marketing_messages out of the template_message, or have it approved as marketing", "template"},
		{134103, f, "Marketing Messages does not take this template", "take marketing_messages out of the template_message, or look at the template in WhatsApp Manager", "template"},
		{135000, f, "a parameter is wrong in a way that Meta does not name", "", "message"},
		{138000, f, "calls are not enabled for this number", "enable calling for the number, or leave the call out of the message", "message"},
	}
}

// unclearCodes do not say whether the message was taken. Meta's advice to try
// again does not promise that nothing was sent.
func unclearCodes() []Code {
	const f = message.Unknown
	return []Code{
		{1, f, "Meta reports an unknown error", "", "account"},
		{2, f, "Meta is overloaded or down", "", "account"},
		{131000, f, "Meta reports that something went wrong", "", "account"},
		{131016, f, "Meta's service is unavailable", "", "account"},
	}
}
