package view

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"time"
)

// stream writes JSON objects, one per line, in the format of Terraform's
// machine-readable UI. It keeps the first write error and writes nothing after it. It
// is safe for concurrent use.
type stream struct {
	w   io.Writer
	now func() time.Time

	mu  sync.Mutex
	err error
}

// field is one member of an object, in the order given.
type field struct {
	name  string
	value any
}

func (s *stream) write(level, kind, text string, fields ...field) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	var b bytes.Buffer
	b.WriteByte('{')
	all := append([]field{
		{"@level", level}, {"@message", text}, {"@module", "handbill.ui"},
		{"@timestamp", s.now().UTC().Format("2006-01-02T15:04:05.000000Z07:00")}, {"type", kind},
	}, fields...)
	for i, f := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(f.name)
		if err == nil {
			b.Write(name)
			b.WriteByte(':')
			var value []byte
			if value, err = encode(f.value); err == nil {
				b.Write(bytes.TrimRight(value, "\n"))
			}
		}
		if err != nil {
			s.err = err
			return
		}
	}
	b.WriteString("}\n")
	_, s.err = s.w.Write(b.Bytes())
}

func (s *stream) outputs(list []Output) {
	values := map[string]any{}
	for _, o := range list {
		if o.Sensitive {
			values[o.Name] = map[string]any{"sensitive": true}
			continue
		}
		values[o.Name] = map[string]any{"sensitive": false, "value": json.RawMessage(o.Value)}
	}
	s.write("info", "outputs", "Outputs: "+Plural(len(list), "value"), field{"outputs", values})
}

func (s *stream) diagnostics(diags []Diagnostic) {
	for _, d := range diags {
		level := "error"
		if d.Severity == "warning" {
			level = "warn"
		}
		s.write(level, "diagnostic", d.Severity+": "+d.Summary, field{"diagnostic", d})
	}
}
