package account

// Abilities are which changes of templates an account takes through its
// provider. Each is "" where it does, else why not and what to do instead, in
// sentences.
type Abilities struct {
	Create string // new templates
	Media  string // new ones with a file in the header
	Edit   string // changes of the words
	Delete string // one language by itself
}
