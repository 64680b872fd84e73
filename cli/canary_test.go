package cli_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/sandbox"
)

// secretCanaries are values that must not appear in the wrong place. Secrets must
// not be written anywhere. Personal data may be in the state and in a saved plan,
// which need it, and in output with -show-recipients.
func secretCanaries() map[string]string {
	return map[string]string{
		"ONEMSG_TOKEN": "canary-onemsg-token-7f3a", "CLOUD_TOKEN": "EAAcanarycloudtoken91b2", "APP_SECRET": "canary-app-secret-44d0",
		"KALEYRA_KEY": "Acanarykaleyrakey5c5c", "D360_KEY": "canary-360dialog-key-0e1f", "HEADER": "canary-webhook-header-a9a9",
		"DSN": "postgres://shop:canary-dsn-password-2b2b@127.0.0.1:1/shop", "HANDBILL_VAR_word": "canary-sensitive-variable-6d6d",
	}
}

func personCanaries() []string {
	return []string{"15155566677", "2025550147", "Zebulonia", "Quixotica", "voucher-KX-99-canary", "DE.canaryuser4711", "Profilina Canary", "my canary question", "canary-error-text"}
}

const canaryConfig = `
variable "word" {
  type      = string
  sensitive = true
}

provider "sandbox" "main" {
  url        = env("SANDBOX")
  throughput = 1000
}

provider "onemsg" "main" {
  channel_id = "ABC123"
  token      = env("ONEMSG_TOKEN")
}

provider "cloud" "main" {
  phone_number_id = "1"
  access_token    = env("CLOUD_TOKEN")
  app_secret      = env("APP_SECRET")
  base_url        = "http://127.0.0.1:1"
}

provider "kaleyra" "main" {
  sid          = "HXAP16"
  api_key      = env("KALEYRA_KEY")
  phone_number = "+914400000000"
}

provider "dialog360" "main" {
  api_key         = env("D360_KEY")
  webhook_headers = { X-Secret = env("HEADER") }
}

audience "customers" {
  source "csv" {
    path = "contacts.csv"
  }
  phone      = row.phone
  user_id    = row.user
  attributes = { name = row.name, voucher = row.voucher }
}

audience "shop" {
  source "sql" {
    driver = "postgres"
    dsn    = env("DSN")
    query  = "SELECT phone FROM people"
  }
}

text_message "hello" {
  body = "Hello ${recipient.name}, your voucher is ${recipient.voucher}."
}

campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.customers
  message  = text_message.hello
  window   = "assume_open"
}

output "word" {
  value     = var.word
  sensitive = true
}
`

const canaryCampaigns = `
text_message "plain" {
  body = "Hello."
}

campaign "database" {
  provider = provider.sandbox.main
  audience = audience.shop
  message  = text_message.plain
  window   = "assume_open"
}

campaign "unreachable" {
  provider     = provider.cloud.main
  audience     = audience.customers
  message      = text_message.plain
  window       = "assume_open"
  max_attempts = 1
}
`

// literalSecrets has secrets where none may stand.
const literalSecrets = `
handbill {
  state "postgres" { url = "URL" }
}

provider "cloud" "main" {
  access_token    = "TOKEN"
  phone_number_id = "1"
}
`

const canaryContacts = "phone,user,name,voucher\n+4915155566677,,Zebulonia,voucher-KX-99-canary\n+12025550147,,Quixotica,second\n,DE.canaryuser4711,Una,third\n"

// canaryScript makes the network repeat the request in its refusal, as gateways do.
const canaryScript = `{"rules": [{"match": {"to": "+12025550147"}, "answer": {"code": 100, "http": 400,
  "body": {"error": {"message": "(#100) canary-error-text +12025550147 Quixotica", "code": 100, "error_data": {"details": "recipient +12025550147 Quixotica is wrong"}}}}}]}`

// TestCanaries runs every command without -show-recipients, with the most verbose
// output, and looks for the canaries.
func TestCanaries(t *testing.T) {
	t.Parallel()
	g := &game{desk: newDesk(t), t: t}
	script, err := sandbox.ParseScript([]byte(canaryScript))
	if err != nil {
		t.Fatal(err)
	}
	g.net = newNetwork(g.desk, sandbox.Options{AssumeOpen: true, Throughput: 1000, Script: script})
	for name, value := range secretCanaries() {
		g.env = append(g.env, name+"="+value)
	}
	g.env = append(g.env, "HANDBILL_LOG=trace", "HANDBILL_LOG_PATH=handbill.log")
	g.write("main.hcl", canaryConfig)
	g.write("contacts.csv", canaryContacts)
	g.write("broken/main.hcl", canaryConfig+canaryCampaigns)
	g.write("broken/contacts.csv", canaryContacts)
	g.write("literal/main.hcl", strings.NewReplacer("TOKEN", secretCanaries()["CLOUD_TOKEN"], "URL", secretCanaries()["DSN"]).Replace(literalSecrets))
	g.write("ask.txt", "var.word\ntext_message.hello\nprovider.onemsg.main\n")
	g.watch(t, canaryCommands())
	g.inspect(t)
}

// canaryCommands are all commands except those that show unmasked data on request.
func canaryCommands() []string {
	list := []string{"init", "validate", "validate -json", "providers", "providers -json", "graph", "fmt -diff", "plan -out=saved.plan", "show saved.plan"}
	for _, format := range []string{"text", "json", "markdown", "html"} {
		list = append(list, "plan -deliveries -format="+format, "show -deliveries saved.plan -format="+format)
	}
	list = append(list, "plan -json", "preview", "preview campaign.spring", "preview -html=page.html campaign.spring",
		"apply -auto-approve -json", "apply saved.plan", "apply -auto-approve", "apply -auto-approve -retry=failed",
		"plan", "show", "show -json", "output", "output -json", "output word", "status", "status -json", "status -format=html", "status -format=csv",
		"state list", "state list campaign.spring", "state show text_message.hello", "state verify", "state mv campaign.spring campaign.x",
		"optouts list", "optouts add +12025550147", "optouts list", "refresh", "refresh -json", "state backup copy.state", "resolve -as=sent campaign.x[\"+4915155566677\"]",
		"try campaign.spring", "state rm campaign.nothing", "state unlock nothing", "apply nothing.plan", "plan -var=word=canary-sensitive-variable-6d6d",
		"plan -var=wrod=canary-sensitive-variable-6d6d", "providers check", "explain", "version", "help plan",
		"-chdir=broken validate", "-chdir=broken plan", "-chdir=broken plan -target=campaign.unreachable", "-chdir=broken apply -auto-approve -target=campaign.unreachable",
		"-chdir=literal validate", "-chdir=literal validate -json", "-chdir=literal plan -format=markdown", "-chdir=literal plan -json", "-chdir=literal apply -auto-approve",
		"-chdir=broken status", "state erase +4915155566677", "status")
	return list
}

// watch runs the commands and checks every byte that they write.
func (g *game) watch(t *testing.T, commands []string) {
	for _, line := range commands {
		if line == "status" { // by then people have written and stopped
			for _, ev := range []message.Event{
				{Kind: message.EventInbound, Type: "text", Text: "my canary question", ProfileName: "Profilina Canary"},
				{Kind: message.EventInbound, Type: "text", Text: "STOP"},
			} {
				if err := g.event(ev, "+4915155566677"); err != nil {
					t.Fatal(err)
				}
			}
		}
		g.run(strings.Fields(line)...)
		for name, out := range map[string]string{"stdout": g.desk.stdout.String(), "stderr": g.desk.stderr.String()} {
			g.hits(t, "handbill "+line+": "+name, []byte(out), true)
		}
	}
}

// inspect checks every file that was written.
func (g *game) inspect(t *testing.T) {
	err := filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := d.Name()
		if name == "main.hcl" || name == "contacts.csv" || name == "ask.txt" {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(data, []byte("hbplan")) {
			data = unpack(t, data)
		}
		g.hits(t, name, data, !strings.Contains(name, ".state") && !strings.HasSuffix(name, ".plan"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var wamid = regexp.MustCompile(`wamid\.[A-Za-z0-9+/=_-]+`)

// hits reports canaries in data, including in message ids, which contain the
// number.
func (g *game) hits(t *testing.T, where string, data []byte, people bool) {
	t.Helper()
	for _, id := range wamid.FindAll(data, -1) {
		if plain, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(id), "wamid.")); err == nil {
			data = append(append(data[:len(data):len(data)], '\n'), plain...)
		}
	}
	look := func(canary string) {
		if i := bytes.Index(data, []byte(canary)); i >= 0 {
			t.Errorf("%s holds %q: …%s…", where, canary, data[max(0, i-60):min(len(data), i+len(canary)+20)])
		}
	}
	for name, canary := range secretCanaries() {
		if name == "DSN" {
			canary = "canary-dsn-password"
		}
		look(canary)
	}
	if people {
		for _, canary := range personCanaries() {
			look(canary)
		}
	}
}

// unpack decompresses the frames of a saved plan.
func unpack(t *testing.T, data []byte) []byte {
	t.Helper()
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	var out []byte
	for at := 8; at+13 <= len(data); {
		size := int(binary.LittleEndian.Uint32(data[at+5:]))
		if at+13+size > len(data) {
			t.Fatal("the saved plan's frames have changed; this test reads them")
		}
		body := data[at+13 : at+13+size]
		if plain, err := dec.DecodeAll(body, nil); err == nil {
			body = plain
		}
		out = append(out, body...)
		at += 13 + size
	}
	if !bytes.Contains(out, []byte("Zebulonia")) {
		t.Error("the saved plan does not hold what it is to send; this test looks at the wrong bytes")
	}
	return out
}
