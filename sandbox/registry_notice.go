package sandbox

import (
	"encoding/json"
	"strings"
	"time"
)

// templateNotice is what a webhook reports about a template at a moment.
type templateNotice struct {
	at    time.Time
	field string
	value object
}

// scheduleNotices plans the webhooks of the reviews of a template that was submitted:
// one for each decision, when it is due. r.mu is held.
func (r *registry) scheduleNotices(t *Template) {
	if r.notify == nil {
		return
	}
	reviewed, submitted := false, t.review
	plan := func(v Review) {
		at := submitted.Add(time.Duration(v.After))
		r.notify(at, func() *templateNotice {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.pass()
			if t.gone || !t.review.Equal(submitted) { // submitted again meanwhile
				return nil
			}
			return t.decision(&v, at)
		})
	}
	for _, v := range r.reviews {
		if v.Match.fits(t) {
			reviewed = true
			plan(v)
		}
	}
	if t.written && !reviewed {
		plan(Review{Outcome: "approve"})
	}
}

// decision is the notice of a review. Source: Meta, webhooks/reference,
// message_template_status_update, read 2026-04-13, and template_category_update, read
// 2026-09-11.
func (t *Template) decision(v *Review, at time.Time) *templateNotice {
	switch v.Outcome {
	case "recategorize":
		return t.notice(at, "template_category_update", object{"previous_category": t.before, "new_category": strings.ToUpper(v.To)})
	case "notice":
		return t.notice(at, "template_category_update", object{"correct_category": strings.ToUpper(v.To), "new_category": t.Category,
			"category_update_timestamp": at.Add(24 * time.Hour).Unix()})
	}
	reason := "NONE"
	if v.Outcome == "reject" && v.Reason != "" {
		reason = strings.ToUpper(v.Reason)
	}
	return t.statusNotice(at, outcomes[v.Outcome], reason)
}

func (t *Template) statusNotice(at time.Time, status, reason string) *templateNotice {
	value := object{"event": status, "reason": reason, "message_template_category": t.Category}
	if status == "PAUSED" {
		value["other_info"] = object{"title": "FIRST_PAUSE", "description": "Your template has been paused for 3 hours because it had issues with quality."}
	}
	return t.notice(at, "message_template_status_update", value)
}

// notice adds what all notices about a template have. They spell the language with a
// hyphen, and the id as a number.
func (t *Template) notice(at time.Time, field string, value object) *templateNotice {
	value["message_template_id"], value["message_template_name"] = json.Number(t.id), t.Name
	value["message_template_language"] = strings.ReplaceAll(t.Language, "_", "-")
	return &templateNotice{at, field, value}
}

// changed plans the webhooks of what the page or a control request changed at once.
// r.mu is held.
func (r *registry) changed(t, was *Template) {
	if r.notify == nil {
		return
	}
	now := r.now()
	tell := func(n *templateNotice) { r.notify(now, func() *templateNotice { return n }) }
	if t.Status != was.Status {
		tell(t.statusNotice(now, t.Status, t.Reason))
	}
	if t.Category != was.Category {
		tell(t.notice(now, "template_category_update", object{"previous_category": was.Category, "new_category": t.Category}))
	}
	if t.CorrectCategory != was.CorrectCategory {
		tell(t.notice(now, "template_category_update", object{"correct_category": t.CorrectCategory, "new_category": t.Category,
			"category_update_timestamp": now.Add(24 * time.Hour).Unix()}))
	}
	if t.Quality != was.Quality {
		tell(t.notice(now, "message_template_quality_update", object{"previous_quality_score": was.Quality, "new_quality_score": t.Quality}))
	}
}

// sendNotices posts the notices of the account's templates to its app, which is where
// Meta's webhooks that are not about messages go, whatever a number overrides. Of the
// other providers it is not known that they pass them on.
func (s *Sandbox) sendNotices() {
	r := s.templates
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notify = func(at time.Time, make func() *templateNotice) {
		told := map[string]bool{}
		for _, t := range s.opt.Webhooks {
			if t.Provider != Cloud || told[t.URL] {
				continue
			}
			told[t.URL] = true
			s.out.add(t, at, func() []byte {
				n := make()
				if n == nil {
					return nil
				}
				return must(object{"object": "whatsapp_business_account", "entry": []object{{
					"id": AccountID, "time": n.at.Unix(), "changes": []object{{"field": n.field, "value": n.value}},
				}}})
			})
		}
	}
	for _, t := range r.list {
		r.scheduleNotices(t)
	}
}
