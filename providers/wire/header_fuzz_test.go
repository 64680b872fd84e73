package wire_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/handbill/handbill/providers/wire"
)

// FuzzRetryAfter checks that, whatever the headers say, a wait is not negative
// and not longer than a day.
func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "")
	f.Add("-1", "")
	f.Add("Mon, 02 Mar 2026 12:02:00 GMT", "Mon, 02 Mar 2026 12:00:00 GMT")
	f.Add("Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT")
	f.Add("9223372036854775807", "x")
	f.Add("2147483647", "")
	f.Fuzz(func(t *testing.T, after, date string) {
		h := http.Header{"Retry-After": {after}, "Date": {date}}
		if d := wire.RetryAfter(h); d < 0 || d > 24*time.Hour {
			t.Errorf("Retry-After %q at %q waits %v", after, date, d)
		}
	})
}
