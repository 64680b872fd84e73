package lang

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"

	"github.com/handbill/handbill/lang/eval"
)

// Bounds of a configuration.
const (
	maxFiles     = 500
	maxFileSize  = 1 << 20  // bytes
	maxTotalSize = 16 << 20 // bytes
)

// fileRole is what a file of the directory is for.
type fileRole int

const (
	roleNone fileRole = iota
	roleConfig
	roleDefaultVars // handbill.vars.hcl
	roleAutoVars    // *.auto.vars.hcl
)

func roleOf(name string) fileRole {
	bare := strings.TrimSuffix(name, ".json")
	switch {
	case strings.HasPrefix(name, "."), strings.HasPrefix(name, "#"), strings.HasSuffix(name, "~"), !strings.HasSuffix(bare, ".hcl"):
		return roleNone
	case bare == "handbill.vars.hcl":
		return roleDefaultVars
	case strings.HasSuffix(bare, ".auto.vars.hcl"):
		return roleAutoVars
	case strings.HasSuffix(bare, ".vars.hcl"), strings.HasSuffix(bare, ".test.hcl"):
		return roleNone
	}
	return roleConfig
}

// readDir reads every file of the directory that has a role.
func readDir(ctx context.Context, root *os.Root, diags *diagList) map[string][]byte {
	names, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		diags.err("file_unreadable", hcl.Range{}, "The directory cannot be read: %s.", cause(err))
		return nil
	}
	files := map[string][]byte{}
	total := 0
	for _, entry := range names {
		if ctx.Err() != nil {
			diags.err("file_unreadable", hcl.Range{}, "Reading the directory was interrupted.")
			return files
		}
		if entry.IsDir() || roleOf(entry.Name()) == roleNone {
			continue
		}
		src, ok := readFile(root, entry.Name(), diags)
		if !ok {
			continue
		}
		total += len(src)
		if len(files) == maxFiles || total > maxTotalSize {
			diags.err("file_too_large", hcl.Range{}, "A configuration may have %d files and %d MiB in all; larger data belongs in a file that csv(...) or file(...) reads.", maxFiles, maxTotalSize>>20)
			return files
		}
		files[entry.Name()] = src
	}
	return files
}

func (l *diagList) tooLarge(name string) {
	l.err("file_too_large", hcl.Range{}, "The file %s has more than %d MiB; larger data belongs in a file that csv(...) or file(...) reads.", name, maxFileSize>>20)
}

// overlay puts the texts of a directory's files in their place.
func overlay(files map[string][]byte, dir string, texts map[string][]byte, diags *diagList) {
	for _, name := range sortedKeys(texts) {
		base := path.Base(name)
		if path.Dir(name) != dir || roleOf(base) == roleNone {
			continue
		}
		if len(texts[name]) > maxFileSize {
			diags.tooLarge(name)
			delete(files, base)
			continue
		}
		files[base] = texts[name]
	}
}

// readFile reads one regular file below root, or anywhere when root is nil.
func readFile(root *os.Root, name string, diags *diagList) ([]byte, bool) {
	return readNamed(root, name, name, diags)
}

// readNamed reads the file at path; name is what people know it by.
func readNamed(root *os.Root, path, name string, diags *diagList) ([]byte, bool) {
	src, err := readRegular(root, path)
	switch {
	case err != nil:
		diags.err("file_unreadable", hcl.Range{}, "The file %s cannot be read: %s.", name, cause(err))
		return nil, false
	case len(src) > maxFileSize:
		diags.tooLarge(name)
		return nil, false
	}
	return src, true
}

// readRegular opens without waiting for the other end of a pipe, and checks that
// the file is regular before it reads.
func readRegular(root *os.Root, name string) ([]byte, error) {
	info, err := stat(root, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is not a regular file")
	}
	f, err := open(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFileSize+1))
}

func stat(root *os.Root, name string) (fs.FileInfo, error) {
	if root == nil {
		return os.Stat(name)
	}
	return root.Stat(name)
}

func open(root *os.Root, name string) (*os.File, error) {
	if root == nil {
		return os.Open(name)
	}
	return root.Open(name)
}

// cause is an error without the path, which the sentence contains already.
func cause(err error) string {
	if err != nil && strings.HasSuffix(err.Error(), "path escapes from parent") { // os.Root has no error value for it
		return "it leads out of the configuration's directory"
	}
	if p, ok := err.(*fs.PathError); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// parse scans and parses one file of either syntax; nil when it is not valid.
func parse(name string, src []byte, diags *diagList) hcl.Body {
	scan := eval.ScanTokens
	if strings.HasSuffix(name, ".json") {
		scan = scanJSON
	}
	if more := scan(src, name); more.HasErrors() {
		diags.take(more)
		return nil
	}
	if strings.HasSuffix(name, ".json") {
		f, more := hcljson.Parse(src, name)
		diags.take(more)
		if f == nil || more.HasErrors() {
			return nil
		}
		return f.Body
	}
	f, more := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	diags.take(more)
	if f == nil || more.HasErrors() {
		return nil
	}
	return f.Body
}

// CheckSyntax says what is wrong with the form of one file, such as a bracket that is
// missing; it does not look at what the file declares. Names that end in .json are
// read as JSON syntax. A file that is larger than configurations' may be is wrong.
func CheckSyntax(src []byte, filename string) hcl.Diagnostics {
	diags := &diagList{}
	if len(src) > maxFileSize {
		diags.tooLarge(filename)
		return diags.all
	}
	parse(filename, src, diags)
	return diags.all
}

// ParseLoose returns as much of a file in HCL's own syntax as can be made out, for
// editors: it may be in the middle of being typed. It is nil for JSON syntax and for a
// file beyond the bounds of a configuration, which would overflow the parser's stack.
func ParseLoose(src []byte, filename string) *hcl.File {
	if len(src) > maxFileSize || strings.HasSuffix(filename, ".json") || eval.ScanTokens(src, filename).HasErrors() {
		return nil
	}
	f, _ := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	return f
}

// Declares reports whether a file of that name, without its directory, is part of a
// configuration or gives values to its variables by its name alone.
func Declares(name string) bool { return roleOf(name) != roleNone }

// scanJSON checks the limits of JSON and of every template in its strings, because
// hcl parses those templates itself.
func scanJSON(src []byte, name string) hcl.Diagnostics {
	if diags := eval.ScanJSON(src, name); diags.HasErrors() {
		return diags
	}
	dec := json.NewDecoder(strings.NewReader(string(src)))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil // the parser explains it better
		}
		text, ok := tok.(string)
		if !ok {
			continue
		}
		if diags := eval.ScanTemplate([]byte(text), name); diags.HasErrors() {
			for _, d := range diags {
				d.Subject = &hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
			}
			return diags
		}
	}
}

// namesOf are the files of a role in the configuration's directory, sorted.
func namesOf(files map[string][]byte, role fileRole) []string {
	var out []string
	for name := range files {
		if path.Dir(name) == "." && roleOf(name) == role {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
