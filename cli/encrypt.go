package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/plan/planfile"
)

// ageMagic is how an encrypted plan begins (https://age-encryption.org/v1).
const ageMagic = "age-encryption.org/v1\n"

// encryptHelp and identityHelp are the flags' help.
const (
	encryptHelp  = "with -out: encrypt the plan to this age recipient (age1…); may be repeated"
	identityHelp = "the file with the age identity that reads an encrypted plan"
)

// recipientsOf reads the recipients of -encrypt. None leaves the plan as it is.
func recipientsOf(given []string) ([]age.Recipient, error) {
	if len(given) == 0 {
		return nil, nil
	}
	for _, s := range given {
		if strings.HasPrefix(strings.ToUpper(s), "AGE-SECRET-KEY-") {
			return nil, errors.New("-encrypt takes the public recipient (age1…), and this is a secret identity; it is in the shell's history now, so make a new one")
		}
	}
	list, err := age.ParseRecipients(strings.NewReader(strings.Join(given, "\n")))
	if err != nil {
		return nil, fmt.Errorf("-encrypt=%s is no age recipient such as age1…; \"age-keygen\" makes one", message.SafeText(strings.Join(given, ",")))
	}
	return list, nil
}

// writePlan saves a plan, encrypted where somebody is named who may read it.
func writePlan(w io.Writer, p *plan.Plan, snapshot planfile.ConfigSnapshot, to []age.Recipient) error {
	if len(to) == 0 {
		return planfile.Write(w, p, snapshot)
	}
	return planfile.WriteEncrypted(w, p, snapshot, to...)
}

// readPlan reads a saved plan, encrypted or not. identity is the file named on
// the command line.
func (a *app) readPlan(file *os.File, size int64, identity string) (*plan.Plan, *planfile.ConfigSnapshot, error) {
	head := make([]byte, len(ageMagic))
	if n, err := file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(head[:n], []byte(ageMagic)) {
		return planfile.Read(file, size)
	}
	if identity == "" {
		return nil, nil, errors.New("it is encrypted; name the file with your age identity: -identity=FILE")
	}
	keys, err := a.identities(identity)
	if err != nil {
		return nil, nil, err
	}
	p, snapshot, err := planfile.ReadEncrypted(file, size, keys...)
	var stranger *age.NoIdentityMatchError
	if errors.As(err, &stranger) {
		return nil, nil, fmt.Errorf("it is not encrypted to the identity in %s; it was made with another -encrypt=age1…", identity)
	}
	return p, snapshot, err
}

// identities reads an identity file. Its errors hold nothing of its content.
func (a *app) identities(name string) ([]age.Identity, error) {
	file, err := os.Open(a.path(name))
	if err != nil {
		return nil, fmt.Errorf("reading the identity in %s: %w", name, plainPathError(err))
	}
	defer file.Close()
	keys, err := age.ParseIdentities(file)
	if err != nil || len(keys) == 0 {
		return nil, fmt.Errorf("reading the identity in %s: it holds no age identity (AGE-SECRET-KEY-1…)", name)
	}
	return keys, nil
}
