package cli_test

import (
	"net"
	"strings"
	"testing"
)

// taken returns an address that is already in use: a serve that fails on it was not
// refused for another reason.
func taken(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestServeNeedsSomethingThatVouches(t *testing.T) {
	const refused, begins = "signs no webhooks", "Cannot listen"
	for _, c := range []struct {
		name, provider string
		args           []string
		want           string
	}{
		{"1msg without a token", `"onemsg" "n" {
			channel_id = "C1"
			token      = env("KEY")
		}`, nil, refused},
		{"1msg with a token", `"onemsg" "n" {
			channel_id    = "C1"
			token         = env("KEY")
			webhook_token = env("HOOK")
		}`, nil, begins},
		{"1msg named", `"onemsg" "n" {
			channel_id = "C1"
			token      = env("KEY")
		}`, []string{"-trust-unsigned=provider.onemsg.n"}, begins},
		{"360dialog without a token", `"dialog360" "n" { api_key = env("KEY") }`, nil, refused},
		{"360dialog with a header", `"dialog360" "n" {
			api_key         = env("KEY")
			webhook_headers = { X-Word = env("HOOK") }
		}`, nil, begins},
		{"Kaleyra without a token", `"kaleyra" "n" {
			sid     = "S1"
			api_key = env("KEY")
			phone_number = "+4915100000000"
		}`, nil, refused},
		{"Kaleyra with a user and password", `"kaleyra" "n" {
			sid              = "S1"
			api_key          = env("KEY")
			phone_number     = "+4915100000000"
			webhook_user     = "hooks"
			webhook_password = env("HOOK")
		}`, nil, begins},
		{"Meta, who signs", `"cloud" "n" {
			phone_number_id = "1"
			access_token    = env("KEY")
			app_secret      = env("HOOK")
		}`, nil, begins},
		{"a simulated number on this machine", `"sandbox" "n" {}`, nil, begins},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.env = append(d.env, "KEY=key-of-the-test", "HOOK=a-long-random-word-of-the-test")
			d.write("main.hcl", "provider "+c.provider+"\n")
			d.must(0, "init")
			d.must(1, append([]string{"serve", "-listen=" + taken(t, "127.0.0.1")}, c.args...)...)
			if !strings.Contains(strings.Join(strings.Fields(d.stderr.String()), " "), c.want) {
				t.Errorf("%s", d.stderr.String())
			}
		})
	}
	t.Run("a simulated number that others can reach", func(t *testing.T) {
		d := newDesk(t)
		d.write("main.hcl", "provider \"sandbox\" \"n\" {}\n")
		d.must(0, "init")
		d.must(1, "serve", "-insecure-behind-proxy", "-listen=0.0.0.0:"+strings.Split(taken(t, "0.0.0.0"), ":")[1])
		wantAll(t, d.stderr.String(), "listen on 127.0.0.1")
	})
}
