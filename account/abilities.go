package account

// Abilities says which changes of templates an account accepts through its
// provider. Each field is "" if the change is possible; otherwise it says, in
// sentences, why not and what to do instead.
type Abilities struct {
	Create string // new templates
	Media  string // new ones with a file in the header
	Edit   string // changes of the words
	Delete string // a single language
}
