// Package planfile saves a plan to a file and reads it back, whole or not at
// all.
//
// A saved plan is what was reviewed: "handbill plan -out=F" writes it, somebody
// approves it, and "handbill apply F" does what it says, even when files and
// contacts have changed meanwhile. So a file that was cut, glued together or
// changed is never taken for a plan (fileError), and one that is too old, was
// made by another handbill or for another state is not applied (staleError).
//
//	offset  bytes
//	0       "hbplan\x00", and the format's version, 1
//	8       frames, each: section (H, C, D, E or Z), length of its content,
//	        length of that compressed with zstd, CRC-32C of the compressed
//	        bytes (little endian, 32 bits each), the compressed bytes
//
// Package plan defines how an entry is written (plan.AppendEntry), because the
// plan's digest is made of the same bytes.
package planfile

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"sync"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// A saved plan is a magic of eight bytes, the last one of which is the
// format's version, and then frames: a byte for the section, the lengths of
// the content before and after compression, a CRC-32C of the compressed bytes
// (all little endian, 32 bits), and those bytes. The sections come in the
// order below; each may take several frames. The last frame has the number of
// entries and a SHA-256 over all bytes before it, so that a file that was cut,
// glued or changed is never taken for a plan.
const fileMagic = "hbplan\x00\x01"

// The sections of a saved plan.
const (
	sectionHeader  = 'H' // JSON of fileHeader
	sectionConfig  = 'C' // JSON of ConfigSnapshot
	sectionDrafts  = 'D' // for each draft its length and its JSON
	sectionEntries = 'E' // entries, as plan.AppendEntry makes them
	sectionEnd     = 'Z'
)

// Bounds of what is written and read back.
const (
	frameBytes   = 256 << 10 // content of a frame that is written
	maxFrame     = 1 << 20   // content of a frame that is read
	maxHeader    = 64 << 20
	maxConfig    = 64 << 20
	maxDrafts    = 64 << 20
	frameHead    = 1 + 4 + 4 + 4
	endContent   = 8 + sha256.Size
	maxCampaigns = 10_000
)

// ConfigSnapshot is the configuration that a plan was made from, so that
// apply needs no working tree. Values of sensitive variables are not in it and
// must be given again.
type ConfigSnapshot struct {
	Files     map[string][]byte          `json:"files"`
	Variables map[string]json.RawMessage `json:"variables"` // {"value": …, "type": …}
}

// SnapshotOf takes the snapshot of cfg.
func SnapshotOf(cfg *lang.Config) (ConfigSnapshot, error) {
	s := ConfigSnapshot{Files: cfg.Files, Variables: map[string]json.RawMessage{}}
	for _, v := range cfg.Variables {
		if v.Sensitive {
			continue
		}
		data, err := plan.VariableJSON(v)
		if err != nil {
			return s, err
		}
		s.Variables[v.Name] = data
	}
	return s, nil
}

// fileHeader is the plan without drafts and entries.
type fileHeader struct {
	Plan      *plan.Plan     `json:"plan"`
	Campaigns []fileCampaign `json:"campaigns"`
	Drafts    int            `json:"drafts"`
}

// fileCampaign is what the plan's own JSON leaves out of a campaign.
type fileCampaign struct {
	Draft    int `json:"draft"`
	Fallback int `json:"fallback"`
	Zone     int `json:"zone"`
	// Variants are the drafts of Campaign.Variants, each with its fallback's.
	Variants [][2]int `json:"variants,omitempty"`
	// Arms are those of each arm's texts.
	Arms [][][2]int `json:"arms,omitempty"`
}

// Write saves p. The file holds no secrets, and of recipients only what sending
// needs: somebody who is not sent to is a row with a reason.
func Write(w io.Writer, p *plan.Plan, snap ConfigSnapshot) error {
	fw, err := newFrameWriter(w)
	if err != nil {
		return err
	}
	header := fileHeader{Plan: p, Drafts: len(p.Drafts), Campaigns: make([]fileCampaign, len(p.Campaigns))}
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		header.Campaigns[i] = fileCampaign{Draft: c.Draft, Fallback: c.FallbackDraft, Zone: -1}
		for _, v := range c.Variants {
			header.Campaigns[i].Variants = append(header.Campaigns[i].Variants, [2]int{v.Draft, v.FallbackDraft})
		}
		if c.Experiment != nil {
			for a := range c.Experiment.Arms {
				var drafts [][2]int
				for _, t := range c.Experiment.Arms[a].Texts {
					drafts = append(drafts, [2]int{t.Draft, t.FallbackDraft})
				}
				header.Campaigns[i].Arms = append(header.Campaigns[i].Arms, drafts)
			}
		}
		if c.Quiet != nil {
			header.Campaigns[i].Zone = c.Quiet.Attribute
		}
	}
	if err := fw.json(sectionHeader, header); err != nil {
		return err
	}
	if err := fw.json(sectionConfig, snap); err != nil {
		return err
	}
	if err := fw.drafts(p.Drafts); err != nil {
		return err
	}
	n, err := fw.entries(p)
	if err != nil {
		return err
	}
	return fw.end(n)
}

// WriteEncrypted saves p so that only the recipients' identities can read it
// (age, https://age-encryption.org/v1).
func WriteEncrypted(w io.Writer, p *plan.Plan, snap ConfigSnapshot, recipients ...age.Recipient) error {
	enc, err := age.Encrypt(w, recipients...)
	if err != nil {
		return fmt.Errorf("encrypting the plan: %w", err)
	}
	if err := Write(enc, p, snap); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return fmt.Errorf("encrypting the plan: %w", err)
	}
	return nil
}

// frameWriter writes sections in frames.
type frameWriter struct {
	w      io.Writer
	sum    hash.Hash
	zip    *zstd.Encoder
	packed [framesAtOnce][]byte
}

// framesAtOnce is how many frames are compressed at the same time.
const framesAtOnce = 2

func newFrameWriter(w io.Writer) (*frameWriter, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(framesAtOnce),
		zstd.WithWindowSize(frameBytes), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("saving the plan: %w", err)
	}
	fw := &frameWriter{sum: sha256.New(), zip: zip}
	fw.w = io.MultiWriter(w, fw.sum)
	if _, err := io.WriteString(fw.w, fileMagic); err != nil {
		return nil, fmt.Errorf("saving the plan: %w", err)
	}
	return fw, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame writes one frame.
func (fw *frameWriter) frame(section byte, content []byte) error {
	fw.packed[0] = fw.pack(fw.packed[0][:0], section, content)
	return fw.write(fw.packed[0])
}

func (fw *frameWriter) write(frame []byte) error {
	if _, err := fw.w.Write(frame); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	return nil
}

// pack appends a frame to dst. It is safe for concurrent use.
func (fw *frameWriter) pack(dst []byte, section byte, content []byte) []byte {
	dst = append(dst, make([]byte, frameHead)...)
	if section == sectionEnd {
		dst = append(dst, content...)
	} else {
		dst = fw.zip.EncodeAll(content, dst)
	}
	head, body := dst[:frameHead], dst[frameHead:]
	head[0] = section
	binary.LittleEndian.PutUint32(head[1:], uint32(len(content)))
	binary.LittleEndian.PutUint32(head[5:], uint32(len(body)))
	binary.LittleEndian.PutUint32(head[9:], crc32.Checksum(body, castagnoli))
	return dst
}

// section writes content in as many frames as it takes, at least one.
func (fw *frameWriter) section(section byte, content []byte) error {
	for first := true; first || len(content) > 0; first = false {
		var wg sync.WaitGroup
		n := 0
		for n == 0 || n < len(fw.packed) && len(content) > 0 {
			size := min(len(content), frameBytes)
			i, part := n, content[:size]
			wg.Go(func() { fw.packed[i] = fw.pack(fw.packed[i][:0], section, part) })
			content = content[size:]
			n++
		}
		wg.Wait()
		for _, frame := range fw.packed[:n] {
			if err := fw.write(frame); err != nil {
				return err
			}
		}
	}
	return nil
}

func (fw *frameWriter) json(section byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	return fw.section(section, data)
}

func (fw *frameWriter) drafts(list []*message.Draft) error {
	var all []byte
	for _, d := range list {
		data, err := message.MarshalDraft(d)
		if err != nil {
			return fmt.Errorf("saving the plan: %w", err)
		}
		all = binary.AppendUvarint(all, uint64(len(data)))
		all = append(all, data...)
	}
	return fw.section(sectionDrafts, all)
}

// entries copies the plan's entries, without the addresses of those who are
// not sent to, and counts them.
func (fw *frameWriter) entries(p *plan.Plan) (n uint64, err error) {
	const enough = framesAtOnce * frameBytes
	content := make([]byte, 0, enough+enough/8)
	n, err = p.EachEncoded(func(raw []byte, unsent *plan.Entry) error {
		if unsent == nil {
			content = append(binary.AppendUvarint(content, uint64(len(raw))), raw...)
		} else {
			unsent.Recipient.Address = message.Address{}
			content = plan.AppendEntry(content, unsent, &p.Campaigns[unsent.Campaign])
		}
		if len(content) < enough {
			return nil
		}
		err := fw.section(sectionEntries, content[:enough])
		content = append(content[:0], content[enough:]...)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("saving the plan: %w", err)
	}
	if len(content) == 0 {
		return n, nil
	}
	return n, fw.section(sectionEntries, content)
}

func (fw *frameWriter) end(entries uint64) error {
	content := binary.LittleEndian.AppendUint64(nil, entries)
	return fw.frame(sectionEnd, fw.sum.Sum(content))
}
