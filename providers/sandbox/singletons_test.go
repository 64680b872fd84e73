package sandbox_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/dialog360"
	network "github.com/handbill/handbill/sandbox"
)

// drawValues draws attributes of a kind in their normal form, of which nothing is refused.
func drawValues(t *rapid.T, of *account.Singleton) account.Values {
	word := rapid.StringMatching(`[A-Za-zäß<&"' ]{0,30}[a-z]`)
	texts := func(draw func() any, most int) any {
		list := []any{}
		for range rapid.IntRange(0, most).Draw(t, "length") {
			list = append(list, draw())
		}
		return list
	}
	v := account.Values{}
	for i := range of.Fields {
		f := &of.Fields[i]
		if rapid.Bool().Draw(t, "left out") {
			continue
		}
		switch {
		case f.Name == "vertical":
			v[f.Name] = rapid.SampledFrom([]string{"RETAIL", "edu", " Auto "}).Draw(t, f.Name)
		case f.Name == "email":
			v[f.Name] = rapid.SampledFrom([]string{"", "a@b.example"}).Draw(t, f.Name)
		case f.Name == "websites":
			v[f.Name] = texts(func() any {
				return rapid.SampledFrom([]string{"https://a.example", "https://a.example/", "http://b.example/c/"}).Draw(t, "website")
			}, 2)
		case f.Name == "url":
			v[f.Name] = rapid.SampledFrom([]string{"", "https://a.example/hook"}).Draw(t, f.Name)
		case f.Type == account.FieldFlag:
			v[f.Name] = rapid.Bool().Draw(t, f.Name)
		case f.Type == account.FieldTexts:
			v[f.Name] = texts(func() any { return word.Draw(t, "text") }, 4)
		case f.Type == account.FieldCommands:
			names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,32}`), 0, 3, strings.Clone).Draw(t, "names")
			list := []any{}
			for _, name := range names {
				list = append(list, map[string]any{"name": name, "description": word.Draw(t, "description")})
			}
			v[f.Name] = list
		default:
			v[f.Name] = word.Draw(t, f.Name) + rapid.SampledFrom([]string{"", " ", "\r\nmore"}).Draw(t, "end")
		}
	}
	return of.Normal(v)
}

// TestSingletonsReadBack checks that what is written is read back as the same, that
// attributes that are not written stay as they were, and that a network refuses none of
// what package account allows.
func TestSingletonsReadBack(t *testing.T) {
	n := network.New(network.Options{Clock: clock, Script: &network.Script{Unasked: true}})
	server := httptest.NewServer(n.Handler())
	defer server.Close()
	meta, err := cloud.New(cloud.Config{PhoneNumberID: "1", AccessToken: "token-of-the-test", WABAID: network.AccountID, BaseURL: server.URL + network.BasePath(network.Cloud)})
	if err != nil {
		t.Fatal(err)
	}
	partner, err := dialog360.New(dialog360.Config{APIKey: "key-of-the-test", PhoneNumber: "+4915112345678", BaseURL: server.URL + network.BasePath(network.Dialog360)})
	if err != nil {
		t.Fatal(err)
	}
	if all, some := readBack(t, meta), readBack(t, partner); all != 5 || some != 2 {
		t.Errorf("%d and %d kinds were written", all, some)
	}
}

// readBack checks each kind that a number has, and returns how many these are.
func readBack(t *testing.T, w providers.SingletonWriter) (kinds int) {
	ctx := context.Background()
	for _, of := range append(account.Singletons(), account.SingletonOf("webhook").At(account.LevelAccount)) {
		if _, why := w.SingletonKey(of); why != "" {
			continue
		}
		kinds++
		rapid.Check(t, func(t *rapid.T) {
			v := drawValues(t, of)
			for _, problem := range of.Check(v) {
				if !problem.Doubt {
					t.Fatalf("%s: %+v of %v", of.Kind, problem, v)
				}
			}
			before, err := w.Singleton(ctx, of)
			if err != nil {
				t.Fatal(err)
			}
			if len(v) == 0 {
				return
			}
			if a := w.PutSingleton(ctx, of, v, "a-word"); a.Outcome != providers.TemplateDone {
				t.Fatalf("%s: %+v for %v", of.Kind, a, v)
			}
			after, err := w.Singleton(ctx, of)
			if err != nil {
				t.Fatal(err)
			}
			if differ := of.Differ(v, after); len(differ) > 0 {
				t.Errorf("%s: %v was written, and %v is read", of.Kind, v, after)
			}
			for name := range v {
				before[name] = after[name]
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s: what was not written has changed:\n%s", of.Kind, diff)
			}
		})
	}
	return kinds
}
