package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/sandbox"
	network "github.com/handbill/handbill/sandbox"
)

// TestTemplatesOfEachWire reads one account, with more templates than fit one
// page, through each wire format that has a list. All see the same templates.
func TestTemplatesOfEachWire(t *testing.T) {
	n := network.New(network.Options{Clock: clock})
	for i := range 230 {
		err := n.PutTemplate(network.Template{Name: fmt.Sprintf("t%03d", (i*7)%230), Language: "en", Status: []string{"approved", "PAUSED", "rejected"}[i%3], Reason: "SCAM", Category: "utility", Quality: "RED",
			Components: json.RawMessage(`[{"type":"BODY","text":"Hello {{1}}"},{"type":"BUTTONS","buttons":[{"type":"URL","text":"See","url":"https://a.example/{{1}}"}]}]`)})
		if err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(n.Handler())
	defer server.Close()
	made := wires("token-of-the-test")
	made["cloud"] = func(base string) (providers.Provider, error) {
		return cloud.New(cloud.Config{PhoneNumberID: "1", AccessToken: "token-of-the-test", WABAID: sandbox.AccountID, BaseURL: base})
	}
	var first []account.Template
	for _, wire := range []string{"cloud", "dialog360", "onemsg"} {
		p := open(t, sandbox.Config{URL: server.URL, Wire: wire, Clock: clock}, made[wire])
		list, err := p.Templates(t.Context())
		if err != nil || len(list) != 230 || list[0].Name != "t000" || list[229].Name != "t229" {
			t.Fatalf("%s: %d templates, %v", wire, len(list), err)
		}
		for i := range list {
			list[i] = list[i].Decided()
			list[i].ID = ""
		}
		if first == nil {
			first = list
		}
		if diff := cmp.Diff(first, list); diff != "" {
			t.Errorf("%s tells another account (-cloud +%s):\n%s", wire, wire, diff)
		}
	}
	p := open(t, sandbox.Config{URL: server.URL, Wire: "kaleyra", Clock: clock}, made["kaleyra"])
	if list, err := p.Templates(t.Context()); err == nil || list != nil {
		t.Errorf("kaleyra: %v, %v", list, err)
	}
	p = open(t, sandbox.Config{Wire: "cloud", Clock: clock}, made["cloud"])
	if list, err := p.Templates(t.Context()); err == nil || list != nil {
		t.Errorf("a network of one run: %v, %v", list, err)
	}
}
