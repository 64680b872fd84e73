package delivery

// Reason is why a recipient of a campaign gets nothing, or not yet: in plans,
// in apply's report and in the counts of a run. The zero value says nothing.
// Its text and its JSON are the word itself, such as "opted_out". Every Gate is
// a Reason, see Gate.Reason; the others are below.
type Reason string

// Why a plan leaves a recipient out.
const (
	ReasonNone            Reason = ""
	ReasonUnreadableRow   Reason = "unreadable_row"      // the contacts have a row that cannot be read
	ReasonEvaluation      Reason = "evaluation"          // an expression has no value for the row
	ReasonNotTargeted     Reason = "not_targeted"        // -target or -exclude leaves the recipient out
	ReasonInvalidPhone    Reason = "invalid_phone"       // the value is not a phone number
	ReasonExcluded        Reason = "excluded"            // an excluded audience has the recipient
	ReasonDuplicate       Reason = "duplicate"           // the recipient has an earlier row
	ReasonDuplicatePerson Reason = "duplicate_person"    // the person has an earlier row, under another id
	ReasonPhoneNeeded     Reason = "phone_needed"        // the template goes to phone numbers only
	ReasonCountry         Reason = "unreachable_country" // WhatsApp has no business messages there
	ReasonUSMarketing     Reason = "us_marketing"        // no marketing templates to numbers of the United States
	ReasonMessageLimit    Reason = "message_limit"       // the message breaks a limit of WhatsApp
	ReasonEmptyValue      Reason = "empty_value"         // a value of the message is empty
	ReasonPlaceholder     Reason = "placeholder_value"   // a value is what an export writes for an empty cell
	ReasonZoneUnknown     Reason = "quiet_hours_zone_unknown"

	ReasonTemplateLanguage Reason = "template_language" // the account does not have the template in the recipient's language
	ReasonTemplateUnusable Reason = "template_unusable" // in the recipient's language it can't be sent, or the message does not fit it
)

// Why a message goes later, or went too late.
const (
	ReasonExpired    Reason = "expired" // the campaign's not_after has passed
	ReasonNotBefore  Reason = "not_before"
	ReasonQuietHours Reason = "quiet_hours"
	ReasonLocalTime  Reason = "local_time"  // it is not yet the campaign's hour where the recipient is
	ReasonNotDue     Reason = "not_due"     // the message that this one follows was delivered too lately
	ReasonHalted     Reason = "halted"      // the campaign is halted
	ReasonTotalLimit Reason = "total_limit" // the plan has as many sends as the campaign's total allows
	ReasonTotal      Reason = "total"       // the run has as many

	ReasonTemplatePending Reason = "template_pending" // Meta reviews the template
	ReasonTemplatePaused  Reason = "template_paused"  // Meta has paused the template
)

// Why a whole number waits.
const (
	ReasonThrottled      Reason = "throttled"   // the provider says that it is too fast
	ReasonUnreachable    Reason = "unreachable" // no connection was obtained
	ReasonUnclearAnswers Reason = "unclear_answers"
)

// reasons maps each word to its reason, gates included.
var reasons = func() map[string]Reason {
	out := map[string]Reason{}
	for _, r := range []Reason{
		ReasonUnreadableRow, ReasonEvaluation, ReasonNotTargeted, ReasonInvalidPhone, ReasonExcluded, ReasonDuplicate,
		ReasonDuplicatePerson, ReasonPhoneNeeded, ReasonCountry, ReasonUSMarketing, ReasonMessageLimit,
		ReasonEmptyValue, ReasonPlaceholder, ReasonZoneUnknown, ReasonTemplateLanguage, ReasonTemplateUnusable,
		ReasonTemplatePending, ReasonTemplatePaused, ReasonExpired, ReasonNotBefore, ReasonQuietHours, ReasonLocalTime, ReasonNotDue,
		ReasonHalted, ReasonTotalLimit, ReasonTotal, ReasonThrottled, ReasonUnreachable, ReasonUnclearAnswers,
	} {
		out[string(r)] = r
	}
	for _, g := range gates {
		out[string(g)] = g.Reason()
	}
	return out
}()

// ParseReason returns the reason with this word; false for an unknown word.
func ParseReason(word []byte) (Reason, bool) {
	r, ok := reasons[string(word)]
	return r, ok
}

// OfTemplate reports whether a message waits for its template. Time does not end
// such a wait: only reading the account again does.
func (r Reason) OfTemplate() bool { return r == ReasonTemplatePending || r == ReasonTemplatePaused }

// HaltReason is why a campaign, or everything of a number, stopped early. The
// state stores its word.
type HaltReason string

// The reasons of a halt.
const (
	HaltNone         HaltReason = ""
	HaltAccountFault HaltReason = "account_fault" // the provider takes nothing before a person acts
	HaltStopIf       HaltReason = "stop_if"       // too many of the last sends failed
	HaltCanary       HaltReason = "canary"        // too many of the first sends failed, or nobody knows how many
	HaltUnreachable  HaltReason = "unreachable"   // no connection was obtained for too long
	HaltThrottled    HaltReason = "throttled"     // the provider stays too slow
	HaltBreaker      HaltReason = "breaker"       // the provider's answers stay unclear
	HaltEncode       HaltReason = "encode"        // a planned message could not be encoded
	HaltLockLost     HaltReason = "lock_lost"     // another process took the state's lock
	HaltClockJumped  HaltReason = "clock_jumped"  // the machine's clock was set while it sent
	HaltMixedAnswers HaltReason = "mixed_answers" // an answer was about another message
	HaltTemplate     HaltReason = "template"      // the provider says that the template is gone or disabled
)

// Stays reports whether a halt lasts until a person lifts it: because going on costs
// messages or doubts each time, or because only a person can tell that its cause is
// gone. After other halts, trying again costs nothing. A halt with an unknown word
// stays.
func (h HaltReason) Stays() bool {
	switch h {
	case HaltUnreachable, HaltThrottled, HaltLockLost, HaltClockJumped:
		return false
	}
	return true
}
