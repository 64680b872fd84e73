package audience

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// Most cells hold a number with only one reading: E.164, E.164 with separators,
// or a national number of the audience's region. Asking the library about each
// takes microseconds, so these are read here, with tables made from the
// library's own metadata. Whatever is not certain is left to the library, and
// property tests compare the two in every region.

// region is what the fast path knows of the national numbers of one region.
type region struct {
	code string // the calling code, such as "49"
	// trunk says that a number is dialled as a zero and the national number, and
	// that nothing else begins with a zero.
	trunk bool
	// slow has bit d set if digits that begin with d may begin with a prefix that
	// the library drops.
	slow uint16
	// zero has bit d set if a zero and d are certainly the trunk prefix and the
	// first digit of a national number, provided that number is in use.
	zero uint16
	// used recognises the national numbers that are in use. It is made when it is
	// first needed.
	used func() *automaton
}

// newRegion makes the tables of a region; main says that this region decides how
// numbers of its calling code are parsed.
func newRegion(meta *phonenumbers.PhoneMetadata, main bool) *region {
	r := &region{
		trunk: main && plainTrunk(meta),
		code:  strconv.Itoa(int(meta.GetCountryCode())),
		slow:  firstDigits(meta.GetNationalPrefixForParsing()) | firstDigits(meta.GetInternationalPrefix()),
		used:  sync.OnceValue(func() *automaton { return newAutomaton(patterns(meta)) }),
	}
	if meta.GetNationalPrefixTransformRule() == "" && dropsZero(meta.GetNationalPrefixForParsing()) {
		abroad := newAutomaton(meta.GetInternationalPrefix())
		if len(abroad.next) == 1 { // nothing is known of it
			return r
		}
		for d := byte(1); d <= 9; d++ {
			if !abroad.begins([]byte{'0', '0' + d}) {
				r.zero |= 1 << d
			}
		}
	}
	return r
}

// dropsZero reports whether the pattern of a region's prefixes drops one zero,
// and no other prefix that begins with a zero.
func dropsZero(pattern string) (drops bool) {
	for alternative := range strings.SplitSeq(pattern, "|") {
		switch {
		case alternative == "0":
			drops = true
		case firstDigits(alternative)&1 != 0:
			return false
		}
	}
	return drops
}

// patterns returns the pattern of every kind of number that a region has.
func patterns(meta *phonenumbers.PhoneMetadata) string {
	var kinds []string
	for _, d := range []*phonenumbers.PhoneNumberDesc{meta.GetFixedLine(), meta.GetMobile(), meta.GetTollFree(), meta.GetPremiumRate(),
		meta.GetSharedCost(), meta.GetPersonalNumber(), meta.GetVoip(), meta.GetPager(), meta.GetUan(), meta.GetVoicemail()} {
		if p := d.GetNationalNumberPattern(); p != "" && p != "NA" {
			kinds = append(kinds, "(?:"+p+")")
		}
	}
	return strings.Join(kinds, "|")
}

// plainTrunk reports whether one leading zero, as opposed to two, is always the
// region's trunk prefix and never anything else.
func plainTrunk(meta *phonenumbers.PhoneMetadata) bool {
	return meta.GetNationalPrefixForParsing() == "0" && meta.GetNationalPrefixTransformRule() == "" &&
		meta.GetInternationalPrefix() == "00" && firstDigits(meta.GetGeneralDesc().GetNationalNumberPattern())&1 == 0
}

// fast reports whether raw is E.164 already and the library would not change it.
func (n *Numbers) fast(raw string) bool {
	const shortest = 6
	if len(raw) < shortest || len(raw) > maxDigits+1 || raw[0] != '+' || raw[1] == '0' {
		return false
	}
	for i := 1; i < len(raw); i++ {
		if raw[i]-'0' > 9 {
			return false
		}
	}
	code := 0
	for i := 1; i <= 3; i++ {
		code = code*10 + int(raw[i]-'0')
		if c := n.code(code); c.lengths != 0 {
			return c.lengths>>(len(raw)-1-i)&1 == 1 && c.slow>>(raw[i+1]-'0')&1 == 0
		}
	}
	return false
}

// quick parses E.164 with separators, or a plain national number of the region.
// ok is false if the number needs a closer look.
func (n *Numbers) quick(raw, region string) (e164 string, ok bool) {
	var room [1 + maxDigits + len("00")]byte
	digits, plus := squeeze(room[1:1], raw)
	if !plus && len(digits) > 2 && digits[0] == '0' && digits[1] == '0' {
		digits, plus = digits[2:], true
	}
	return n.certain(digits, plus, region)
}

// certain parses digits that begin with the calling code, if international, or
// are a national number of the region. ok is false if only the library can tell.
func (n *Numbers) certain(digits []byte, international bool, region string) (e164 string, ok bool) {
	if len(digits) < minNational {
		return "", false
	}
	if international {
		e164 = "+" + string(digits)
		return e164, n.fast(e164)
	}
	r := n.region(region)
	switch {
	case r == nil:
		return "", false
	case digits[0] == '0':
		digits = digits[1:]
		if digits[0] == '0' || len(digits) < minNational || !r.trunk && !(r.zero>>(digits[0]-'0')&1 == 1 && r.used().match(digits)) {
			return "", false
		}
	case !r.holds(digits):
		return "", false
	}
	e164 = "+" + r.code + string(digits)
	return e164, n.fast(e164)
}

// holds reports whether digits without a plus and without a trunk prefix are
// surely the region's: it has such a number in use, and they do not begin with
// its own calling code. See weigh.
func (r *region) holds(digits []byte) bool {
	return len(digits) >= minBare && r.slow>>(digits[0]-'0')&1 == 0 && !strings.HasPrefix(string(digits), r.code) && r.used().match(digits)
}

// squeeze appends the digits of a cell that holds only one number and
// separators, and says whether a plus stands before them. It appends nothing if
// the cell needs cleanCell.
func squeeze(dst []byte, raw string) (digits []byte, plus bool) {
	s := strings.Trim(raw, " ")
	s = strings.TrimLeft(strings.TrimPrefix(s, "'"), " ")
	s = strings.TrimLeft(strings.TrimPrefix(s, "tel:"), " ")
	digits = dst
	dashes, slash, trunk, zeros := false, false, false, false // zeros: nothing but zeros since a dot
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c-'0' <= 9:
			if len(digits) == cap(digits) {
				return dst, false
			}
			digits = append(digits, c)
			zeros = zeros && c == '0'
		case c == ' ', c == ')':
		case c == '-' && i > 0:
			dashes = true
		case c == '/' && len(digits) <= longestAreaCode:
			slash = true
		case c == '(' && !strings.HasPrefix(s[i:], "(0)"):
		case c == '(' && plus && !trunk && !dialsZeroFromAbroad(digits): // "+49 (0)151"
			trunk, i = true, i+len("0)")
		case c == '.' && plus:
			zeros = true
		case c == '+' && !plus && len(digits) == 0:
			plus = true
		default:
			return dst, false
		}
	}
	switch {
	case zeros: // a column of floats
		return dst, false
	case dashes && !plus && len(digits) > 0 && (digits[0] == '1' || digits[0] == '2'), slash && mayBeDate(s):
		return dst, false
	}
	return digits, plus
}

const allDigits = 1<<10 - 1

// firstDigits is the set of digits that a match of the pattern may begin with.
func firstDigits(pattern string) (set uint16) {
	if pattern == "" {
		return 0
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return allDigits
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return allDigits
	}
	for _, pc := range closure(prog, []uint32{uint32(prog.Start)}) {
		for d := range 10 {
			if reads(prog, pc, d) {
				set |= 1 << d
			}
		}
	}
	return set
}

// reads reports whether an instruction reads the digit d.
func reads(prog *syntax.Prog, pc uint32, d int) bool {
	inst := &prog.Inst[pc]
	return inst.Op != syntax.InstMatch && inst.MatchRune(rune('0'+d))
}

// automaton recognises the strings of digits that match a pattern as a whole.
type automaton struct {
	next   [][10]int16 // by state and digit; 0 is the dead state
	accept []bool
}

// newAutomaton makes an automaton by the subset construction. A pattern that is
// not a plain regular expression over digits makes one that accepts nothing.
func newAutomaton(pattern string) *automaton {
	a := &automaton{next: make([][10]int16, 1), accept: make([]bool, 1)}
	re, err := syntax.Parse("(?:"+pattern+")", syntax.Perl)
	if err != nil || pattern == "" {
		return a
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil || slices.ContainsFunc(prog.Inst, func(i syntax.Inst) bool { return i.Op == syntax.InstEmptyWidth }) {
		return a
	}
	known := map[string]int16{"": 0}
	var sets [][]uint32
	state := func(set []uint32) int16 {
		key := stateKey(set)
		id, ok := known[key]
		if !ok {
			id = int16(len(a.next))
			known[key] = id
			a.next, a.accept, sets = append(a.next, [10]int16{}), append(a.accept, false), append(sets, set)
		}
		return id
	}
	state(closure(prog, []uint32{uint32(prog.Start)}))
	const most = 1 << 14 // the largest region has some hundred states
	for i := 0; i < len(sets); i++ {
		if len(sets) > most {
			return &automaton{next: make([][10]int16, 1), accept: make([]bool, 1)}
		}
		for d := range 10 {
			var to []uint32
			for _, pc := range sets[i] {
				if reads(prog, pc, d) {
					to = append(to, prog.Inst[pc].Out)
				}
			}
			id := state(closure(prog, to)) // may move a.next
			a.next[i+1][d] = id
		}
		for _, pc := range sets[i] {
			a.accept[i+1] = a.accept[i+1] || prog.Inst[pc].Op == syntax.InstMatch
		}
	}
	return a
}

// closure returns, in order, the instructions that read a character or match and
// that start leads to without reading. It takes conditions, such as the end of
// the text, as met.
func closure(prog *syntax.Prog, start []uint32) (set []uint32) {
	seen := make(map[uint32]bool, len(start))
	for todo := start; len(todo) > 0; {
		pc := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch inst := &prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstEmptyWidth, syntax.InstNop:
			todo = append(todo, inst.Out)
		case syntax.InstFail:
		default:
			set = append(set, pc)
		}
	}
	slices.Sort(set)
	return set
}

func stateKey(set []uint32) string {
	var key []byte
	for _, pc := range set {
		key = binary.LittleEndian.AppendUint32(key, pc)
	}
	return string(key)
}

// match reports whether all of the digits match.
func (a *automaton) match(digits []byte) bool { return a.accept[a.run(digits)] }

// begins reports whether the digits are the beginning of a match, or begin with
// one.
func (a *automaton) begins(digits []byte) bool {
	for n := 1; n < len(digits); n++ {
		if a.match(digits[:n]) {
			return true
		}
	}
	return a.run(digits) != 0
}

func (a *automaton) run(digits []byte) int16 {
	s := int16(min(1, len(a.next)-1))
	for _, d := range digits {
		if s = a.next[s][d-'0']; s == 0 {
			return 0
		}
	}
	return s
}
