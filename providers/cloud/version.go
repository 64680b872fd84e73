package cloud

import (
	"fmt"
	"time"
)

// defaultVersion is the newest version of the Graph API when this was written.
const defaultVersion = "v26.0"

// versionEnds are the days on which versions of the Graph API end; versions
// without a date are left out. Meta answers calls to an ended version with the
// oldest version that still works.
// Source: Meta, graph-api/changelog, read 2026-11-29.
var versionEnds = map[string]string{
	"v25.0": "2028-07-29", "v24.0": "2028-02-18", "v23.0": "2027-10-08", "v22.0": "2027-05-20", "v21.0": "2027-01-21",
	"v20.0": "2026-09-24", "v19.0": "2026-05-21", "v18.0": "2026-01-26", "v17.0": "2025-09-12", "v16.0": "2025-05-14",
	"v15.0": "2024-11-20", "v14.0": "2024-09-17", "v13.0": "2024-05-28",
}

// oldestVersion is the oldest of versionEnds: all before it have ended.
const oldestVersion = 13

// soon is how long before a version's end handbill starts to warn.
const soon = 60 * 24 * time.Hour

// VersionEnded returns a sentence if the version of the Graph API has ended or
// ends soon at the given time, and "" otherwise. It is "" for unknown versions
// too, such as those released after this was written.
func VersionEnded(version string, at time.Time) string {
	if version == "" {
		version = defaultVersion
	}
	day, known := versionEnds[version]
	var major, minor int
	if _, err := fmt.Sscanf(version, "v%d.%d", &major, &minor); !known && (err != nil || major >= oldestVersion) {
		return ""
	}
	const advice = `Meta answers its calls by the oldest version that is left, so requests and answers may have another form. Say api_version = "` + defaultVersion + `", or leave it out.`
	if !known {
		return fmt.Sprintf("Version %s of the Graph API has ended. ", version) + advice
	}
	end, err := time.Parse(time.DateOnly, day)
	switch {
	case err != nil, at.Before(end.Add(-soon)):
		return ""
	case at.Before(end):
		return fmt.Sprintf("Version %s of the Graph API ends on %s. From then on ", version, day) + advice
	}
	return fmt.Sprintf("Version %s of the Graph API ended on %s. ", version, day) + advice
}
