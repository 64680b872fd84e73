package cli

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/handbill/handbill/audience"
)

// personKeys parses the people named as arguments. With a leading + it also accepts
// numbers outside every country's numbering plan: somebody may have written from
// one.
func (a *app) personKeys(args []string) ([]string, error) {
	keys := make([]string, len(args))
	for i, arg := range args {
		key, err := audience.RecipientKey(arg, "")
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
