package message

import "testing"

// greeting is a list whose body has three slots, as a campaign would have it.
func greeting() (*Draft, []string) {
	d := &Draft{
		Message: valid()["list"],
		Slots:   []string{"recipient.name", "recipient.city", "recipient.points"},
		Bindings: []Binding{{Path: "body", Parts: []Part{
			{Text: "Hello ", Slot: -1}, {Slot: 0},
			{Text: "! Spring has come to ", Slot: -1}, {Slot: 1},
			{Text: ", and your ", Slot: -1}, {Slot: 2},
			{Text: " points are worth a plant. Browse our catalog and pick the one that you like best:", Slot: -1},
		}}},
	}
	d.Message.(*List).Body = ""
	return d, []string{"Katharina", "Göttingen", "1280"}
}

func BenchmarkChecker(b *testing.B) {
	d, values := greeting()
	c := NewChecker(d, nil)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		c.Check(values, func(Violation) { n++ })
	}
	if n > 0 {
		b.Fatal("the message is valid")
	}
}

func BenchmarkDigester(b *testing.B) {
	d, values := greeting()
	sums := NewDigester(d).Sums()
	b.ReportAllocs()
	for b.Loop() {
		sums.Sum(values)
	}
}

func BenchmarkRender(b *testing.B) {
	d, values := greeting()
	b.ReportAllocs()
	for b.Loop() {
		d.Render(values)
	}
}

// TestCheckerAllocatesNothing checks that checking a recipient does not
// allocate if nothing is wrong, whatever texts have slots: bodies, ids, titles,
// URLs, template parameters.
func TestCheckerAllocatesNothing(t *testing.T) {
	word := []Part{{Slot: 0}, {Text: "-x", Slot: -1}}
	bind := func(m Message, paths ...string) *Draft {
		d := &Draft{Message: m, Slots: []string{"recipient.name"}}
		for _, p := range paths {
			d.Bindings = append(d.Bindings, Binding{Path: p, Parts: word})
		}
		Fields(m, func(f Field) {
			for _, p := range paths {
				if p == f.Path {
					*f.Text = ""
				}
			}
		})
		return d
	}
	shop := bind(valid()["link"], "url")
	shop.Bindings[0].Parts = []Part{{Text: "https://shop.example/", Slot: -1}, {Slot: 0}, {Text: "?utm=s", Slot: -1}}
	list, _ := greeting()
	cases := map[string]*Draft{
		"list body":  list,
		"list rows":  bind(valid()["list"], "section[0].row[0].id", "section[0].row[0].title", "section[1].title"),
		"button":     bind(valid()["buttons"], "button[0].id", "button[0].title"),
		"url":        shop,
		"parameters": bind(valid()["template"], "header.text", "body[0]", "button[0].text", "button[1].text"),
		"card":       bind(valid()["link carousel"], "card[0].body", "card[1].button"),
	}
	for name, d := range cases {
		c := NewChecker(d, nil)
		if !c.Dynamic() {
			t.Errorf("%s: nothing depends on the recipient", name)
		}
		values := []string{"Ana", "Köln", "7"}
		found := 0
		allocs := testing.AllocsPerRun(100, func() { c.Check(values, func(Violation) { found++ }) })
		if allocs > 0 || found > 0 || len(c.Static()) > 0 {
			t.Errorf("%s: %v allocations, %d violations, static %v", name, allocs, found, c.Static())
		}
	}
}
