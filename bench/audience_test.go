package bench

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// config is the campaign of the table: a list message with three references, a
// conditional and upper().
const config = `
provider "sandbox" "main" {
  url        = "%s"
  throughput = %d
}

list_message "browse" {
  body   = "Hello ${recipient.name}, our spring catalog for ${upper(recipient.city)} is here. ${recipient.plan == "pro" ? "As a pro you get 10 percent off." : "Take a look!"}"
  button = "View catalog"

  section "Featured products" {
    row "prod_alpha" {
      title       = "Alpha Widget"
      description = "Compact model"
    }
    row "prod_beta" {
      title       = "Beta Widget"
      description = "Standard model"
    }
  }
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  region       = "DE"
  last_inbound = row.seen
  attributes   = { name = row.name, city = row.city, plan = row.plan }
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.people
  message    = list_message.browse
  on_invalid = "skip"
}
`

// space writes a directory with the campaign for n recipients, sent through the
// server at url with the given throughput per second.
func space(dir, url string, throughput, n int) error {
	return spaceOf(dir, url, throughput, n, writeContacts)
}

func spaceOf(dir, url string, throughput, n int, contacts func(path string, n int) error) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), fmt.Appendf(nil, config, url, throughput), 0o600); err != nil {
		return err
	}
	return contacts(filepath.Join(dir, "contacts.csv"), n)
}

// writeContacts writes an audience of n rows: names in several scripts, most
// numbers in E.164, a fifth in national form, and 1 % invalid.
func writeContacts(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"Anna", "José", "Βασίλης", "Ольга", "李雷", "Mehmet", "أحمد", "Zoë", "Søren", "Kim"}
	cities := []string{"Köln", "Bonn", "Ulm", "São Paulo", "Athens"}
	plans := []string{"pro", "free"}
	seen := time.Now().Add(-2 * time.Hour).UTC().Format(time.RFC3339)
	fmt.Fprintln(w, "phone,name,city,plan,seen")
	for i := range n {
		phone := fmt.Sprintf("+4915%09d", 100_000_000+i)
		switch k := r.IntN(100); {
		case k == 0:
			phone = "n/a"
		case k <= 20:
			phone = fmt.Sprintf("015%09d", 100_000_000+i)
		}
		fmt.Fprintf(w, "%s,%s %d,%s,%s,%s\n", phone, names[r.IntN(len(names))], i, cities[r.IntN(len(cities))], plans[r.IntN(2)], seen)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
