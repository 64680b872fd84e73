package state

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/handbill/handbill/message"
)

// OrderSums adds orders up. The zero value is empty.
type OrderSums struct {
	sums map[[2]string]*orderSum
}

type orderSum struct {
	orders int
	value  big.Rat
}

// maxPrice is the longest price that is added: a huge number is cheap to send and costs much to compute with.
const maxPrice = 32

// Add adds an order that answers a campaign, "" for none. A price that is no plain decimal number counts as 0.
func (s *OrderSums) Add(campaign string, o *message.Order) {
	if o == nil {
		return
	}
	if s.sums == nil {
		s.sums = map[[2]string]*orderSum{}
	}
	seen := map[string]bool{}
	for _, item := range o.Items {
		k := [2]string{campaign, item.Currency}
		sum := s.sums[k]
		if sum == nil {
			sum = &orderSum{}
			s.sums[k] = sum
		}
		if !seen[item.Currency] {
			seen[item.Currency] = true
			sum.orders++
		}
		var price big.Rat
		if _, ok := price.SetString(item.Price); ok && plainNumber(item.Price) {
			sum.value.Add(&sum.value, price.Mul(&price, new(big.Rat).SetInt64(int64(item.Quantity))))
		}
	}
}

func plainNumber(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return len(s) <= maxPrice
}

// Counts are the sums, by campaign and currency.
func (s *OrderSums) Counts() []OrderCount {
	out := make([]OrderCount, 0, len(s.sums))
	for k, sum := range s.sums {
		out = append(out, OrderCount{Campaign: k[0], Currency: k[1], Orders: sum.orders, Value: sum.value.FloatString(2)})
	}
	slices.SortFunc(out, func(a, b OrderCount) int {
		return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Currency, b.Currency))
	})
	return out
}

// SortFunnel puts rows in the order that Store.Funnel promises.
func SortFunnel(rows []FunnelRow) {
	slices.SortFunc(rows, func(a, b FunnelRow) int {
		return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Send, b.Send),
			cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Title, b.Title), compareBool(a.Failed, b.Failed), compareBool(a.Replied, b.Replied), compareBool(a.Clicked, b.Clicked),
			compareBilling(&a.Billing, &b.Billing))
	})
}

func compareBilling(a, b *message.Billing) int {
	return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Type, b.Type), compareBool(a.Billable, b.Billable))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
