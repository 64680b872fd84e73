package message

// TemplateNotice is what an event reports about one language of a template of the
// account. Fields are empty where it does not say.
type TemplateNotice struct {
	Account  string `json:",omitempty"` // the provider's id of the account
	ID       string `json:",omitempty"` // Meta's id of the template in this language
	Name     string `json:",omitempty"`
	Language string `json:",omitempty"` // as the event spells it: "en-US" or "en_US"
	// Status is Meta's word for the status, in upper case; it may be an unknown one.
	// Reason belongs to it.
	Status string `json:",omitempty"`
	Reason string `json:",omitempty"`
	// Category is the category that the account holds, in lower case.
	Category string `json:",omitempty"`
	// Announced is the category that Meta will change it to; Recategorized says that
	// a change is done, so that none is announced any more.
	Announced     string `json:",omitempty"`
	Recategorized bool   `json:",omitempty"`
	Quality       string `json:",omitempty"` // "GREEN", "YELLOW", "RED" or "UNKNOWN"
	// Content says that its words were changed.
	Content bool `json:",omitempty"`
}
