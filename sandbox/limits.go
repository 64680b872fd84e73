package sandbox

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// WhatsApp's limits in Unicode code points and items. Source: Meta, messages/*
// and templates/* pages read 2026-09-11; the body of interactive messages as
// the API enforced it on 2026-10-02 (the list page says 4096).
const (
	maxText         = 4096
	maxBody         = 1024
	maxCaption      = 1024
	maxHeader       = 60
	maxFooter       = 60
	maxListButton   = 20
	maxSections     = 10
	maxRows         = 10 // over all sections
	maxSectionTitle = 24
	maxRowID        = 200
	maxRowTitle     = 24
	maxRowDesc      = 72
	maxButtons      = 3
	maxButtonID     = 256
	maxButtonTitle  = 20
	maxLinkText     = 20
	maxFlowCTA      = 30
	maxProducts     = 30 // over all sections
	minCards        = 2
	maxCards        = 10
	maxCardBody     = 160
	maxCardBreaks   = 2
	maxContacts     = 257
	maxOpaque       = 512
	maxRef          = 255 // Kaleyra extra_info, read 2026-11-20
	maxTemplateName = 512
	maxTemplateText = 1024
	maxCoupon       = 20
	maxCallText     = 20
	maxCallMinutes  = 43200
	maxCallPayload  = 512
	maxParamText    = 32768
)

func length(s string) int { return utf8.RuneCountInString(s) }

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// between checks a required text.
func between(what, s string, limit int, root string, parts ...any) *refusal {
	switch n := length(s); {
	case n == 0:
		return required(place(root, parts...))
	case blank(s):
		return invalid("%s must not be blank", what)
	case n > limit:
		return invalid("%s length invalid. Min length: 1, Max length: %d", what, limit)
	}
	return nil
}

// atMost checks an optional text.
func atMost(what string, s *string, limit int) *refusal {
	switch {
	case s == nil:
		return nil
	case blank(*s):
		return invalid("%s must not be blank", what)
	case length(*s) > limit:
		return invalid("%s is too long. Max length is %d", what, limit)
	}
	return nil
}

// place names a nested parameter as Meta's messages do.
func place(root string, parts ...any) string {
	var b strings.Builder
	b.WriteString(root)
	for _, p := range parts {
		if i, ok := p.(int); ok {
			fmt.Fprintf(&b, "[%d]", i)
		} else {
			fmt.Fprintf(&b, "['%v']", p)
		}
	}
	return b.String()
}

// first returns the first refusal that is not nil.
func first(rs ...*refusal) *refusal {
	for _, r := range rs {
		if r != nil {
			return r
		}
	}
	return nil
}
