package eval

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Limits on what expressions may read.
const (
	maxFile    = maxString // bytes, for file
	maxCSVFile = 16 << 20  // bytes, for csv
)

// outsideFunctions are those that reach beyond the expression.
func outsideFunctions(cfg FunctionConfig) []definition {
	return []definition{
		{name: "env", fn: envFunc(cfg)},
		{name: "file", fn: fileFunc(places{cfg.Root, cfg.Beside})},
		{name: "csv", fn: csvFunc(places{cfg.Root, cfg.Beside})},
		{name: "phone", fn: phoneFunc(cfg)},
	}
}

func envFunc(cfg FunctionConfig) function.Function {
	return function.New(&function.Spec{
		Description: "Returns an environment variable. The value is sensitive: it is in no plan, state or log.",
		Params:      []function.Parameter{stringParam("name", "The variable's name. It is an error when it is not set.")},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if cfg.Env == nil {
				return cty.NilVal, &safeError{"Environment variables may not be read here."}
			}
			value, ok := cfg.Env(name)
			if !ok {
				return cty.NilVal, &plainError{fmt.Sprintf("The environment variable %s is not set. Set it where handbill runs, for instance with: export %s=...", name, name)}
			}
			return cty.StringVal(value).Mark(Sensitive), nil
		},
	})
}

func phoneFunc(cfg FunctionConfig) function.Function {
	return function.New(&function.Spec{
		Description: "Converts a phone number to E.164, such as \"+4915112345678\".",
		Params: []function.Parameter{
			stringParam("raw", "The number as people write it."),
			stringParam("region", "The country of numbers in national form, such as \"DE\"; \"\" when there are none."),
		},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if cfg.Phone == nil {
				return cty.NilVal, &safeError{"Phone numbers cannot be converted here."}
			}
			number, err := cfg.Phone(args[0].AsString(), args[1].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, &safeError{"This is not a phone number: " + err.Error() + "."})
			}
			return cty.StringVal(number), nil
		},
	})
}

func fileFunc(from places) function.Function {
	return function.New(&function.Spec{
		Description: "Returns the text of a file of the configuration's directory.",
		Params:      []function.Parameter{stringParam("path", "The file, relative to the directory.")},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := from.read(args[0].AsString(), maxFile)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(string(text)), nil
		},
	})
}

func csvFunc(from places) function.Function {
	return function.New(&function.Spec{
		Description: "Returns the rows of a CSV file of the configuration's directory: a list of objects whose attributes are the columns of the header.",
		Params:      []function.Parameter{stringParam("path", "The file, relative to the directory, in UTF-8, with commas.")},
		Type:        function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			text, err := from.read(path, maxCSVFile)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			v, err := csvRows(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "%s: %s", path, err)
			}
			return v, nil
		},
	})
}

// places are where functions read files.
type places struct {
	root   *os.Root
	beside func(path string) (*os.Root, string, bool)
}

// read reads a regular UTF-8 file within root, or where beside leads.
func (p places) read(path string, limit int64) ([]byte, error) {
	if p.beside != nil && !filepath.IsLocal(path) {
		if root, below, ok := p.beside(path); ok {
			return readFile(root, below, path, limit)
		}
	}
	return readFile(p.root, path, path, limit)
}

// readFile reads a regular UTF-8 file within root; path is what people know it by.
func readFile(root *os.Root, name, path string, limit int64) ([]byte, error) {
	if root == nil {
		return nil, &safeError{"Files may not be read here."}
	}
	// Before opening, since opening a pipe waits for a writer.
	info, err := root.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("there is no file %q in the configuration's directory", path)
	case err != nil:
		return nil, fmt.Errorf("%q cannot be read: files must lie within the configuration's directory", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%q is not a regular file", path)
	case info.Size() > limit:
		return nil, fmt.Errorf("%q is larger than %d bytes", path, limit)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be opened", path)
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q cannot be read", path)
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("%q is larger than %d bytes", path, limit)
	case !utf8.Valid(text):
		return nil, fmt.Errorf("%q is not UTF-8 text", path)
	}
	return text, nil
}

func csvRows(text []byte) (cty.Value, error) {
	r := csv.NewReader(bytes.NewReader(text))
	header, err := r.Read()
	if err != nil {
		return cty.NilVal, errors.New("a header line with the names of the columns is required")
	}
	header = append([]string(nil), header...)
	types := make(map[string]cty.Type, len(header))
	for _, name := range header {
		if _, double := types[name]; double {
			return cty.NilVal, fmt.Errorf("the header names the column %q twice", name)
		}
		types[name] = cty.String
	}
	var rows []cty.Value
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return cty.NilVal, err
		}
		if (len(rows)+1)*(len(header)+1) > maxElements {
			return cty.NilVal, fmt.Errorf("more than %d cells", maxElements)
		}
		row := make(map[string]cty.Value, len(header))
		for i, cell := range record {
			row[header[i]] = cty.StringVal(cell)
		}
		rows = append(rows, cty.ObjectVal(row))
	}
	if len(rows) == 0 {
		return cty.ListValEmpty(cty.Object(types)), nil
	}
	return cty.ListVal(rows), nil
}
