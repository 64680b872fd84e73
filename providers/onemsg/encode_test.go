package onemsg_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/providers/providertest"
)

func open(t testing.TB, change func(*onemsg.Config)) *onemsg.Provider {
	t.Helper()
	c := onemsg.Config{ChannelID: "VID182868781", Token: "token-of-the-test", WebhookToken: "new-secret,old-secret"}
	if change != nil {
		change(&c)
	}
	p, err := onemsg.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPublishedRequests compares with the requests in 1msg's documentation:
// interactive list, availability inquiry, incoming client request. Only the
// list's action differs: the label is in both of the fields that may hold it.
func TestPublishedRequests(t *testing.T) {
	list := &message.List{
		Body: "Browse our catalog for spring promotion:", Button: "View catalog",
		Sections: []message.Section{
			{Title: "Featured products", Rows: []message.Row{
				{ID: "prod_alpha", Title: "Alpha Widget", Description: "Compact model"},
				{ID: "prod_beta", Title: "Beta Widget", Description: "Standard model"},
			}},
			{Title: "Bundles", Rows: []message.Row{
				{ID: "bundle_starter", Title: "Starter pack", Description: "Two items included"},
				{ID: "bundle_pro", Title: "Pro pack", Description: "Four items included"},
			}},
		},
	}
	for _, test := range []struct {
		name, path, want string
		m                message.Message
	}{
		{"interactive list", "/sendList", `{
			"phone": "12025550123", "body": "Browse our catalog for spring promotion:",
			"buttonText": "View catalog", "action": "View catalog",
			"sections": [
				{"title": "Featured products", "rows": [
					{"id": "prod_alpha", "title": "Alpha Widget", "description": "Compact model"},
					{"id": "prod_beta", "title": "Beta Widget", "description": "Standard model"}]},
				{"title": "Bundles", "rows": [
					{"id": "bundle_starter", "title": "Starter pack", "description": "Two items included"},
					{"id": "bundle_pro", "title": "Pro pack", "description": "Four items included"}]}]}`, list},
		{"availability inquiry", "/sendMessage", `{"phone": "12025550123",
			"body": "Hello, Alexey! «Premium Plan license» is currently in stock — ready to ship today. Reply here if you want to reserve, get a restock alert, or see similar options."}`,
			&message.Text{Body: "Hello, Alexey! «Premium Plan license» is currently in stock — ready to ship today. Reply here if you want to reserve, get a restock alert, or see similar options."}},
		{"incoming client request", "/sendMessage", `{"phone": "12025550123",
			"body": "Hello, Alexey! We received your request about «CRM for a sales team». Manager Anna is reviewing it and will reply shortly."}`,
			&message.Text{Body: "Hello, Alexey! We received your request about «CRM for a sales team». Manager Anna is reviewing it and will reply shortly."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := open(t, nil).Encode(message.Address{Phone: providertest.To}, test.m, providertest.Ref)
			if err != nil {
				t.Fatal(err)
			}
			if r.Path != test.path {
				t.Errorf("path %s, want %s", r.Path, test.path)
			}
			if diff := cmp.Diff(parse(t, test.want), parse(t, string(r.Body))); diff != "" {
				t.Errorf("the request differs (-published +ours):\n%s", diff)
			}
		})
	}
}

func parse(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestUserID(t *testing.T) {
	r, err := open(t, nil).Encode(message.Address{UserID: "US.13491208655302741918"}, &message.Text{Body: "Hi"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"chatId":"US.13491208655302741918@lid","body":"Hi"}`; string(r.Body) != want {
		t.Errorf("got %s, want %s", r.Body, want)
	}
	if _, err := open(t, nil).Encode(message.Address{}, &message.Text{Body: "Hi"}, ""); err == nil {
		t.Error("a message to nobody was encoded")
	}
}

func TestMMLite(t *testing.T) {
	off := false
	p := open(t, func(c *onemsg.Config) { c.MMLite = &off })
	r, err := p.Encode(message.Address{Phone: providertest.To}, &message.Template{Name: "hello", Language: "en"}, "")
	if err != nil || !strings.Contains(string(r.Body), `"useMMlite":false`) {
		t.Errorf("got %s, %v", r.Body, err)
	}
}

func TestWhatIsNotCarried(t *testing.T) {
	for _, m := range []message.Message{&message.Catalog{Body: "b"}, &message.Call{Body: "b"}, &message.ContactRequest{Body: "b"}} {
		_, err := open(t, nil).Encode(message.Address{Phone: providertest.To}, m, "")
		if err == nil || !strings.Contains(err.Error(), "1msg can't carry a "+string(m.Kind())) {
			t.Errorf("%s: %v", m.Kind(), err)
		}
	}
}

// TestFilename checks the file name of a link: sendFile derives the type of the
// file from it.
func TestFilename(t *testing.T) {
	for _, test := range []struct {
		ref  message.MediaRef
		want string
	}{
		{message.MediaRef{Type: message.Image, Link: "https://shop.example/a/pot.JPG?v=1"}, "pot.JPG"},
		{message.MediaRef{Type: message.Image, Link: "https://shop.example/image?id=7"}, "image.jpg"},
		{message.MediaRef{Type: message.Video, Link: "https://shop.example/film.php"}, "video.mp4"},
		{message.MediaRef{Type: message.Document, Link: "https://shop.example/x", Filename: "prices.xlsx"}, "prices.xlsx"},
	} {
		r, err := open(t, nil).Encode(message.Address{Phone: providertest.To}, &message.Media{MediaRef: test.ref}, "")
		if err != nil || !strings.Contains(string(r.Body), `"filename":"`+test.want+`"`) {
			t.Errorf("%s: got %s, %v, want %s", test.ref.Link, r.Body, err, test.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*onemsg.Config)
		want   string
	}{
		{"no channel", func(c *onemsg.Config) { c.ChannelID = "" }, "channel_id is missing"},
		{"a path in the channel", func(c *onemsg.Config) { c.ChannelID = "../x" }, "channel_id: expected letters"},
		{"no token", func(c *onemsg.Config) { c.Token = "" }, "token is missing"},
		{"a token with a line end", func(c *onemsg.Config) { c.Token = "abc\n" }, "token holds white space"},
		{"plain http", func(c *onemsg.Config) { c.BaseURL = "http://api.1msg.io" }, "http is for this machine only"},
		{"throughput", func(c *onemsg.Config) { c.Throughput = 5000 }, "throughput: expected"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := onemsg.Config{ChannelID: "VID1", Token: "t"}
			test.change(&c)
			_, err := onemsg.New(c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestThroughput(t *testing.T) {
	p := open(t, func(c *onemsg.Config) { c.Throughput = 7 })
	if got := p.Profile().Throughput.Value; got != 7 {
		t.Errorf("throughput %g, want 7", got)
	}
	if got := open(t, nil).Profile().Throughput.Value; got != 20 {
		t.Errorf("throughput %g, want 20", got)
	}
}

var _ providers.PathGuard = (*onemsg.Provider)(nil)
