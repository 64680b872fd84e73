package view_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/message"
)

// messages are one of each kind, with emoji and wide scripts.
func messages() []message.Message {
	image := &message.MediaRef{Type: message.Image, Link: "https://example.com/spring.png"}
	return []message.Message{
		&message.Text{Body: "Hello 👩‍👩‍👧‍👦!\nWe are open from 9 to 18, and this line is longer than a bubble is wide."},
		&message.List{Header: "Shipping Options", Body: "Choose your shipping option", Footer: "Trendy apparel: your ultimate style choices", Button: "Shipping Options", Sections: []message.Section{
			{Title: "I want it pretty quick!", Rows: []message.Row{{ID: "priority_express", Title: "Quick Mail Express", Description: "Next 2 days"}, {ID: "priority_mail", Title: "東京までの速達", Description: "2–3 Days"}}},
			{Title: "I am not in a hurry", Rows: []message.Row{{ID: "media_mail", Title: "Media Mail"}}}}},
		&message.Buttons{Header: message.Header{Media: image}, Body: "How was it?", Footer: "It takes a tap", Buttons: []message.Button{{ID: "good", Title: "Good 👍🏽"}, {ID: "bad", Title: "Not good"}}},
		&message.Link{Header: message.Header{Text: "Spring"}, Body: "See what is new.", Button: "Open the shop", URL: "https://example.com/shop"},
		&message.Media{MediaRef: message.MediaRef{Type: message.Document, Link: "https://example.com/list.pdf", Filename: "prices.pdf"}, Caption: "Our prices"},
		&message.Product{CatalogID: "1", ProductID: "prod_alpha", Body: "The alpha."},
		&message.ProductList{CatalogID: "1", Header: "Spring", Body: "What we have.", Sections: []message.ProductSection{{Title: "Widgets", Products: []string{"prod_alpha", "prod_beta"}}}},
		&message.Catalog{Body: "See everything.", Footer: "In stock", Thumbnail: "prod_alpha"},
		&message.Flow{Body: "Book a table.", Button: "Book", FlowID: "123"},
		&message.Template{Name: "spring_reopen", Language: "en", Header: &message.TemplateHeader{Media: image}, Body: []message.TemplateParameter{{Text: "Ada"}, {Name: "city", Text: "Köln"}},
			Buttons: []message.TemplateButton{{Index: 0, Type: message.TemplateURL, Text: "spring"}}, Offer: &message.TemplateOffer{Expires: "1772366400000"},
			Cards: []message.TemplateCard{{Body: []message.TemplateParameter{{Text: "One"}}, Buttons: []message.TemplateButton{{Type: message.TemplateQuickReply, Text: "yes"}}}}},
		&message.Contacts{Cards: []message.ContactCard{{FormattedName: "Ada Lovelace", Phones: []message.ContactPhone{{Phone: "+15550100000"}}, Emails: []message.ContactEmail{{Email: "ada@example.com"}}}}},
		&message.Location{Latitude: "52.52", Longitude: "13.405", Name: "Our shop", Address: "Berlin"},
		&message.Reaction{MessageID: "wamid.1", Emoji: "👍"},
		&message.Carousel{Body: "Three ideas", Cards: []message.CarouselCard{{Media: image, Body: "One", Button: "Open", URL: "https://example.com/1"}, {CatalogID: "1", ProductID: "prod_beta"}}},
		&message.LocationRequest{Body: "Where are you?"},
		&message.AddressRequest{Body: "Where shall it go?", Country: "IN"},
		&message.Call{Body: "Talk to us.", Button: "Call"},
		&message.CallPermissionRequest{Body: "May we call you?"},
		&message.ContactRequest{Body: "What is your number?"},
	}
}

// TestDrawGolden draws one message of every kind: for the terminal, in words,
// and on a page.
func TestDrawGolden(t *testing.T) {
	var b bytes.Buffer
	report := &view.PreviewReport{}
	seen := map[message.Kind]bool{}
	for _, m := range messages() {
		p := view.MessagePicture(m)
		seen[p.Kind] = true
		fmt.Fprintf(&b, "%s\n%s\n%s\n\n", p.Kind, p.Terminal(view.Style{}), strings.Join(p.Words(), "\n"))
		report.Groups = append(report.Groups, view.PreviewGroup{Address: string(p.Kind), Items: []view.PreviewItem{{Picture: p}}})
	}
	for _, k := range message.Kinds() {
		if !seen[k] {
			t.Errorf("no message of the kind %s is drawn", k)
		}
	}
	golden.Assert(t, b.Bytes(), filepath.Join("testdata", "draw.golden"))
	b.Reset()
	if err := report.HTML(&b, view.Style{}); err != nil {
		t.Fatal(err)
	}
	golden.Assert(t, b.Bytes(), filepath.Join("testdata", "draw.html.golden"))
}

// TestEveryTextIsDrawn checks that a picture contains every text that a
// recipient reads.
func TestEveryTextIsDrawn(t *testing.T) {
	for _, m := range messages() {
		words := strings.Join(view.MessagePicture(m).Words(), "\n")
		message.Fields(m, func(f message.Field) {
			hidden := strings.HasSuffix(f.Path, "catalog") || f.Path == "country" // ids that the phone does not show
			for _, l := range strings.Split(*f.Text, "\n") {
				if l != "" && !hidden && !strings.Contains(words, l) {
					t.Errorf("%s: %s = %q is not drawn in\n%s", m.Kind(), f.Path, l, words)
				}
			}
		})
	}
}

// TestBoxesAreStraight checks that every line of a drawing is as wide as the
// others, whatever the text.
func TestBoxesAreStraight(t *testing.T) {
	alphabet := []string{"a", " ", "漢", "字", "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪", "é", "e\u0301", "नमस्ते", "مرحبا", "\u200b", "\t", "\x1b[1m", "ﷺ", "…", "word ", "https://example.com/a/very/long/address/that/never/ends"}
	rapid.Check(t, func(t *rapid.T) {
		text := func() string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 30).Draw(t, "text"), "")
		}
		m := &message.List{Header: text(), Body: text() + "\n" + text(), Footer: text(), Button: text(), Sections: []message.Section{{Title: text(), Rows: []message.Row{{ID: "a", Title: text(), Description: text()}}}}}
		style := view.Style{Width: rapid.IntRange(20, 100).Draw(t, "width")}
		want := -1
		for _, l := range strings.Split(strings.TrimSuffix(view.MessagePicture(m).Terminal(style), "\n"), "\n") {
			got := uniseg.StringWidth(l)
			if want < 0 {
				want = got
			}
			if got != want || got > style.Width {
				t.Fatalf("a line is %d columns wide, the first one %d, the terminal %d: %q", got, want, style.Width, l)
			}
		}
	})
}

// TestSamples checks that a draft is drawn with the values of its slots, masked
// unless recipients are shown.
func TestSamples(t *testing.T) {
	d := &message.Draft{Message: &message.Text{}, Slots: []string{"recipient.name"},
		Bindings: []message.Binding{{Path: "body", Parts: []message.Part{{Text: "Hello ", Slot: -1}, {Slot: 0}, {Text: "!", Slot: -1}}}}}
	for _, c := range []struct {
		picture view.Picture
		want    string
	}{
		{view.SamplePicture(d, []string{"Jürgen"}, view.Style{}), "Hello J•••!"},
		{view.SamplePicture(d, []string{"Jürgen"}, view.Style{ShowRecipients: true}), "Hello Jürgen!"},
	} {
		if got := strings.Join(c.picture.Words(), "\n"); !strings.HasSuffix(got, "| "+c.want) {
			t.Errorf("drawn as %q, want %q", got, c.want)
		}
	}
}

// TestCompare checks that only differences are marked, and that one of two
// equal rows is marked if the other side has only one.
func TestCompare(t *testing.T) {
	list := func(titles ...string) *view.Picture {
		m := &message.List{Body: "Pick one", Button: "Open", Sections: []message.Section{{Title: "S"}}}
		for _, title := range titles {
			m.Sections[0].Rows = append(m.Sections[0].Rows, message.Row{ID: "id", Title: title})
		}
		p := view.MessagePicture(m)
		return &p
	}
	before, after := list("same", "old", "twice"), list("same", "new", "twice", "twice")
	view.Compare(before, after)
	var marks func(parts []view.Part) []string
	marks = func(parts []view.Part) (out []string) {
		for _, p := range parts {
			if p.Mark != "" {
				out = append(out, p.Mark+" "+p.Text.String())
			}
			out = append(out, marks(p.Parts)...)
		}
		return out
	}
	if diff := cmp.Diff([]string{"gone old"}, marks(before.Parts)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"new new", "new twice"}, marks(after.Parts)); diff != "" {
		t.Error(diff)
	}
}

// TestStatusGolden draws a status as a page and as a table.
func TestStatusGolden(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("testdata", "status.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r view.StatusReport
	if err := json.Unmarshal(src, &r); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.HTML(&b, view.Style{}); err != nil {
		t.Fatal(err)
	}
	golden.Assert(t, b.Bytes(), filepath.Join("testdata", "status.html.golden"))
	b.Reset()
	if err := r.CSV(&b, view.Style{}); err != nil {
		t.Fatal(err)
	}
	golden.Assert(t, b.Bytes(), filepath.Join("testdata", "status.csv.golden"))
}
