package message

import (
	"path"
	"slices"
	"strings"
)

// relation is the common part of all rules between texts.
type relation struct {
	name     string // the rule's whole code
	severity Severity
	detail   string
	source   string
	path     string // where to report what does not concern a single text
	fields   []int
}

func (r *relation) refs() []int { return r.fields }

func (r *relation) violation(path, detail string) Violation {
	return Violation{Path: path, Rule: r.name, Severity: r.severity, Detail: detail, Source: r.source}
}

// oneOfRule demands that exactly one of its texts is set.
type oneOfRule struct{ relation }

func (r *oneOfRule) check(t texts) (found []Violation) {
	set := 0
	for _, f := range r.fields {
		if !t.empty(f) {
			set++
		}
	}
	if set != 1 {
		v := r.violation(r.path, r.detail)
		v.Limit, v.Got = 1, set
		found = append(found, v)
	}
	return found
}

// presenceRule demands that its one text is set, or that it is not.
type presenceRule struct {
	relation
	forbidden bool
}

func (r *presenceRule) check(t texts) (found []Violation) {
	if t.empty(r.fields[0]) != r.forbidden {
		found = append(found, r.violation(r.path, r.detail))
	}
	return found
}

// needsRule demands that its second text is set where the first one is.
type needsRule struct{ relation }

func (r *needsRule) check(t texts) (found []Violation) {
	if !t.empty(r.fields[0]) && t.empty(r.fields[1]) {
		found = append(found, r.violation(r.path, r.detail))
	}
	return found
}

// uniqueRule demands that its texts differ from each other. Empty ones are ignored.
// If groups is set, equal texts within one group are left to another rule.
type uniqueRule struct {
	relation
	groups []int
}

// hashed is how many texts are compared by hash without an allocation.
const hashed = 32

func (r *uniqueRule) check(t texts) (found []Violation) {
	if r.distinct(t) {
		return nil
	}
	for i, f := range r.fields {
		for j, e := range r.fields[:i] {
			if r.groups != nil && r.groups[i] == r.groups[j] || t.empty(f) || t.at(e) != t.at(f) {
				continue
			}
			found = append(found, r.violation(t.path(f), r.detail+" The other one is "+t.path(e)+"."))
			break
		}
	}
	return found
}

// distinct reports whether the hashes alone prove that all texts differ.
func (r *uniqueRule) distinct(t texts) bool {
	if len(r.fields) > hashed {
		return false
	}
	var seen [hashed]uint64
	for i, f := range r.fields {
		seen[i] = t.hash(f)
		for j := range i {
			if seen[j] == seen[i] {
				return false
			}
		}
	}
	return true
}

// sameRule demands that its texts are equal.
type sameRule struct{ relation }

func (r *sameRule) check(t texts) (found []Violation) {
	for _, f := range r.fields[1:] {
		if t.hash(f) != t.hash(r.fields[0]) && !t.empty(f) && !t.empty(r.fields[0]) {
			found = append(found, r.violation(t.path(f), r.detail))
		}
	}
	return found
}

// totalRule bounds the characters of several texts together.
type totalRule struct {
	relation
	max int
}

func (r *totalRule) check(t texts) (found []Violation) {
	sum := 0
	for _, f := range r.fields {
		sum += t.length(f)
	}
	if sum <= r.max {
		return nil
	}
	v := r.violation(r.path, "The values have "+itoa(sum)+" characters together, and the whole text around and with them may have "+
		itoa(r.max)+" (132005). Shorten them by "+itoa(sum-r.max)+" or more.")
	v.Limit, v.Got = r.max, sum
	return append(found, v)
}

// breaksRule bounds the line breaks of its one text.
type breaksRule struct {
	relation
	max int
}

func (r *breaksRule) check(t texts) (found []Violation) {
	f := r.fields[0]
	if t.summary(f).has&lineBreak == 0 {
		return nil
	}
	n := 0
	for _, c := range t.at(f) {
		if c == '\n' {
			n++
		}
	}
	if n > r.max {
		v := r.violation(r.path, r.detail)
		v.Limit, v.Got = r.max, n
		found = append(found, v)
	}
	return found
}

// mediaFormats are the file extensions that WhatsApp accepts, by kind of medium.
// Source: Meta, the pages below messages/ on each kind, 2026-09-11.
var mediaFormats = map[MediaType]string{
	Image:    ".jpg .jpeg .png",
	Video:    ".mp4 .3gp",
	Audio:    ".aac .amr .mp3 .m4a .ogg",
	Document: ".txt .xls .xlsx .doc .docx .ppt .pptx .pdf",
	Sticker:  ".webp",
}

// otherFormats are known file extensions that WhatsApp accepts for no kind of
// medium.
const otherFormats = ".gif .svg .bmp .tif .tiff .heic .avif .mov .avi .mkv .webm .wmv .wav .flac .wma .opus .html .htm"

// extensionRule warns if the extension in a link's path belongs to another kind of
// file. An unknown extension, or none, proves nothing.
type extensionRule struct {
	relation
	allowed string
}

func (r *extensionRule) check(t texts) (found []Violation) {
	if r.allowed == "" || t.empty(r.fields[0]) {
		return nil
	}
	link := t.at(r.fields[0])
	if end := strings.IndexAny(link, "?#"); end >= 0 {
		link = link[:end]
	}
	ending := strings.ToLower(path.Ext(link))
	if !isMediaFormat(ending) || slices.Contains(strings.Fields(r.allowed), ending) {
		return nil
	}
	return append(found, r.violation(r.path, r.detail))
}

// isMediaFormat reports whether the extension is a known one.
func isMediaFormat(ending string) bool {
	for _, formats := range mediaFormats {
		if slices.Contains(strings.Fields(formats), ending) {
			return true
		}
	}
	return slices.Contains(strings.Fields(otherFormats), ending)
}
