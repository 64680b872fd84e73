package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// BillingStatus counts the accepted messages of one price.
type BillingStatus struct {
	Category string `json:"category"` // the provider's word, such as "marketing"
	Model    string `json:"model"`    // such as "PMP", for prices by message
	Type     string `json:"type"`     // such as "regular" and "free_entry_point"
	Billable bool   `json:"billable"`
	Count    int    `json:"count"`
	// Delivered counts the messages of Count that were delivered: WhatsApp bills no
	// others.
	Delivered int `json:"delivered"`
}

// billed adds what the provider reported about the price.
func (c *CampaignStatus) billed(row state.FunnelRow) {
	if row.Billing.Category == "" {
		return
	}
	next := BillingStatus{Category: row.Billing.Category, Model: row.Billing.Model, Type: row.Billing.Type, Billable: row.Billing.Billable}
	i, found := slices.BinarySearchFunc(c.Billing, next, func(a, b BillingStatus) int {
		return cmp.Or(strings.Compare(a.Category, b.Category), strings.Compare(a.Model, b.Model), strings.Compare(a.Type, b.Type), strings.Compare(a.price(), b.price()))
	})
	if !found {
		c.Billing = slices.Insert(c.Billing, i, next)
	}
	c.Billing[i].Count += row.Count
	if row.Rank >= message.RankDelivered {
		c.Billing[i].Delivered += row.Count
	}
}

func (b BillingStatus) price() string {
	if b.Billable {
		return "billed"
	}
	return "free"
}

// name is the provider's name for the price.
func (b BillingStatus) name() string {
	var more []string
	for _, word := range [...]string{b.Model, b.Type} {
		if word != "" {
			more = append(more, message.SafeText(word))
		}
	}
	if len(more) == 0 {
		return message.SafeText(b.Category)
	}
	return message.SafeText(b.Category) + " (" + strings.Join(more, ", ") + ")"
}

// note says how many of the messages are not billed because they have not been
// delivered.
func (b BillingStatus) note() string {
	if away := b.Count - b.Delivered; b.Billable && away > 0 {
		return Count(away) + " only once delivered"
	}
	return ""
}

// unpriced counts the accepted messages without a price, if others have one.
func (c *CampaignStatus) unpriced() int {
	n := c.Accepted
	for _, b := range c.Billing {
		n -= b.Count
	}
	if len(c.Billing) == 0 {
		return 0
	}
	return n
}

// billing says what was billed.
func (c *CampaignStatus) billing(b *strings.Builder) {
	if len(c.Billing) == 0 {
		return
	}
	b.WriteString("\n  what WhatsApp bills, as the provider told it:\n")
	for _, p := range c.Billing {
		fmt.Fprintf(b, "    %s  %-6s  %s", padLeft(Count(p.Count), 6), p.price(), p.name())
		if note := p.note(); note != "" {
			b.WriteString("; " + note)
		}
		b.WriteString("\n")
	}
	if n := c.unpriced(); n > 0 {
		fmt.Fprintf(b, "    %s  no price was told yet\n", padLeft(Count(n), 6))
	}
}
