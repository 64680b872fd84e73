package message

// kinds are all kinds of message, in the order of the documentation, with how
// to make an empty one.
var kinds = []struct {
	kind Kind
	make func() Message
}{
	{KindText, func() Message { return &Text{} }},
	{KindList, func() Message { return &List{} }},
	{KindButtons, func() Message { return &Buttons{} }},
	{KindLink, func() Message { return &Link{} }},
	{KindMedia, func() Message { return &Media{} }},
	{KindLocationRequest, func() Message { return &LocationRequest{} }},
	{KindProduct, func() Message { return &Product{} }},
	{KindProductList, func() Message { return &ProductList{} }},
	{KindCatalog, func() Message { return &Catalog{} }},
	{KindFlow, func() Message { return &Flow{} }},
	{KindTemplate, func() Message { return &Template{} }},
	{KindContacts, func() Message { return &Contacts{} }},
	{KindLocation, func() Message { return &Location{} }},
	{KindReaction, func() Message { return &Reaction{} }},
	{KindCarousel, func() Message { return &Carousel{} }},
	{KindAddressRequest, func() Message { return &AddressRequest{} }},
	{KindCall, func() Message { return &Call{} }},
	{KindCallPermissionRequest, func() Message { return &CallPermissionRequest{} }},
	{KindContactRequest, func() Message { return &ContactRequest{} }},
}

// Kinds returns all kinds of message, in the order of the documentation.
func Kinds() []Kind {
	list := make([]Kind, len(kinds))
	for i, k := range kinds {
		list[i] = k.kind
	}
	return list
}

// New returns an empty message of a kind, or nil if there is no such kind.
func New(kind Kind) Message {
	for _, k := range kinds {
		if k.kind == kind {
			return k.make()
		}
	}
	return nil
}
