package sqlite

import (
	"testing"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// benin is a number of Benin as it is written today, or before 2024-11-30.
func benin(digit string, old bool) string {
	if old {
		return "+2299712340" + digit
	}
	return "+229019712340" + digit
}

// TestKnownUnderBothNumbers checks that people whom a handbill of format 3 took
// for two, under the old and the new spelling that every number in Benin has,
// are one person after the migration, in whatever order the events came.
func TestKnownUnderBothNumbers(t *testing.T) {
	s, err := Open(t.Context(), stateOf(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	verify(t, s)
	both := func(digit string, check func(state.Person)) {
		t.Helper()
		for _, old := range []bool{true, false} {
			check(person(t, s, benin(digit, old)))
		}
	}
	for digit, why := range map[string]string{
		"1": "said stop under the old number",
		"2": "said stop under the new one; an opt-in of who was taken for another says nothing",
		"3": "said stop under the old number, and has a user id",
		"4": "had the number when they said stop; now somebody else has it",
		"5": "was erased under the new number, and wrote under the old one after",
		"7": "said stop under the new number, and never had the old one",
		"9": "said stop by a user id; the other id is of another portfolio",
	} {
		both(digit, func(p state.Person) {
			if !p.OptedOut {
				t.Errorf("%s, who %s, gets marketing", p.Recipient, why)
			}
		})
	}
	both("1", func(p state.Person) {
		// The person has the windows of both numbers, the newest message, and
		// what was set last under either.
		if !p.Handover || !p.WindowEnds.Equal(noon.Add(23*time.Hour)) || p.Attributes["shoe"] != "38" || p.Attributes["city"] == "" {
			t.Errorf("%+v", p)
		}
		other, err := s.Person(t.Context(), "provider.cloud.other", p.Recipient)
		if err != nil || !other.WindowEnds.Equal(noon.Add(21*time.Hour)) {
			t.Errorf("at the other sending number: %+v, %v", other, err)
		}
	})
	both("4", func(p state.Person) {
		if !p.LastInbound.Equal(noon.Add(-time.Hour)) {
			t.Errorf("the number is not with who had it last: %+v", p)
		}
	})
	both("5", func(p state.Person) {
		if p.OptOut != "erased" || !p.LastInbound.IsZero() {
			t.Errorf("something is kept of who was erased: %+v", p)
		}
	})
	both("8", func(p state.Person) {
		if p.OptedOut || !p.WindowEnds.Equal(noon.Add(23*time.Hour)) {
			t.Errorf("%+v", p)
		}
	})
	if p := person(t, s, "BJ.91"); !p.OptedOut {
		t.Error("the stop of one portfolio's id does not hold for the other's")
	}
	run := begin(t, s)
	for _, old := range []bool{true, false} {
		if v := intend(t, s, run, intent(s, benin("6", old)))[0]; v.Gate != delivery.GateSent {
			t.Errorf("sent again to %s: %+v", benin("6", old), v)
		}
	}
}

// TestErasedUnderEitherNumber checks that a record of an erasure counts for
// both spellings of a number, even if the state took them for two people when
// it was made.
func TestErasedUnderEitherNumber(t *testing.T) {
	for _, old := range []bool{true, false} {
		s, _ := create(t)
		err := s.write(t.Context(), func(tx *tx) error {
			w := tx.insert(tErased, 0)
			w.blob(s.hashOf(benin("1", old)))
			w.int(tx.now)
			_, err := w.done()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		erased, err := snapshot(t, s).Erased(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, asked := range []bool{true, false} {
			if p := person(t, s, benin("1", asked)); !p.OptedOut || !erased(benin("1", asked)) {
				t.Errorf("%s was erased, and of %s the state says %+v", benin("1", old), benin("1", asked), p)
			}
		}
		if erased(benin("2", true)) {
			t.Error("somebody else is taken for erased")
		}
	}
}
