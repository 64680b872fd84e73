package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
)

// TestEncryptedPlanInAPipeline makes a plan in one job and applies it in
// another. The artefact between them reveals nothing without the key.
func TestEncryptedPlanInAPipeline(t *testing.T) {
	d, n := springDesk(t)
	mine, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	d.write("mine.txt", "# created: today\n"+mine.String()+"\n")
	d.write("other.txt", other.String()+"\n")

	d.must(1, "plan", "-encrypt="+mine.Recipient().String())
	wantAll(t, d.stderr.String(), "-encrypt needs -out=FILE")
	d.must(1, "plan", "-out=x.plan", "-encrypt=age1nonsense")
	wantAll(t, d.stderr.String(), "is no age recipient")
	d.must(1, "plan", "-out=x.plan", "-encrypt="+mine.String())
	wantAll(t, d.stderr.String(), "this is a secret identity")

	wantAll(t, d.must(0, "plan", "-out=x.plan", "-encrypt="+mine.Recipient().String()), "handbill apply x.plan -identity=FILE")
	data, err := os.ReadFile(filepath.Join(d.dir, "x.plan"))
	if err != nil || !bytes.HasPrefix(data, []byte("age-encryption.org/v1\n")) {
		t.Fatalf("the file begins with %.30q, %v", data, err)
	}
	for _, cmd := range []string{"show", "apply"} {
		d.must(1, cmd, "x.plan")
		wantAll(t, d.stderr.String(), "it is encrypted", "-identity=FILE")
		d.must(1, cmd, "-identity=other.txt", "x.plan")
		wantAll(t, d.stderr.String(), "not encrypted to the identity in other.txt")
		d.must(1, cmd, "-identity=main.hcl", "x.plan")
		wantAll(t, d.stderr.String(), "it holds no age identity")
	}
	if n.count() != 0 {
		t.Fatal("something was sent without the key")
	}
	wantAll(t, d.must(0, "show", "-identity=mine.txt", "x.plan"), "5 messages to send")
	d.must(0, "apply", "-identity=mine.txt", "x.plan")
	if n.count() != 5 {
		t.Errorf("%d messages were sent, want 5", n.count())
	}
	// A plan that is not encrypted needs no key; having one does no harm.
	d.must(0, "plan", "-out=plain.plan")
	d.must(0, "show", "-identity=mine.txt", "plain.plan")
}
