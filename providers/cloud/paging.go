package cloud

import "errors"

// paging says where the page after one of a list is.
type paging struct {
	Cursors struct {
		After string `json:"after"`
	} `json:"cursors"`
	Next string `json:"next"`
}

// next returns the cursor of the following page, "" at the end: the last page has a
// cursor, too.
func (p *paging) next() (cursor string, err error) {
	if p.Next == "" {
		return "", nil
	}
	if p.Cursors.After == "" {
		return "", errors.New("there is a page after it, and no cursor that leads there")
	}
	return p.Cursors.After, nil
}
