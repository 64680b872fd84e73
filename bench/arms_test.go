package bench

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// armsConfig adds an experiment with two arms and a holdout to three variants: six
// texts, each with a link of the recipient's own.
const armsConfig = `
provider "sandbox" "main" { url = "http://127.0.0.1:1" }

audience "people" {
  source "csv" { path = "contacts.csv" }
  region       = "DE"
  last_inbound = row.seen
  attributes   = { name = row.name, city = row.city, plan = row.plan }
}
link "shop" {
  url  = "https://shop.example/spring"
  base = "https://go.example.com"
}
text_message "text" {
  for_each = toset(["koeln", "bonn", "other", "koeln_long", "bonn_long", "other_long"])
  body     = "Hello ${recipient.name}, our ${each.key} spring catalog for ${upper(recipient.city)} is here. ${link.shop}"
}
campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = text_message.text["other"]

  on_invalid = "skip"
  variant "koeln" {
    when    = recipient.city == "Köln"
    message = text_message.text["koeln"]
  }
  variant "bonn" {
    when    = recipient.city == "Bonn"
    message = text_message.text["bonn"]
  }
  experiment {
    arm "short" { weight = 45 }
    arm "long" {
      weight  = 45
      message = text_message.text["other_long"]
      variant "koeln" { message = text_message.text["koeln_long"] }
      variant "bonn" { message = text_message.text["bonn_long"] }
    }
    holdout = 10
    metric  = "replied"
    within  = "72h"
  }
}
`

// armsBaseline is planBaseline with three variants and two arms: it compares the city,
// hashes the number with a key, and counts who gets which of six texts. Arguments: the
// file.
func armsBaseline(args []string) (any, error) {
	var counts [2][3]int
	key := sha256.Sum256([]byte("spring"))
	held := 0
	err := eachContact(args[0], func(phone, name, city, _ string) error {
		variant := 2
		switch city {
		case "Köln":
			variant = 0
		case "Bonn":
			variant = 1
		}
		sum := sha256.Sum256(append(key[:], phone...))
		if binary.BigEndian.Uint64(sum[:])%10 == 0 {
			held++
			return nil
		}
		arm := sum[8] & 1
		text := "Hello " + name + ", our " + [2][3]string{{"koeln", "bonn", "other"}, {"koeln_long", "bonn_long", "other_long"}}[arm][variant] +
			" spring catalog for " + strings.ToUpper(city) + " is here. https://go.example.com/TOKEN0123456"
		if utf8.RuneCountInString(text) <= 4096 {
			counts[arm][variant]++
		}
		return nil
	})
	return held, err
}

// arms measures planning with variants and an experiment.
func (b *book) arms() {
	dir := filepath.Join(b.dir, "arms")
	b.must(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(armsConfig), 0o600), writeContacts(filepath.Join(dir, "contacts.csv"), *large))
	var ours, bare []used
	for range *runs {
		var held int
		bare = append(bare, b.child("arms", &held, filepath.Join(dir, "contacts.csv")))
		ours = append(ours, b.handbill(dir, "plan"))
	}
	if !strings.Contains(ours[0].out, "held out") {
		b.t.Fatal(fmt.Sprint("the plan holds nobody out:\n", ours[0].out))
	}
	b.ratio("plan, "+thousands(*large)+", 3 variants, 2 arms, link", ours, bare, 3, 300)
}
