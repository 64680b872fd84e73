package message

import "maps"

// Limit bounds one text, number or list of a message.
type Limit struct {
	Min    int    // characters or items; 0 for none
	Max    int    // characters or items above which WhatsApp refuses; 0 for none
	Warn   int    // above it a warning; 0 for none
	Source string // where the figure is from
	Date   string // when it was read, YYYY-MM-DD
}

// Limits are the bounds of all messages, by name ("list.row.title"). A provider
// with tighter bounds uses a copy in which it replaces those entries.
type Limits map[string]Limit

// DefaultLimits returns WhatsApp's own limits as a new map that the caller may
// change. Texts are counted in code points (see CodePoints), lists in items,
// sizes of media in bytes.
func DefaultLimits() Limits {
	l := make(Limits, 96)
	for _, group := range limitGroups() {
		for name, bound := range group.bounds {
			l[name] = Limit{
				Min: bound.min, Max: bound.max, Warn: bound.warn,
				Source: group.source, Date: group.date,
			}
		}
	}
	return l
}

// With returns a copy of l in which the entries of changes replace those of l.
func (l Limits) With(changes Limits) Limits {
	c := maps.Clone(l)
	if c == nil {
		c = make(Limits, len(changes))
	}
	maps.Copy(c, changes)
	return c
}
