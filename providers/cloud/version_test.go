package cloud

import (
	"strings"
	"testing"
	"time"
)

func TestVersionsEnd(t *testing.T) {
	day := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ version, at, want string }{
		{"", "2026-11-29", ""},
		{"v25.0", "2026-11-29", ""},
		{"v20.0", "2026-11-29", "Version v20.0 of the Graph API ended on 2026-09-24. "},
		{"v20.0", "2026-09-24", "Version v20.0 of the Graph API ended on 2026-09-24. "},
		{"v20.0", "2026-09-23", "Version v20.0 of the Graph API ends on 2026-09-24. From then on "},
		{"v20.0", "2026-07-01", ""},
		{"v3.3", "2026-11-29", "Version v3.3 of the Graph API has ended. "},
		{"v27.0", "2027-06-01", ""}, // its end is not announced
	} {
		got := VersionEnded(c.version, day(c.at))
		if !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%q on %s: %q, want %q", c.version, c.at, got, c.want)
		}
	}
}

// If a date could not be parsed, the version's end would never be warned of.
func TestEveryEndIsADay(t *testing.T) {
	oldest := false
	for version, day := range versionEnds {
		if _, err := time.Parse(time.DateOnly, day); err != nil || !versionForm.MatchString(version) {
			t.Errorf("%s: %v", version, err)
		}
		oldest = oldest || version == "v13.0"
	}
	if !oldest {
		t.Errorf("v%d.0 is missing", oldestVersion)
	}
}
