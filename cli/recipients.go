package cli

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/handbill/handbill/audience"
)

// personKeys reads the people that a command is about. A number that no country
// gives out is taken too when it is written with its +: somebody may have written
// to us from it.
func (a *app) personKeys(args []string) ([]string, error) {
	keys := make([]string, len(args))
	for i, arg := range args {
		key, err := recipientKey(arg, "")
		if err != nil {
			key = strings.TrimSpace(arg)
			if !numberShape.MatchString(key) {
				return nil, a.fail("Invalid recipient", fmt.Errorf("argument %d is neither a number with + and a country code, such as +4915112345678, nor a user id; nothing was changed", i+1))
			}
		}
		keys[i] = key
	}
	return keys, nil
}

var numberShape = regexp.MustCompile(`^\+[0-9]{5,15}$`)

// recipientKey reads a phone number, or takes a business-scoped user id as it
// is.
func recipientKey(s, region string) (string, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "'")
	if len(s) > 3 && s[2] == '.' && s[0] >= 'A' && s[0] <= 'Z' {
		return s, nil
	}
	return audience.NewNumbers().Parse(s, region)
}
