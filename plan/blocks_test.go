package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// manyRows writes an audience that is read in many blocks, and computes row by
// row what a plan must say of each row.
func manyRows(total int) (contacts, want string) {
	var csv, plan strings.Builder
	csv.WriteString("phone,name\n")
	r := rand.New(rand.NewPCG(3, 4))
	seen, line, sends := map[string]bool{}, 2, 0
	for range 8000 {
		name := []string{"Anna", "Jürgen", "李雷", "two\nlines"}[r.IntN(4)]
		number := fmt.Sprintf("+49151%08d", r.IntN(6000))
		cell := name
		if strings.Contains(name, "\n") {
			cell = `"` + name + `"`
		}
		at := fmt.Sprintf("contacts.csv:%d", line)
		switch kind := r.IntN(40); {
		case kind == 0: // a row of delimiters only
			csv.WriteString(",\n")
			line++
			continue
		case kind == 1:
			fmt.Fprintf(&csv, "%s\n", number)
			fmt.Fprintf(&plan, "%s  skip (unreadable_row)\n", at)
			line++
			continue
		case kind == 2:
			fmt.Fprintf(&csv, "n/a,%s\n", cell)
			fmt.Fprintf(&plan, "%s  skip (invalid_phone)\n", at)
		case seen[number]:
			fmt.Fprintf(&csv, "%s,%s\n", number, cell)
			fmt.Fprintf(&plan, "%s %s skip (duplicate)\n", at, number)
		default:
			seen[number] = true
			fmt.Fprintf(&csv, "%s,%s\n", number, cell)
			action := "send"
			if sends++; sends > total {
				action = "defer (total_limit)"
			}
			values := []string{name}
			for i := range 10 {
				values = append(values, fmt.Sprint(i, strings.ToUpper(name)))
			}
			fmt.Fprintf(&plan, "%s %s %s #0 attempt 1 %q\n", at, number, action, values)
		}
		line += strings.Count(cell, "\n") + 1
	}
	return csv.String(), plan.String()
}

// TestManyBlocks checks that the division of rows into blocks and the order of
// the workers change nothing: each row is decided on its own, in the order of
// the audience, and the plan has the same bytes.
func TestManyBlocks(t *testing.T) {
	const total = 3000
	contacts, want := manyRows(total)
	config := strings.Replace(add(fmt.Sprintf("on_invalid = \"skip\"\nlimit {\n total = %d\n}", total)), "${recipient.name}!", "${recipient.name}", 1)
	for i := range 10 {
		config = strings.Replace(config, `${recipient.name}`, fmt.Sprintf(`${recipient.name}${upper("%d${recipient.name}")}`, 9-i), 1)
	}
	w := open(t, map[string]string{"main.hcl": config, "contacts.csv": contacts})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []byte
	for i := range 20 {
		runtime.GOMAXPROCS(1 + i%4)
		w.in.Parallelism = 1 + i*3%7
		p, _ := w.plan(t)
		if i == 0 {
			if got := lines(t, p); got != want {
				diffLines(t, want, got)
			}
			first = encoded(t, p)
		}
		if !bytes.Equal(first, encoded(t, p)) {
			t.Fatalf("plan %d, with %d workers: the plan has other bytes", i, w.in.Parallelism)
		}
		p.Close()
	}
}

// encoded returns everything that is saved of a plan except its messages.
func encoded(t *testing.T, p *Plan) []byte {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.EachEncoded(func(raw []byte, _ *Entry) error {
		data = append(data, raw...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return data
}

func diffLines(t *testing.T, want, got string) {
	t.Helper()
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("entry %d:\nwant %s\ngot  %s", i+1, a[i], b[i])
		}
	}
	t.Fatalf("%d entries, not %d", len(b), len(a))
}
