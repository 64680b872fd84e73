package sandbox

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// guard keeps out web pages of other sites: they must neither read the ledger
// nor write as people. A page can point its own host name at this machine (DNS
// rebinding), so the Host of a request must be a known one. A page can also post
// to a known host, so a request that changes something must not come from another
// site; browsers send that in Sec-Fetch-Site and Origin. text/plain bodies are
// refused: a form can post them across sites, and no provider takes them.
func guard(hosts []string, next http.Handler) http.Handler {
	var sites http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !knownHost(hosts, r.Host) {
			forbid(w, "the sandbox answers loopback names alone; start it with -allow-host=NAME to be called by another")
			return
		}
		if err := sites.Check(r); err != nil {
			forbid(w, "the request comes from a page of another site")
			return
		}
		if typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); typ == "text/plain" && r.Method != http.MethodGet && r.Method != http.MethodHead {
			forbid(w, "a text/plain body is not taken; post application/json")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func forbid(w http.ResponseWriter, why string) {
	jsonAnswer(http.StatusForbidden, map[string]string{"error": why}).write(w)
}

// knownHost reports whether the host of a request, with or without a port, is
// this machine's loopback or one of hosts.
func knownHost(hosts []string, host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return true
	}
	return host == "localhost" || slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(strings.Trim(h, "[]"), host) })
}

// ownHost returns the host of a listening address; none when the address stands
// for all interfaces.
func ownHost(addr string) []string {
	host, _, err := net.SplitHostPort(addr)
	if ip, ipErr := netip.ParseAddr(host); err != nil || host == "" || ipErr == nil && ip.IsUnspecified() {
		return nil
	}
	return []string{host}
}
