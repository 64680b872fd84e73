package workspace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/plan/planfile"
)

// ageMagic is the beginning of an encrypted plan (https://age-encryption.org/v1).
const ageMagic = "age-encryption.org/v1\n"

// Readers parses the recipients of -encrypt. Without any, plans are not encrypted.
func Readers(given []string) ([]age.Recipient, error) {
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

// SavePlan writes a plan to the file at path, encrypted if there are readers. It
// writes a new file and renames it, so that no incomplete plan is left.
func (w *Workspace) SavePlan(p *plan.Plan, path string, readers []age.Recipient) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return PathCause(err)
	}
	defer os.Remove(tmp.Name())
	snapshot, err := planfile.SnapshotOf(w.Config)
	switch {
	case err != nil:
	case len(readers) > 0:
		err = planfile.WriteEncrypted(tmp, p, snapshot, readers...)
	default:
		err = planfile.Write(tmp, p, snapshot)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return PathCause(err)
	}
	return PathCause(os.Rename(tmp.Name(), path))
}

// SavedPlan is an open plan file.
type SavedPlan struct {
	Plan   *plan.Plan
	Config *planfile.ConfigSnapshot

	file *os.File
}

// Close closes the plan and its file.
func (s *SavedPlan) Close() error { return errors.Join(s.Plan.Close(), s.file.Close()) }

// OpenPlan reads the saved plan at path, encrypted or not. identity is the file
// with the age identity that decrypts it, "" for none; given is that path as a
// person wrote it.
func OpenPlan(path, identity, given string) (*SavedPlan, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, PathCause(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	saved := &SavedPlan{file: file}
	if err == nil {
		saved.Plan, saved.Config, err = readPlan(file, info.Size(), identity, given)
	}
	if err != nil {
		file.Close()
		return nil, PathCause(err)
	}
	return saved, nil
}

func readPlan(file *os.File, size int64, identity, given string) (*plan.Plan, *planfile.ConfigSnapshot, error) {
	head := make([]byte, len(ageMagic))
	if n, err := file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(head[:n], []byte(ageMagic)) {
		return planfile.Read(file, size)
	}
	if identity == "" {
		return nil, nil, errors.New("it is encrypted; name the file with your age identity: -identity=FILE")
	}
	keys, err := identities(identity, given)
	if err != nil {
		return nil, nil, err
	}
	p, snapshot, err := planfile.ReadEncrypted(file, size, keys...)
	var stranger *age.NoIdentityMatchError
	if errors.As(err, &stranger) {
		return nil, nil, fmt.Errorf("it is not encrypted to the identity in %s; it was made with another -encrypt=age1…", given)
	}
	return p, snapshot, err
}

// identities reads an identity file. Its errors contain nothing of the file's
// content.
func identities(path, given string) ([]age.Identity, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the identity in %s: %w", given, PathCause(err))
	}
	defer file.Close()
	keys, err := age.ParseIdentities(file)
	if err != nil || len(keys) == 0 {
		return nil, fmt.Errorf("reading the identity in %s: it holds no age identity (AGE-SECRET-KEY-1…)", given)
	}
	return keys, nil
}

// savedVariables converts a saved plan's variables for -var: strings stay as they
// are, everything else is JSON, which the language reads.
func savedVariables(saved map[string]json.RawMessage) ([]lang.VarInput, error) {
	var out []lang.VarInput
	for name, data := range saved {
		v, err := ctyjson.Unmarshal(data, cty.DynamicPseudoType)
		if err != nil {
			return nil, fmt.Errorf("var.%s: %w", name, err)
		}
		if v.IsNull() {
			continue
		}
		in := lang.VarInput{Name: name}
		if v.Type() == cty.String {
			in.Raw = v.AsString()
		} else {
			raw, err := ctyjson.Marshal(v, v.Type())
			if err != nil {
				return nil, fmt.Errorf("var.%s: %w", name, err)
			}
			in.Raw = string(raw)
		}
		out = append(out, in)
	}
	return out, nil
}
