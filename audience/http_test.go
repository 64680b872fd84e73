package audience

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/internal/guarded"
)

// crmService answers as services do that people keep their contacts in.
func crmService(asked *[]string) http.Handler {
	mux := http.NewServeMux()
	answer := func(path, kind, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			*asked = append(*asked, r.URL.RequestURI()+" "+r.Header.Get("X-Api-Key"))
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, body)
		})
	}
	answer("/contacts.csv", "text/csv; charset=windows-1252", "phone;name\n+4915112345678;M\xfcller\n")
	answer("/lines", "application/x-ndjson", `{"phone": "+4915112345678"}`+"\n"+`{"phone": "+4915112345679"}`+"\n")
	answer("/all", "application/json", `{"data": {"contacts": [{"phone": "+4915112345678", "name": "Ann"}]}}`)
	answer("/untold", "application/octet-stream", "phone\n+4915112345678\n")
	answer("/page", "text/html", "<!doctype html><p>Please log in</p>")
	answer("/loop", "application/json", `{"items": [{"phone": "1"}], "next": "/loop?n=2"}`)
	answer("/away", "application/json", `{"items": [{"phone": "1"}], "next": "https://other.example/items"}`)
	answer("/broken", "application/json", `{"items": [{"phone": "1"}], "next": "/cut"}`)
	answer("/cut", "application/json", `{"items": [{"phone": "2"}, {"pho`)
	mux.HandleFunc("/items", func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.RequestURI()+" "+r.Header.Get("X-Api-Key"))
		w.Header().Set("Content-Type", "application/vnd.crm+json")
		fmt.Fprint(w, map[string]string{
			"":  `{"items": [{"phone": "+4915112345678", "name": "Ann"}, {"phone": "+4915112345679"}], "next": "?after=2"}`,
			"2": `{"items": [], "next": "/items?after=3"}`,
			"3": `{"items": [{"phone": "+4915112345680", "name": "Eve", "tier": "gold"}], "next": null}`,
		}[r.URL.Query().Get("after")])
	})
	mux.HandleFunc("/whole", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/csv")
		z := gzip.NewWriter(w)
		fmt.Fprint(z, "phone\n1\n2\n")
		_ = z.Close()
	})
	mux.HandleFunc("/half", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "phone\n1\n2\n")
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/all", http.StatusFound) })
	mux.HandleFunc("/closed", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "key canary-4711 is wrong", http.StatusForbidden)
	})
	return mux
}

// nextItem is what next = response.json.next compiles to.
func nextItem(page []byte) (string, error) {
	var doc struct{ Next *string }
	if err := json.Unmarshal(page, &doc); err != nil {
		return "", errors.New("not JSON")
	}
	if doc.Next == nil {
		return "", nil
	}
	return *doc.Next, nil
}

func webOf(s *httptest.Server) Web {
	return Web{Client: guarded.Client([]string{s.Listener.Addr().String()}, nil, 0, 0), UserAgent: "test"}
}

func TestHTTP(t *testing.T) {
	var asked []string
	server := httptest.NewServer(crmService(&asked))
	defer server.Close()
	for _, c := range []struct {
		path string
		src  Source
		want string
	}{
		{"/contacts.csv", Source{}, "columns phone|name\n2 [+4915112345678] [Müller]\nnote read as windows-1252, delimiter ';'\n"},
		{"/lines", Source{}, "columns phone\n1 [+4915112345678]\n2 [+4915112345679]\nnote read as UTF-8\n"},
		{"/all", Source{Records: "data.contacts"}, "columns phone|name\n1 [+4915112345678] [Ann]\nnote read as UTF-8\n"},
		{"/whole", Source{}, "columns phone\n2 [1]\n3 [2]\nnote read as UTF-8, delimiter ','\n"},
		{"/untold", Source{Format: "csv"}, "columns phone\n2 [+4915112345678]\nnote read as UTF-8, delimiter ','\n"},
		{"/items", Source{Records: "items", Next: nextItem}, "columns phone|name\n1 [+4915112345678] [Ann]\n1 [+4915112345679] null\n1 [+4915112345680] [Eve]\n" +
			"note read as UTF-8\nnote read from 3 pages\nnote key \"tier\", first seen on page 3, is no column; name it in columns to have it\n"},
		{"/untold", Source{}, "open: untold: the answer has no content type that is known: Say what it is: format = \"csv\", \"ndjson\" or \"json\".\n"},
		{"/page", Source{Format: "csv"}, "open: page: is a web page, perhaps a login page in place of the export: Export the contacts as text, for example as CSV in UTF-8.\n"},
		{"/lines", Source{Next: nextItem}, "open: lines: next needs JSON: The answer is ndjson, in which no next page is named.\n"},
		{"/loop", Source{Records: "items", Next: nextItem}, "columns phone\n1 [1]\n1 [1]\nerror loop (page 2): next leads to a page that was read already: The pages would never end.\nnote read as UTF-8\nnote read from 2 pages\n"},
		{"/away", Source{Records: "items", Next: nextItem}, "columns phone\n1 [1]\nerror away (page 1): next leads to another server: The headers of the source would go along.\nnote read as UTF-8\nnote read from 1 page\n"},
		{"/broken", Source{Records: "items", Next: nextItem}, "columns phone\n1 [1]\n1 [2]\nerror broken (page 2)[1]: not JSON: The document ends in the middle of a value. Is it complete?\nnote read as UTF-8\nnote read from 2 pages\n"},
		{"/half", Source{}, "columns phone\n"},
		{"/moved", Source{}, "open: moved: the service answered with status 302: Redirects are not followed, since the headers would go along. Write the address that it leads to.\n"},
		{"/closed", Source{}, "open: closed: the service answered with status 403: It did not accept the headers, or they are missing.\n"},
		{"/gone?key=canary-4711", Source{HideURL: true}, "open: response: the service answered with status 404\n"},
		{"/all", Source{Records: "data.contacts", Columns: []string{"vip"}}, "columns vip|phone|name\n1 null [+4915112345678] [Ann]\nnote read as UTF-8\n"},
	} {
		t.Run(c.path, func(t *testing.T) {
			c.src.Kind, c.src.URL, c.src.Headers = HTTP, server.URL+c.path, map[string]string{"X-Api-Key": secretWord}
			got := table(t, c.src, Options{Web: webOf(server)})
			if c.path == "/half" {
				if !strings.HasSuffix(got, "half: the answer broke off: Nothing is made of half of it.\n") && !strings.Contains(got, "error half: the answer broke off") {
					t.Error(got)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	for _, request := range asked {
		if !strings.HasSuffix(request, " "+secretWord) {
			t.Errorf("without its header: %s", request)
		}
	}
}

// TestHTTPIsGuarded checks that no address on this machine is asked that was not
// allowed, and that no error says more of an address than its name.
func TestHTTPIsGuarded(t *testing.T) {
	var asked []string
	server := httptest.NewServer(crmService(&asked))
	defer server.Close()
	for url, want := range map[string]string{
		server.URL + "/all?key=" + secretWord:                                "all: the request failed: only https is allowed; allow a host with -allow-host=HOST:PORT",
		strings.Replace(server.URL, "http:", "https:", 1) + "/" + secretWord: "only port 443 is allowed",
		"https://127.0.0.1/all?key=" + secretWord:                            "on this machine or in a private network",
		"ftp://" + secretWord + "@127.0.0.1/all":                             "the url is none",
		"https://":                                                           "the url is none",
	} {
		src := Source{Kind: HTTP, URL: url, HideURL: strings.HasSuffix(url, "/"+secretWord), Headers: map[string]string{"X-Api-Key": secretWord}, Timeout: time.Minute}
		_, err := Open(t.Context(), src, Options{Web: Web{Client: guarded.Client(nil, nil, 0, 0)}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(fmt.Sprintf("%v %+v", err, err), secretWord) {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := Open(t.Context(), Source{Kind: HTTP, URL: server.URL + "/all"}, Options{}); err == nil || !strings.Contains(err.Error(), "nothing is requested here") {
		t.Error(err)
	}
	if len(asked) > 0 {
		t.Errorf("asked: %v", asked)
	}
}

// A service that is busy is asked again, when it says; one that stays so, or does not
// answer, ends in an error.
func TestHTTPWaits(t *testing.T) {
	release := make(chan struct{})
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("Content-Type", "text/csv")
		switch {
		case r.URL.Path == "/never":
			<-release
		case r.URL.Path == "/slow":
			fmt.Fprint(w, "phone\n1\n")
			w.(http.Flusher).Flush()
			<-release
		case r.URL.Path == "/busy" || requests < tries:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, "phone\n1\n")
		}
	}))
	defer server.Close()
	defer close(release)
	read := func(path string, timeout time.Duration) error {
		requests = 0
		r, err := Open(t.Context(), Source{Kind: HTTP, URL: server.URL + path, Timeout: timeout}, Options{Web: webOf(server)})
		if err != nil {
			return err
		}
		return readAll(r)
	}
	if err := read("/later", time.Minute); err != nil || requests != tries {
		t.Errorf("%d requests: %v", requests, err)
	}
	if err := read("/busy", time.Minute); err == nil || !strings.Contains(err.Error(), "answered with status 503") || requests != tries {
		t.Errorf("%d requests: %v", requests, err)
	}
	for _, path := range []string{"/never", "/slow"} {
		if err := read(path, 100*time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not answer within 100ms") {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Source{Kind: HTTP, URL: server.URL + "/later"}, Options{Web: webOf(server)}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
