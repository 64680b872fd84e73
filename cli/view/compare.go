package view

// compare marks the parts that the other picture lacks: new ones in after, gone
// ones in before.
func compare(before, after *Picture) {
	old, now := map[string]int{}, map[string]int{}
	seen(old, before.Parts)
	seen(now, after.Parts)
	mark(before.Parts, now, "gone")
	mark(after.Parts, old, "new")
}

// key is what a part shows, without its nested parts.
func (p *Part) key() string {
	return string(p.Role) + "\x00" + p.Label + "\x00" + p.Text.String() + "\x00" + p.Detail.String() + "\x00" + p.ID.String()
}

func seen(in map[string]int, parts []Part) {
	for i := range parts {
		in[parts[i].key()]++
		seen(in, parts[i].Parts)
	}
}

// mark removes every part that it finds from other, so that one of two equal parts
// is marked if the other picture has only one.
func mark(parts []Part, other map[string]int, as string) {
	for i := range parts {
		if k := parts[i].key(); other[k] > 0 {
			other[k]--
		} else {
			parts[i].Mark = as
		}
		mark(parts[i].Parts, other, as)
	}
}
