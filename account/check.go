package account

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handbill/handbill/message"
)

// Meta's rules for submitted templates. Source: Meta, template components and the
// reference of the template API, read 2025-11-21 and 2026-09-11; for the position
// of variables, refusals that developers quote, 2025 to 2026.
var (
	// TemplateName matches valid names of templates.
	TemplateName = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	// TemplateLanguage matches languages in Meta's spelling.
	TemplateLanguage = regexp.MustCompile(`^[a-z]{2,3}(_[A-Z]{2,3})?$`)

	parameterName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	braces        = regexp.MustCompile(`\{\{(.*?)\}\}`)
	startsWith    = regexp.MustCompile(`^\s*\{\{`)
	// Punctuation after the last variable does not count as text.
	endsWith  = regexp.MustCompile(`\}\}[\s\pP]*$`)
	adjacent  = regexp.MustCompile(`\}\}\s*\{\{`)
	plainText = regexp.MustCompile(`[\n\r*_~` + "`" + `\p{So}]`)
	phone     = regexp.MustCompile(`^\+[0-9]{5,19}$`)
	webLink   = regexp.MustCompile(`^https?://[^/\s{}]+`)
)

// Check checks a template against Meta's rules for submitted templates.
// Hand-written components are not checked.
func (s *Spec) Check() []Problem {
	c := &check{spec: s, limits: message.DefaultLimits()}
	c.lifetime()
	if s.Written != nil {
		return c.found
	}
	if s.Category == Authentication {
		c.say("category", "Meta writes the text of an authentication template. Write its parts as Meta documents them: components = jsonencode([{ type = \"BODY\", add_security_recommendation = true }, …]).")
		return c.found
	}
	c.header()
	c.body()
	if strings.Contains(s.Footer, "{{") {
		c.say("footer", "A footer has no variables.")
	}
	c.length("footer", "template.footer", s.Footer)
	c.buttons()
	c.samples()
	return c.found
}

type check struct {
	spec   *Spec
	limits message.Limits
	used   []string // keys of samples
	found  []Problem
}

func (c *check) say(path, format string, args ...any) {
	c.found = append(c.found, Problem{Path: path, Detail: fmt.Sprintf(format, args...)})
}

// length checks a text against the named limit, in code points.
func (c *check) length(path, limit, text string) {
	if n, most := utf8.RuneCountInString(text), c.limits[limit].Max; most > 0 && n > most {
		c.say(path, "It has %d characters, and Meta takes %d.", n, most)
	}
}

// lifetimes are for how many seconds delivery may be tried, by category.
// Source: Meta, time-to-live of templates, 2026-09-11.
var lifetimes = map[string][2]int{Authentication: {30, 900}, Utility: {30, 43200}, Marketing: {43200, 2592000}}

func (c *check) lifetime() {
	span, known := lifetimes[c.spec.Category]
	if c.spec.TTL == 0 || !known || c.spec.TTL >= span[0] && c.spec.TTL <= span[1] {
		return
	}
	c.say("ttl", "A %s template is tried for %s to %s, not for %s.", c.spec.Category, lasting(span[0]), lasting(span[1]), lasting(c.spec.TTL))
}

func lasting(seconds int) string {
	switch {
	case seconds%86400 == 0:
		return plural(seconds/86400, "day")
	case seconds%3600 == 0:
		return plural(seconds/3600, "hour")
	case seconds%60 == 0:
		return plural(seconds/60, "minute")
	}
	return plural(seconds, "second")
}

func (c *check) header() {
	h := c.spec.Header
	if h == nil || h.Format != "text" {
		return
	}
	vars := variablesOf(h.Text)
	c.length("header", "template.header.text", h.Text)
	switch {
	case h.Text == "":
		c.say("header", "A text header may not be empty.")
	case plainText.MatchString(braces.ReplaceAllString(h.Text, "")):
		c.say("header", "A text header has no line break, formatting or emoji.")
	case len(braces.FindAllString(h.Text, -1)) > 1:
		c.say("header", "A text header has at most one variable.")
	case len(vars) == 1 && !c.spec.Named && vars[0] != "1":
		c.say("header", "The variable of a text header is {{1}}, whatever the body has.")
	case len(vars) == 1 && !c.spec.Named:
		c.used = append(c.used, headerSample)
	case len(vars) == 1 && slices.Contains(variablesOf(c.spec.Body), vars[0]):
		c.say("header", "The variable %q stands in the body, too: each has a name of its own.", vars[0])
	}
	c.variables("header", h.Text)
}

// variables checks the variables of a text.
func (c *check) variables(path, text string) {
	for _, m := range braces.FindAllStringSubmatch(text, -1) {
		inside := m[1]
		switch {
		case c.spec.Named && !parameterName.MatchString(inside):
			c.say(path, "{{%s}} is no variable: its name has lower-case letters, digits and underscores, a letter first, and no spaces around it.", message.SafeText(inside))
		case !c.spec.Named && !variable.MatchString(m[0]):
			c.say(path, "{{%s}} is no variable: {{1}}, or a name such as {{first_name}}.", message.SafeText(inside))
		case c.spec.Named:
			c.used = append(c.used, inside)
		}
	}
	if strings.Count(text, "{{") != strings.Count(text, "}}") {
		c.say(path, "A variable is opened by {{ and closed by }}.")
	}
}

func (c *check) body() {
	text := c.spec.Body
	c.variables("body", text)
	c.length("body", "template.body", text)
	switch {
	case strings.TrimSpace(text) == "":
		c.say("body", "A template needs a body.")
	case startsWith.MatchString(text):
		c.say("body", "A variable may not be the first thing in the body (2388299): put words before it.")
	case endsWith.MatchString(text):
		c.say("body", "A variable may not be the last thing in the body, and punctuation after it does not count (2388299): put words after it.")
	case adjacent.MatchString(text):
		c.say("body", "Two variables may not stand side by side: put words between them.")
	case strings.Contains(text, "\n\n\n"):
		c.say("body", "More than two line breaks in a row are refused (2388072).")
	}
	if c.spec.Named {
		return
	}
	for i, v := range variablesOf(text) {
		c.used = append(c.used, v)
		if v != fmt.Sprint(i+1) {
			c.say("body", "The variables of a body are counted in their order: {{%d}} stands where {{%s}} does. For names, give parameters as an object.", i+1, message.SafeText(v))
			return
		}
	}
}

func (c *check) buttons() {
	list := c.spec.Buttons
	if most := c.limits["template.buttons"].Max; len(list) > most {
		c.say(ButtonSample(most), "A template has at most %d buttons.", most)
	}
	count, groups := map[string]int{}, 0
	for i, b := range list {
		count[b.Type]++
		if b.Type == "quick_reply" && (i == 0 || list[i-1].Type != "quick_reply") {
			groups++
		}
		if groups > 1 {
			c.say(ButtonSample(i), "Quick replies stand side by side: no other button may be between them.")
			groups = 1
		}
		c.button(ButtonSample(i), &b)
	}
	for kind, limit := range map[string]string{"url": "template.buttons.url", "phone_number": "template.buttons.phone", "copy_code": "template.buttons.copy_code"} {
		if most := c.limits[limit].Max; count[kind] > most {
			c.say("button", "A template has at most %s of the type %q.", plural(most, "button"), kind)
		}
	}
}

func (c *check) button(path string, b *Button) {
	c.length(path, "template.button.text", b.Text)
	if b.Text == "" && b.Type != "copy_code" && b.Type != "catalog" && b.Type != "mpm" {
		c.say(path, "The button needs a text.")
	}
	switch b.Type {
	case "url":
		c.link(path, b.URL)
	case "phone_number":
		if !phone.MatchString(b.Phone) {
			c.say(path, "phone_number is a number with + and the country's code, and up to 20 characters (192).")
		}
	case "copy_code":
		c.used = append(c.used, path)
		if n := utf8.RuneCountInString(c.spec.Samples[path]); n > maxCoupon {
			c.say(path, "The sample of a coupon code has up to %d characters, not %d (2388055).", maxCoupon, n)
		}
	}
}

// maxCoupon is the length of a coupon's sample. Source: Meta, template
// components, 2026-09-11; another page says 20.
const maxCoupon = 15

func (c *check) link(path, url string) {
	c.length(path, "template.button.url", url)
	bare := strings.TrimSuffix(url, "{{1}}")
	if bare != url {
		c.used = append(c.used, path)
	}
	switch {
	case !webLink.MatchString(url):
		c.say(path, "url is an address with https:// (2388049).")
	case strings.Contains(bare, "{{"):
		c.say(path, "The address of a button has one variable, {{1}}, at its very end (2388049).")
	}
}

// samples checks that the samples for review are complete and that none is
// superfluous.
func (c *check) samples() {
	for _, key := range c.used {
		if c.spec.Samples[key] != "" {
			continue
		}
		switch {
		case key == headerSample:
			c.say("header", "Meta reviews a variable with a sample (2388043): sample = \"…\" in the header.")
		case strings.HasPrefix(key, "button["):
			c.say(key, "Meta reviews it with a sample (2388043): sample = \"…\" in the button.")
		default:
			c.say("parameters", "Meta reviews a variable with a sample (2388043), and {{%s}} has none in parameters.", message.SafeText(key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.spec.Samples)) {
		if !slices.Contains(c.used, key) {
			c.say("parameters", "There is a sample of %s, and nothing that it stands for.", message.SafeText(key))
		}
	}
}
