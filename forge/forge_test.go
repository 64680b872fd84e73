package forge

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/forgetest"
)

// thread is a forge's request, and how long Put has waited in it.
type thread struct {
	*Thread
	waited []time.Duration
}

// each runs a test on both forges.
func each(t *testing.T, run func(t *testing.T, f *forgetest.Forge, th *thread), comments ...forgetest.Comment) {
	for name, make := range map[string]func(Options) *Thread{"GitHub": GitHub, "GitLab": GitLab} {
		t.Run(name, func(t *testing.T) {
			f := forgetest.New(t, comments...)
			th := &thread{}
			o := Options{API: f.URL + "/api/v3", Project: forgetest.Project, Number: forgetest.Number, Token: forgetest.Token, UserAgent: "handbill/1",
				Sleep: func(_ context.Context, d time.Duration) error { th.waited = append(th.waited, d); return nil }}
			if name == "GitLab" {
				o.API, o.Project = f.URL+"/api/v4", forgetest.ID
			}
			th.Thread = make(o)
			run(t, f, th)
		})
	}
}

func put(t *testing.T, th *thread, env, text string) Result {
	t.Helper()
	body, m, err := Mark("<!-- handbill-plan sha256:0a1b -->\n"+text, env)
	if err != nil {
		t.Fatal(err)
	}
	out, err := th.Put(t.Context(), m, body)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestACommentIsReplaced(t *testing.T) {
	each(t, func(t *testing.T, f *forgetest.Forge, th *thread) {
		for i, step := range []struct{ env, text, did string }{
			{"prod", "one", created}, {"dev", "two", created}, {"", "three", created},
			{"prod", "one", unchanged}, {"prod", "four", updated}, {"", "five", updated}, {"dev", "two\r\n", unchanged},
		} {
			if out := put(t, th, step.env, step.text); out.Did != step.did || out.Others != 0 {
				t.Errorf("step %d: %+v, want %s", i, out, step.did)
			}
		}
		var got []string
		for _, c := range f.Comments() {
			got = append(got, c.Body)
		}
		want := []string{"<!-- handbill-plan env=prod sha256:0a1b -->\nfour", "<!-- handbill-plan env=dev sha256:0a1b -->\ntwo", "<!-- handbill-plan sha256:0a1b -->\nfive"}
		if !slices.Equal(got, want) {
			t.Errorf("the comments are %q, want %q", got, want)
		}
	})
}

// A comment with the marker that somebody else wrote could be edited by them later, so
// that it showed another plan.
func TestSomebodyElsesCommentStays(t *testing.T) {
	theirs := "<!-- handbill-plan env=prod -->\nNothing to see here"
	each(t, func(t *testing.T, f *forgetest.Forge, th *thread) {
		if out := put(t, th, "prod", "the plan"); out.Did != created {
			t.Errorf("%+v", out)
		}
		if all := f.Comments(); len(all) != 3 || all[0].Body != theirs || all[1].Body != theirs || all[2].Author != forgetest.Bot {
			t.Errorf("the comments are %+v", all)
		}
	}, forgetest.Comment{ID: 1, Author: "mallory", Body: theirs}, forgetest.Comment{ID: 2, Author: forgetest.Bot + "x", Body: theirs})
}

func TestTheCommentIsFoundOnALaterPage(t *testing.T) {
	var many []forgetest.Comment
	for i := range 250 {
		many = append(many, forgetest.Comment{ID: int64(i + 1), Author: "ada", Body: "fine by me"})
	}
	many[230] = forgetest.Comment{ID: 231, Author: forgetest.Bot, Body: "<!-- handbill-plan sha256:ff -->\nold"}
	many[240] = forgetest.Comment{ID: 241, Author: forgetest.Bot, Body: "<!-- handbill-plan -->\nthe same of a job that ran at the same time"}
	each(t, func(t *testing.T, f *forgetest.Forge, th *thread) {
		if out := put(t, th, "", "new"); out.Did != updated || out.Others != 1 {
			t.Errorf("%+v", out)
		}
		if all := f.Comments(); len(all) != 250 || !strings.HasSuffix(all[230].Body, "new") {
			t.Errorf("%d comments, and the one is %q", len(all), all[230].Body)
		}
	}, many...)
}

// An answer that is lost is looked up, so that there is one comment.
func TestALostAnswerIsLookedUp(t *testing.T) {
	each(t, func(t *testing.T, f *forgetest.Forge, th *thread) {
		lost := 0
		f.Answer = func(w http.ResponseWriter, r *http.Request, carryOut func()) bool {
			if r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "graphql") || lost > 0 {
				return false
			}
			lost++
			carryOut()
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		if out := put(t, th, "", "the plan"); out.Did != unchanged {
			t.Errorf("%+v", out)
		}
		if all := f.Comments(); len(all) != 1 || len(th.waited) != 1 {
			t.Errorf("%d comments after waiting %v", len(all), th.waited)
		}
	})
}

func TestABusyForgeIsAskedAgain(t *testing.T) {
	each(t, func(t *testing.T, f *forgetest.Forge, th *thread) {
		asked := 0
		f.Answer = func(w http.ResponseWriter, _ *http.Request, _ func()) bool {
			asked++
			switch asked {
			case 1:
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(http.StatusForbidden) // GitHub's secondary limit
			case 3:
				w.WriteHeader(http.StatusServiceUnavailable)
			default:
				return false
			}
			return true
		}
		put(t, th, "", "the plan")
		if want := []time.Duration{30 * time.Second, time.Minute}; !slices.Equal(th.waited, want) {
			t.Errorf("waited %v, want %v", th.waited, want)
		}
		// It ends, and says what is.
		f.Answer = func(w http.ResponseWriter, _ *http.Request, _ func()) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		th.waited = nil
		if _, err := th.Put(t.Context(), Marker{}, "<!-- handbill-plan -->\n"); err == nil || !strings.Contains(err.Error(), "503") || len(th.waited) != 3 {
			t.Errorf("%v after %v", err, th.waited)
		}
	})
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		what, says string
		answer     func(w http.ResponseWriter, r *http.Request)
	}{
		{"a token that has ended", "the token is not valid", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"message": "Bad credentials"}`)
		}},
		{"no right", "may not do that", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"message": "Resource not accessible by integration"}`)
		}},
		{"another address", "the token is not sent there", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusMovedPermanently)
		}},
		{"no JSON", "whose the token is", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }},
		{"nobody", "whose the token is", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }},
		{"no project", "there is no such project", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }},
		{"a hostile message", `("\x1b[31m`, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"message": "\u001b[31m`+strings.Repeat("x", 500)+`"}`)
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			each(t, func(t *testing.T, f *forgetest.Forge, th *thread) {
				f.Answer = func(w http.ResponseWriter, r *http.Request, _ func()) bool {
					c.answer(w, r)
					return true
				}
				_, err := th.Put(t.Context(), Marker{}, "<!-- handbill-plan -->\n")
				if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), forgetest.Token) || len(err.Error()) > 500 {
					t.Errorf("%v, want %q", err, c.says)
				}
				if len(th.waited) > 0 {
					t.Errorf("it was tried again after %v", th.waited)
				}
				for _, call := range f.Calls() {
					if strings.HasPrefix(call, "P") && !strings.HasSuffix(call, "graphql") {
						t.Errorf("something was written: %s", call)
					}
				}
			})
		})
	}
}

// A list that can't be read whole may hold the comment, so none is written.
func TestNothingIsWrittenWhereTheListIsUnknown(t *testing.T) {
	each(t, func(t *testing.T, f *forgetest.Forge, th *thread) {
		f.Answer = func(w http.ResponseWriter, r *http.Request, _ func()) bool {
			if strings.HasSuffix(r.URL.Path, "comments") || strings.HasSuffix(r.URL.Path, "notes") {
				fmt.Fprint(w, `{"not": "a list"}`)
				return true
			}
			return false
		}
		if _, err := th.Put(t.Context(), Marker{}, "<!-- handbill-plan -->\n"); err == nil || !strings.Contains(err.Error(), "unknown form") {
			t.Error(err)
		}
		if len(f.Comments()) > 0 {
			t.Error("a comment was written")
		}
	})
}

func TestALongComment(t *testing.T) {
	for max, th := range map[int]*Thread{65536: GitHub(Options{}), 1_000_000: GitLab(Options{})} {
		if _, err := th.Put(t.Context(), Marker{}, strings.Repeat("é", max+1)); err == nil || !strings.Contains(err.Error(), "characters") {
			t.Errorf("%d: %v", max, err)
		}
	}
}

func TestMark(t *testing.T) {
	for _, c := range []struct{ body, env, want, says string }{
		{"<!-- handbill-plan sha256:0f -->\nx", "", "<!-- handbill-plan sha256:0f -->\nx", ""},
		{"<!-- handbill-plan sha256:0f -->\nx", "prod", "<!-- handbill-plan env=prod sha256:0f -->\nx", ""},
		{"<!-- handbill-plan  -->\nx", "eu/prod.1", "<!-- handbill-plan env=eu/prod.1  -->\nx", ""},
		{"<!-- handbill-plan env=dev -->\nx", "dev", "<!-- handbill-plan env=dev -->\nx", ""},
		{"<!-- handbill-plan env=dev -->\nx", "prod", "", "environment dev"},
		{"<!-- handbill-plan -->\nx", "a b", "", "letters"},
		{"<!-- handbill-plan -->\nx", "a--b", "", "two dashes"},
		{"<!-- handbill-plan -->\nx", "-->", "", "letters"},
		{"<!-- handbill-plans -->\nx", "", "", "first line"},
		{" <!-- handbill-plan -->\nx", "", "", "first line"},
		{"Hello", "", "", "first line"},
		{" \n", "", "", "empty"},
	} {
		got, _, err := Mark(c.body, c.env)
		if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("Mark(%q, %q) = %q, %v", c.body, c.env, got, err)
		}
		if err == nil {
			if m, ok := markerOf(got); !ok || c.env != "" && m.Env != c.env {
				t.Errorf("MarkerOf(%q) = %v, %v", got, m, ok)
			}
		}
	}
}
