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
