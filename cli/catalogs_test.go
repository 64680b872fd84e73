package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

const catalogShop = `
provider "cloud" "main" {
  base_url        = env("BASE")
  access_token    = env("TOKEN")
  phone_number_id = "1"
  waba_id         = env("ACCOUNT")
}

catalog "shop" {
  id       = "881"
  products = csv("products.csv")
  manage {
    provider   = provider.cloud.main
    MANAGE
  }
}
`

// sandboxCatalog is a network that has the catalog 881.
func sandboxCatalog(d *desk) *accountWorld {
	s := sandbox.New(sandbox.Options{Clock: d.now, Throughput: 1000, Script: &sandbox.Script{Catalogs: []sandbox.Catalog{{ID: "881"}}, BatchAfter: sandbox.Duration(20e9)}})
	return &accountWorld{handler: s.Handler(), base: "/cloud", account: sandbox.AccountID,
		put: func(id, title, _, _ string) {
			if err := s.PutProduct("881", sandbox.CatalogProduct{ID: id, Title: title, Price: "5.00 EUR", Availability: "in stock"}); err != nil {
				d.t.Fatal(err)
			}
		},
		writes: func() []string {
			var out []string
			for _, w := range s.ProductWrites() {
				if w.Done {
					out = append(out, w.Method+" "+w.ID)
				} else {
					out = append(out, "refused "+w.Method+" "+w.ID)
				}
			}
			return out
		}}
}

func fakeCatalogWorld(d *desk) *accountWorld {
	f := &fakeCatalog{now: d.now}
	return &accountWorld{handler: f, account: "77", writes: f.writes, put: func(id, title, _, _ string) {
		f.put(map[string]string{"id": id, "title": title, "price": "5.00 EUR", "availability": "in stock"})
	}}
}

func catalogDesk(t *testing.T, world func(*desk) *accountWorld, manage string) (*desk, *killed) {
	d := newDesk(t)
	k := &killed{world: world(d)}
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	d.env = append(d.env, "BASE="+server.URL+k.world.base, "TOKEN=a-token", "ACCOUNT="+k.world.account)
	d.write("main.hcl", strings.Replace(catalogShop, "MANAGE", manage, 1))
	return d, k
}

// productRows is a file of products that differ in their prices.
func productRows(ids string, price int) string {
	var b strings.Builder
	b.WriteString("id,title,description,availability,condition,price,link,image_link,brand\n")
	for _, id := range strings.Fields(ids) {
		fmt.Fprintf(&b, "%s,Widget %s,One of them,in stock,new,%d.50 EUR,https://shop.example/%s,https://shop.example/%s.jpg,Example\n", id, id, price, id, id)
	}
	return b.String()
}

var catalogWorlds = map[string]func(*desk) *accountWorld{"the sandbox": sandboxCatalog, "another catalog": fakeCatalogWorld}

// TestKillsWhileProductsAreHandedIn kills an apply at every request while it adds,
// changes and deletes products, before the catalog has the request and after. The next
// one continues: no product is created or deleted twice, what was made by hand is left
// alone, and nothing is left to do.
func TestKillsWhileProductsAreHandedIn(t *testing.T) {
	t.Parallel()
	for name, world := range catalogWorlds {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after=%v", name, after), func(t *testing.T) {
				t.Parallel()
				if testing.Short() && after != (name == "another catalog") {
					t.Skip("the other half")
				}
				for at := 1; ; at++ {
					if !killedWhileHandingIn(t, world, at, after) {
						if at < 9 {
							t.Fatalf("it ended at request %d", at)
						}
						return
					}
				}
			})
		}
	}
}

// killedWhileHandingIn reports whether the apply made so many requests.
func killedWhileHandingIn(t *testing.T, world func(*desk) *accountWorld, at int, after bool) bool {
	t.Helper()
	d, k := catalogDesk(t, world, `on_destroy = "delete"`)
	k.world.put("by_hand", "By hand", "", "")
	d.write("products.csv", productRows("a b c d", 10))
	d.must(0, "apply", "-auto-approve")
	made := len(k.world.writes())
	d.write("products.csv", strings.Replace(productRows("a b c e", 10), "Widget a,One of them,in stock,new,10.50", "Widget a,One of them,in stock,new,11.50", 1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	k.n, k.at, k.after, k.end = 0, at, after, cancel
	d.runIn(ctx, "apply", "-auto-approve")
	k.end = nil
	if k.met == "" {
		return false
	}
	where := fmt.Sprintf("ended at request %d (%s, after=%v)", at, k.met, after)
	if code := d.runIn(t.Context(), "apply", "-auto-approve"); code != 0 {
		t.Fatalf("%s: the next apply: exit %d\n%s%s", where, code, d.stdout.String(), d.stderr.String())
	}
	writes := k.world.writes()[made:]
	slices.Sort(writes)
	if got := fmt.Sprint(slices.Compact(slices.Clone(writes))); got != "[CREATE e DELETE d UPDATE a]" {
		t.Errorf("%s: %q", where, writes)
	}
	for _, w := range []string{"CREATE e", "DELETE d"} {
		if n := slices.Index(writes, w); n >= 0 && n+1 < len(writes) && writes[n+1] == w {
			t.Errorf("%s: %s twice", where, w)
		}
	}
	if code := d.run("plan", "-detailed-exitcode"); code != 0 {
		t.Errorf("%s: something is left to do:\n%s%s", where, d.stdout.String(), d.stderr.String())
	}
	if shown := d.must(0, "state", "show", "catalog.shop"); strings.Contains(shown, "intent") || !strings.Contains(shown, "products    = 4") {
		t.Errorf("%s: the state has %s", where, shown)
	}
	return true
}

// TestProductsThatAreRefused checks that a product that a catalog refuses is named and
// not recorded, that the others are, and that the next plan has it still.
func TestProductsThatAreRefused(t *testing.T) {
	t.Parallel()
	d, k := catalogDesk(t, fakeCatalogWorld, "")
	d.write("products.csv", strings.Replace(productRows("a b c", 10), "shop.example/b.jpg", "shop.example/broken.jpg", 1))
	out := d.must(1, "apply", "-auto-approve")
	if !strings.Contains(out, `catalog.shop.products["b"]: Failed`) || !strings.Contains(out, "Bild konnte nicht geladen werden") || !strings.Contains(out, "2 products as planned") {
		t.Error(out)
	}
	if out := d.must(2, "plan", "-detailed-exitcode"); !strings.Contains(out, `+ product "b"`) || strings.Contains(out, `product "a"`) {
		t.Error(out)
	}
	if got := fmt.Sprint(k.world.writes()); got != "[CREATE a refused CREATE b CREATE c]" {
		t.Error(got)
	}
	if out := d.must(0, "state", "list", "catalog.shop"); strings.Count(out, "products[") != 2 {
		t.Error(out)
	}
}

// TestExactCatalogs checks that a catalog without others loses what was made by hand,
// but no more of it than max_change says, whatever -auto-approve says.
func TestExactCatalogs(t *testing.T) {
	t.Parallel()
	for name, world := range catalogWorlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, k := catalogDesk(t, world, "mode = \"exact\"\n on_destroy = \"delete\"\n max_change = \"20%\"")
			d.write("products.csv", productRows("a b c d e f g h", 10))
			d.must(0, "apply", "-auto-approve")
			k.world.put("x", "X", "", "")
			k.world.put("y", "Y", "", "")
			k.world.put("z", "Z", "", "")
			made := len(k.world.writes())
			d.must(1, "apply", "-auto-approve")
			if said := d.stderr.String(); !strings.Contains(said, "3 of its 11 products") || len(k.world.writes()) != made {
				t.Errorf("%s\n%q", said, k.world.writes()[made:])
			}
			d.write("main.hcl", strings.Replace(catalogShop, "MANAGE", "mode = \"exact\"\n on_destroy = \"delete\"\n max_change = 3", 1))
			d.must(0, "apply", "-auto-approve")
			if got := fmt.Sprint(k.world.writes()[made:]); got != "[DELETE x DELETE y DELETE z]" {
				t.Error(got)
			}
			d.must(0, "plan", "-detailed-exitcode")
		})
	}
}

// TestThreeOfThousands checks that of 5,000 products only the three are handed in that
// have changed, although every price is told as a text for people.
func TestThreeOfThousands(t *testing.T) {
	t.Parallel()
	d, k := catalogDesk(t, sandboxCatalog, "max_change = 3")
	ids := make([]string, 5000)
	for i := range ids {
		ids[i] = fmt.Sprintf("p%04d", i)
	}
	rows := productRows(strings.Join(ids, " "), 1234)
	d.write("products.csv", rows)
	d.must(0, "apply", "-auto-approve")
	made := len(k.world.writes())
	for _, id := range []string{"p0000", "p2500", "p4999"} {
		rows = strings.Replace(rows, "\n"+id+",Widget", "\n"+id+",Other", 1)
	}
	d.write("products.csv", rows)
	if out := d.must(0, "plan"); !strings.Contains(out, "of 5,000 products in the catalog, 3 updated") {
		t.Error(out[max(0, len(out)-400):])
	}
	k.asked = nil
	d.must(0, "apply", "-auto-approve")
	if got := fmt.Sprint(k.world.writes()[made:]); got != "[UPDATE p0000 UPDATE p2500 UPDATE p4999]" {
		t.Error(got)
	}
	batches := 0
	for _, asked := range k.asked {
		if strings.HasSuffix(asked, "/items_batch") {
			batches++
		}
	}
	if batches != 1 {
		t.Errorf("%d batches", batches)
	}
	d.must(0, "plan", "-detailed-exitcode")
}

// TestAPageOfACatalogThatFails checks that products on a page that can't be read are not
// taken for gone: nothing is planned or handed in, in a catalog that is to be exact, too.
func TestAPageOfACatalogThatFails(t *testing.T) {
	t.Parallel()
	d, k := catalogDesk(t, fakeCatalogWorld, "mode = \"exact\"\n on_destroy = \"delete\"\n max_change = \"100%\"")
	d.write("products.csv", productRows("a b c d e f", 10))
	d.must(0, "apply", "-auto-approve")
	made := len(k.world.writes())
	whole := k.world.handler
	k.world.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("after") != "" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		whole.ServeHTTP(w, r)
	})
	d.must(1, "apply", "-auto-approve")
	if said := d.stderr.String(); !strings.Contains(said, "could not be read whole") || !strings.Contains(said, "after the first 3") {
		t.Error(said)
	}
	if got := k.world.writes()[made:]; len(got) > 0 {
		t.Errorf("%q", got)
	}
	d.write("products.csv", productRows("a", 10))
	d.must(1, "apply", "-auto-approve")
	if got := k.world.writes()[made:]; len(got) > 0 {
		t.Errorf("%q", got)
	}
	k.world.handler = whole
	d.must(0, "apply", "-auto-approve")
	if got := fmt.Sprint(k.world.writes()[made:]); got != "[DELETE b DELETE c DELETE d DELETE e DELETE f]" {
		t.Error(got)
	}
}

// TestABlockThatIsTakenOut checks what becomes of products: as on_destroy says, within
// max_change; a removed block lets them go.
func TestABlockThatIsTakenOut(t *testing.T) {
	t.Parallel()
	d, k := catalogDesk(t, fakeCatalogWorld, "max_change = 2")
	d.write("products.csv", productRows("a b c", 10))
	d.must(0, "apply", "-auto-approve")
	made := len(k.world.writes())
	provider, _, _ := strings.Cut(catalogShop, "catalog ")
	d.write("main.hcl", provider)
	if d.must(1, "apply", "-auto-approve"); !strings.Contains(d.stderr.String(), "removed { from = catalog.shop }") {
		t.Error(d.stderr.String())
	}
	d.write("main.hcl", provider+"removed { from = catalog.shop }\n")
	d.must(0, "apply", "-auto-approve")
	if got := k.world.writes()[made:]; len(got) > 0 {
		t.Errorf("%q", got)
	}
	d.write("main.hcl", strings.Replace(catalogShop, "MANAGE", `max_change = "100%"`, 1))
	d.must(0, "apply", "-auto-approve")
	d.write("main.hcl", provider)
	d.must(0, "apply", "-auto-approve")
	if got := fmt.Sprint(k.world.writes()[made:]); got != "[UPDATE a UPDATE b UPDATE c]" {
		t.Error(got)
	}
	d.must(0, "plan", "-detailed-exitcode")
	if out := d.must(0, "state", "list"); strings.Contains(out, "catalog") {
		t.Error(out)
	}
}

// TestARenamedCatalog checks that a moved block costs no request that changes anything,
// and that without it the plan says so.
func TestARenamedCatalog(t *testing.T) {
	t.Parallel()
	d, k := catalogDesk(t, fakeCatalogWorld, "")
	d.write("products.csv", productRows("a b", 10))
	d.must(0, "apply", "-auto-approve")
	made := len(k.world.writes())
	renamed := strings.Replace(strings.Replace(catalogShop, "MANAGE", "", 1), `catalog "shop"`, `catalog "store"`, 1)
	d.write("main.hcl", renamed)
	if d.must(1, "plan"); !strings.Contains(d.stderr.String(), "from = catalog.shop") {
		t.Error(d.stderr.String())
	}
	d.write("main.hcl", renamed+"moved {\n from = catalog.shop\n to = catalog.store\n}\n")
	d.must(0, "apply", "-auto-approve")
	d.must(0, "plan", "-detailed-exitcode")
	if got := k.world.writes()[made:]; len(got) > 0 {
		t.Errorf("%q", got)
	}
	if out := d.must(0, "state", "list", "catalog.store"); strings.Count(out, "products[") != 2 {
		t.Error(out)
	}
}
