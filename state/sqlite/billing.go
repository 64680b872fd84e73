package sqlite

import (
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"zombiezen.com/go/sqlite"
)

// billingColumns are the columns that scanBilling reads, in its order.
const billingColumns = "id, rank, at, billable, category, model, type"

// billed joins what a status says about the price. The statuses of one message
// may tell it several times and in any order; delivery.Billed decides which
// stands.
func (t *tx) billed(id int64, ev *message.Event, at int64) error {
	if ev.Billing == nil {
		return nil
	}
	var before delivery.Billed
	err := t.c.each("SELECT "+billingColumns+" FROM billings WHERE id = ?", func(st *sqlite.Stmt) error {
		before = delivery.Billed{Billing: scanBilling(st), Rank: message.Rank(st.ColumnInt(1)), At: st.ColumnInt64(2)}
		return nil
	}, id)
	if err != nil {
		return err
	}
	b := before.Told(ev.Billing, ev.Rank, at)
	if b == before {
		return nil
	}
	return t.putBilled(id, b)
}

// putBilled writes what was told about the price of an attempt.
func (t *tx) putBilled(id int64, b delivery.Billed) error {
	w := t.replace(tBillings, id)
	w.int(int64(b.Rank))
	w.int(b.At)
	w.bool(b.Billable)
	w.text(b.Category)
	w.maybeText(b.Model)
	w.maybeText(b.Type)
	_, err := w.done()
	return err
}

// scanBilling reads a row of billings that was selected with billingColumns.
func scanBilling(st *sqlite.Stmt) message.Billing {
	return message.Billing{Billable: st.ColumnInt(3) == 1, Category: st.ColumnText(4), Model: st.ColumnText(5), Type: st.ColumnText(6)}
}
