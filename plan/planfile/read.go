package planfile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// fileError says why a file is not a readable plan.
type fileError struct {
	Reason string // "not_a_plan", "encrypted", "version", "torn", "damaged", "too_large"
	Detail string
}

// Error returns a sentence that says what is wrong and what to do.
func (e *fileError) Error() string { return "the saved plan can't be read: " + e.Detail }

func damaged(format string, args ...any) error {
	return &fileError{"damaged", fmt.Sprintf(format, args...) + "; it was changed after it was written, plan again"}
}

func torn() error {
	return &fileError{"torn", "it ends too early, as after a full disk or a broken transfer; get it again or plan again"}
}

// ageMagic is how every file that age encrypts begins.
const ageMagic = "age-encryption.org/v1\n"

// Read reads a saved plan and proves that it is whole: every checksum, every
// entry, the counts and the digest. Entries are streamed from r afterwards, so
// that r must stay open as long as the plan is used. Memory does not grow with
// the number of entries, nor with what a hostile file claims.
func Read(r io.ReaderAt, size int64) (*plan.Plan, *ConfigSnapshot, error) {
	f := &planFile{r: r, size: size}
	if err := f.scan(); err != nil {
		return nil, nil, err
	}
	p, err := f.plan()
	if err != nil {
		return nil, nil, err
	}
	snap := &ConfigSnapshot{}
	if err := message.DecodeStrict(f.config, snap); err != nil {
		return nil, nil, damaged("its configuration does not decode (%v)", err)
	}
	if err := f.verify(p); err != nil {
		return nil, nil, err
	}
	return p, snap, nil
}

// ReadEncrypted reads a plan that WriteEncrypted saved.
func ReadEncrypted(r io.ReaderAt, size int64, identities ...age.Identity) (*plan.Plan, *ConfigSnapshot, error) {
	plain, n, err := age.DecryptReaderAt(r, size, identities...)
	if err != nil {
		return nil, nil, fmt.Errorf("decrypting the saved plan: %w", err)
	}
	return Read(plain, n)
}

// planFile is a saved plan while it is read.
type planFile struct {
	r             io.ReaderAt
	size          int64
	header        []byte
	config        []byte
	drafts        []byte
	entriesFrom   int64 // where the first frame of entries is
	entriesTo     int64
	count         uint64
	seenEntries   bool
	sectionBefore byte
}

// order is the order of sections.
const order = "HCDEZ"

// scan reads the whole file once: it checks every frame and keeps the small
// sections.
func (f *planFile) scan() error {
	sum := sha256.New()
	fr := &frameReader{r: bufio.NewReaderSize(io.NewSectionReader(f.r, 0, f.size), 256<<10), sum: sum}
	if err := fr.magic(); err != nil {
		return err
	}
	f.sectionBefore = order[0]
	for {
		before := fr.pos
		section, content, err := fr.next()
		if err != nil {
			return err
		}
		if strings.IndexByte(order, section) < strings.IndexByte(order, f.sectionBefore) {
			return damaged("its sections are not in order")
		}
		f.sectionBefore = section
		if section == sectionEnd {
			return f.end(fr, content, before)
		}
		if err := f.keep(section, content, before); err != nil {
			return err
		}
	}
}

// keep collects a frame of a small section, or notes where entries are.
func (f *planFile) keep(section byte, frame func() ([]byte, error), at int64) error {
	into, limit := &f.header, maxHeader
	switch section {
	case sectionConfig:
		into, limit = &f.config, maxConfig
	case sectionDrafts:
		into, limit = &f.drafts, maxDrafts
	case sectionEntries:
		if !f.seenEntries {
			f.entriesFrom, f.seenEntries = at, true
		}
		return nil
	}
	content, err := frame()
	if err != nil {
		return err
	}
	if len(*into)+len(content) > limit {
		return &fileError{"too_large", fmt.Sprintf("its section %c has more than %d bytes", section, limit)}
	}
	*into = append(*into, content...)
	return nil
}

// end checks the last frame.
func (f *planFile) end(fr *frameReader, frame func() ([]byte, error), at int64) error {
	content, err := frame()
	if err != nil {
		return err
	}
	if len(content) != endContent || !bytes.Equal(content[8:], fr.before) {
		return damaged("its checksum is wrong")
	}
	if fr.pos != f.size {
		return damaged("something follows its end")
	}
	f.count = binary.LittleEndian.Uint64(content)
	f.entriesTo = at
	if !f.seenEntries {
		f.entriesFrom = at
	}
	return nil
}

// plan decodes the header and the drafts.
func (f *planFile) plan() (*plan.Plan, error) {
	var h fileHeader
	if err := message.DecodeStrict(f.header, &h); err != nil {
		return nil, damaged("its header does not decode (%v)", err)
	}
	p := h.Plan
	if p == nil || len(h.Campaigns) != len(p.Campaigns) || len(p.Campaigns) > maxCampaigns {
		return nil, damaged("its header is incomplete")
	}
	var err error
	if p.Drafts, err = readDrafts(f.drafts, h.Drafts); err != nil {
		return nil, err
	}
	for i := range p.Campaigns {
		c, saved := &p.Campaigns[i], h.Campaigns[i]
		c.Draft, c.FallbackDraft = saved.Draft, saved.Fallback
		if !inside(c.Draft, len(p.Drafts)) || !inside(c.FallbackDraft, len(p.Drafts)) {
			return nil, damaged("%s names a message that it does not have", c.Address)
		}
		if len(saved.Variants) != len(c.Variants) {
			return nil, damaged("%s has variants without messages", c.Address)
		}
		for k, drafts := range saved.Variants {
			if !inside(drafts[0], len(p.Drafts)) || !inside(drafts[1], len(p.Drafts)) {
				return nil, damaged("%s names a message that it does not have", c.Address)
			}
			c.Variants[k].Draft, c.Variants[k].FallbackDraft = drafts[0], drafts[1]
		}
		if !readArms(c, saved.Arms, len(p.Drafts)) {
			return nil, damaged("%s has arms without messages", c.Address)
		}
		if c.Quiet != nil {
			c.Quiet.Attribute = saved.Zone
		}
	}
	p.Attach(&savedEntries{f})
	return p, nil
}

// readArms gives the arms of a campaign their drafts, of which the plan has n.
func readArms(c *plan.Campaign, saved [][][2]int, n int) bool {
	if c.Experiment == nil || len(saved) != len(c.Experiment.Arms) {
		return c.Experiment == nil && len(saved) == 0
	}
	for i, drafts := range saved {
		texts := c.Experiment.Arms[i].Texts
		if len(drafts) != len(texts) {
			return false
		}
		for k, d := range drafts {
			if !inside(d[0], n) || !inside(d[1], n) {
				return false
			}
			texts[k].Draft, texts[k].FallbackDraft = d[0], d[1]
		}
	}
	return true
}

func inside(draft, n int) bool { return draft >= -1 && draft < n }

func readDrafts(data []byte, n int) ([]*message.Draft, error) {
	var list []*message.Draft
	for range n {
		size, used := binary.Uvarint(data)
		if used <= 0 || size > uint64(len(data)-used) {
			return nil, damaged("its messages do not decode")
		}
		draft, err := message.UnmarshalDraft(data[used : used+int(size)])
		if err != nil {
			return nil, damaged("a message does not decode (%v)", err)
		}
		list, data = append(list, draft), data[used+int(size):]
	}
	if len(data) > 0 {
		return nil, damaged("it has more messages than it says")
	}
	return list, nil
}

// verify reads every entry, and checks counts and digest against them.
func (f *planFile) verify(p *plan.Plan) error {
	sums, err := p.Sum()
	if err != nil {
		var known *fileError
		if errors.As(err, &known) {
			return err
		}
		return damaged("%v", err)
	}
	if sums.Entries != f.count {
		return damaged("it has %d entries and says %d", sums.Entries, f.count)
	}
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		if !sums.Counts[i].Equal(&c.Counts) || sums.Recipients[i] != c.Recipients {
			return damaged("the counts of %s are not those of its entries", c.Address)
		}
	}
	if sums.Digest != p.Digest {
		return damaged("its digest is not that of what it decides")
	}
	return nil
}

// savedEntries is the spool of a plan that was read from a file.
type savedEntries struct{ f *planFile }

var errReadOnly = errors.New("a saved plan can't be added to")

func (s *savedEntries) Write([]byte) (int, error) { return 0, errReadOnly }
func (s *savedEntries) Close() error              { return nil }

func (s *savedEntries) Open() (io.Reader, error) {
	section := io.NewSectionReader(s.f.r, s.f.entriesFrom, s.f.entriesTo-s.f.entriesFrom)
	return &entryReader{frames: frameReader{r: bufio.NewReaderSize(section, 64<<10)}}, nil
}

// entryReader joins the contents of frames.
type entryReader struct {
	frames frameReader
	rest   []byte
}

func (r *entryReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if _, err := r.frames.r.Peek(1); err == io.EOF {
			return 0, io.EOF
		}
		_, content, err := r.frames.next()
		if err != nil {
			return 0, err
		}
		if r.rest, err = content(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
