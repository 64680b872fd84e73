package account

// Abilities says which changes of templates an account accepts through its
// provider. Each field is "" if the change is possible; otherwise it says, in
// sentences, why not and what to do instead.
type Abilities struct {
	Create string // new templates
	Media  string // new ones with a file in the header
	Edit   string // changes of the words
	Delete string // deletions of a single language
	// DeleteName is about deletions of a name in all its languages at once.
	DeleteName string
	Archive    string // archiving
}

// NoAbilities are those of an account that accepts no change, and why.
func NoAbilities(why string) Abilities {
	return Abilities{Create: why, Media: why, Edit: why, Delete: why, DeleteName: why, Archive: why}
}
