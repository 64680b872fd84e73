package lang

import (
	"slices"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
)

// BlockInfo describes one kind of block: for the reference, for editors and
// for the JSON Schema of the language.
type BlockInfo struct {
	Type        string   // "list_message"
	Labels      []string // names of its labels
	Description string
	Arguments   []ArgumentInfo
	Blocks      []BlockInfo // nested
	// Free says that the names of its arguments are the user's.
	Free bool
}

// ArgumentInfo describes one argument.
type ArgumentInfo struct {
	Name     string
	Required bool
	// Values are the words that it takes; nil for an argument that takes others.
	Values []string
}

// Blocks describes every block of the language, in the order of the reference.
// Arguments of provider blocks are the providers' own: see Options.Schemas.
func Blocks() []BlockInfo {
	return slices.Clone(blockTable())
}

// about is a block of the table: its type and labels ("row ID"), its arguments
// as in schema, and what it is.
func about(head, args, description string, nested ...BlockInfo) BlockInfo {
	words := strings.Fields(head)
	b := BlockInfo{Type: words[0], Labels: words[1:], Description: description, Blocks: nested}
	for _, name := range strings.Fields(args) {
		bare := strings.TrimSuffix(name, "!")
		b.Arguments = append(b.Arguments, ArgumentInfo{Name: bare, Required: bare != name, Values: argumentValues[b.Type+"."+bare]})
	}
	return b
}

// free is a block whose arguments' names are the user's.
func free(head, description string, nested ...BlockInfo) BlockInfo {
	b := about(head, "", description, nested...)
	b.Free = true
	return b
}

// argumentValues are the words that arguments take, by block and argument, the default
// first. TestArgumentValues compares them with what decoding says.
var argumentValues = map[string][]string{
	"campaign.on_invalid": {"fail", "skip"}, "campaign.window": {"known", "assume_open"}, "experiment.metric": metrics,
	"source.driver": {"postgres", "mysql", "sqlite"}, "source.format": {"csv", "ndjson", "json"},
	"manage.mode": {"upsert", "exact"}, "manage.on_destroy": {OnDestroyOutOfStock, OnDestroyKeep, OnDestroyDelete}, "manage.feeds": {"refuse", "ignore"},
	"flow_message.mode": {"draft", "published"}, "flow_message.action": {"navigate", "data_exchange"}, "lookup.method": {"GET", "POST"},
	"template_message.marketing_messages": {string(message.MarketingFallback), string(message.MarketingStrict)},
	"template.category":                   {account.Marketing, account.Utility, account.Authentication}, "template.wait_for": {"approved", "submitted"},
	"template.on_destroy": {OnDestroyKeep, OnDestroyArchive, OnDestroyDelete}, "webhook.level": {account.LevelNumber, account.LevelAccount},
	"webhook.on_destroy": {OnDestroyKeep, OnDestroyRemove},
}

func blockTable() []BlockInfo {
	list := slices.Concat(settingBlocks(), singletonBlocks(), messageBlocks(), campaignBlocks())
	for i := range list {
		if named := len(list[i].Labels) > 0 && list[i].Type != "variable" && repeats(list[i].Type); named {
			list[i].Arguments = append([]ArgumentInfo{{Name: argForEach}}, list[i].Arguments...)
		}
	}
	return list
}

// callBlock is a module block: source, and what the module's variables ask for.
func callBlock() BlockInfo {
	b := free("module NAME", "Calls a directory of configuration files, `source = \"./modules/welcome\"`; the other arguments are values of its variables, and `module.NAME.OUTPUT` is what it gives back.")
	b.Arguments = []ArgumentInfo{{Name: argSource, Required: true}}
	return b
}

func settingBlocks() []BlockInfo {
	assert := about("assert", "condition! error_message!", "One condition and what to say when it does not hold.")
	return []BlockInfo{
		about("handbill", "required_version reply_budget", "Settings, once. `reply_budget` is how many answers of reply rules one person gets, such as `\"60 per 1h\"`.",
			about("state TYPE", "path url schema", "Where the state is kept: `state \"sqlite\" { path }`, a file, or `state \"postgres\" { url, schema }`, which several machines share; see shared-state.md.")),
		about("variable NAME", "type default description sensitive nullable", "An input.",
			about("validation", "condition! error_message!", "A condition on the value.")),
		free("locals", "Named expressions."),
		about("output NAME", "value! description sensitive", "A value that is printed after apply."),
		about("check NAME", "", "A guard over the plan: a failed assertion fails the plan.", assert),
		callBlock(),
		about("import", "to! id! provider", "Takes over what an account has for a template block: `id` is its name, `NAME/LANGUAGE`, or the account's id of one language; for a catalog its id, for a block such as business_profile the id of its number or account. `provider` says in which account that is, for a block that `plan -generate-config-out` shall write; the only number is the default."),
		about("moved", "from! to!", "Renames a resource without losing its history."),
		about("removed", "from!", "Says that a resource is gone for good: it leaves the state, its history stays, and declaring it again is an error."),
		free("provider TYPE NAME", "One sending number at one provider; its arguments are the provider's own."),
		about("data TYPE NAME", "provider! name!", "What an account has and others made: `data \"template\" \"otp\"` is a template, which every plan reads and holds messages against."),
		about("template NAME", "provider! name category! parameters ttl wait_for timeout on_destroy", "A template of the account, which apply creates, waits for and edits; its name is the label unless `name` says otherwise. `parameters` are the samples of its variables. `on_destroy` says what becomes of a language that is taken out: it is kept, which is the default, archived or deleted.",
			about("translation LANGUAGE", "body footer components", "Its words in one language; `components` is Meta's own form in place of all else.",
				about("header", "text sample image video document location", "The head: a text with its variable's sample, a file of the directory as the sample, or `location = true`."),
				about("button INDEX", "type! text url phone_number sample", "One button: quick_reply, url, phone_number or copy_code.")),
			about("lifecycle", "prevent_destroy ignore_changes", "`prevent_destroy` refuses plans that would archive or delete it; `ignore_changes` lists parts that may differ from what is declared, such as `translation.de.footer`.")),
		about("catalog NAME", "id products", "The products that messages may name.",
			about("product RETAILER_ID", "title description price availability hidden condition link image_link brand gtin mpn", "One product; what stands after `hidden` is for a catalog that is managed."),
			about("manage", "provider! mode on_destroy max_change feeds", "Apply keeps the products of the account's catalog as they are declared. `mode` is `upsert`, the default, which leaves other products alone, or `exact`. `on_destroy` says what becomes of a product that is not declared any more: it is put out of stock, which is the default (`out_of_stock`), kept or deleted. `max_change` is how many products a plan may change, such as `\"20%\"`; `feeds = \"ignore\"` manages a catalog that feeds write into, too.")),
		about("audience NAME", "phone user_id region filter attributes optional placeholders consent last_inbound exclude columns",
			"Who: a source, how a row becomes a contact, and who is left out.",
			about("source KIND", "path encoding delimiter records sheet header_row driver dsn query url format headers next timeout of filter after", "Where rows come from: csv, ndjson, json, parquet, xlsx, sql or http, or campaign, the outcomes of the campaign `of`: a row is somebody to whom its message was sent, and `after` is how long after that message was delivered they get another one. A file whose name ends in .gz or .zst is unpacked."),
			free("contact PHONE", "A contact that is written here; its arguments are its attributes.")),
	}
}

// singletonBlocks are the blocks of which a number or an account has one; the table of
// package account says what they take.
func singletonBlocks() (out []BlockInfo) {
	descriptions := map[string]string{
		"commerce_settings":         "Whether a number's chats show its catalog and a cart.",
		"conversational_automation": "What people see who open a chat with a number: `prompts` to tap, `commands = [{ name, description }]` behind a slash, and whether opening a chat for the first time is told by webhook.",
		"webhook":                   "Where Meta posts the messages of a number, or with `level = \"account\"` of all numbers of its account that have no address of their own, in place of the app's address. `verify_token` is the word with which Meta asks the address whether it is right, at every change of it. With `on_destroy = \"remove\"` the app's address counts again once the block is taken out; otherwise it stays.",
		"business_profile":          "The profile of a number, which apply keeps as declared. What is left out stays as it is, and so does all of it when the block is taken out.",
	}
	for _, kind := range account.Singletons() {
		out = append(out, about(kind.Kind+" NAME", singletonArguments(kind), descriptions[kind.Kind]))
	}
	return out
}

func messageBlocks() []BlockInfo {
	header := about("header", "text image video document filename", "The head of the message: a text or a medium.")
	parameters := about("header", "text parameter_name image video document filename latitude longitude name address catalog product", "What fills the head of the template.")
	products := about("section TITLE", "products!", "A titled group of products.")
	button := about("button INDEX", "type! text data thumbnail", "What fills a button of the template.", products)
	return []BlockInfo{
		about("text_message NAME", "body! preview_url", "A text."),
		about("list_message NAME", "header body! footer button!", "A text with a button that opens a list of rows.",
			about("section TITLE", "", "A titled group of rows.", about("row ID", "title! description", "One row; its id comes back when it is picked."))),
		about("button_message NAME", "header body! footer", "A text with one to three buttons.", header, about("button ID", "title!", "One button; its id comes back when it is tapped.")),
		about("link_message NAME", "header body! footer button! url!", "A text with a button that opens a page.", header),
		about("media_message NAME", "image video audio document sticker caption filename voice", "A picture, video, sound, document or sticker."),
		about("location_request_message NAME", "body!", "Asks for the recipient's location."),
		about("product_message NAME", "catalog! product! body footer", "One product."),
		about("product_list_message NAME", "catalog! header! body! footer", "Sections of products.", products),
		about("catalog_message NAME", "catalog body! footer thumbnail", "Opens the whole catalog."),
		about("flow_message NAME", "header body! footer button! flow_id flow_name mode token action screen data", "Opens a WhatsApp Flow.", header),
		about("template_message NAME", "template! language! body category marketing_messages", "An approved template, the only kind that may be sent while the 24-hour window is closed. Its category is \"marketing\" (what counts without one), \"utility\" or \"authentication\".", parameters, button,
			about("card", "body", "One card of a carousel.", parameters, button), about("limited_time_offer", "expires!", "When the offer ends, in Unix milliseconds.")),
		about("carousel_message NAME", "body!", "A row of cards under one text.",
			about("card", "body button url catalog product", "One card.", about("header", "image video", "The card's medium."), about("reply ID", "title!", "A quick reply of the card."))),
		about("contact_message NAME", "", "Contact cards.",
			about("contact", "formatted_name! first_name last_name middle_name prefix suffix birthday company department job_title", "One card.",
				about("phone", "phone! wa_id type", "A number."), about("email", "email! type", "An address."), about("url", "url! type", "A page."),
				about("address", "street city state zip country country_code type", "A postal address."))),
		about("location_message NAME", "latitude! longitude! name address", "A pin on a map."),
		about("reaction_message NAME", "message_id! emoji!", "An emoji on a message."),
		about("address_request_message NAME", "header body! footer country! values", "Asks for a postal address (India only).", header),
		about("call_message NAME", "body! button ttl_minutes payload", "A button that calls the business."),
		about("call_permission_request_message NAME", "body", "Asks whether the business may call."),
		about("contact_request_message NAME", "body!", "Asks somebody who hides the number to share it."),
	}
}

func campaignBlocks() []BlockInfo {
	return []BlockInfo{
		about("link NAME", "url! base!", "A page that messages link to, so that clicks are counted. `link.NAME` is each recipient's own address, `base` with a token behind it; `link.NAME.suffix` is the token alone, for a button of a template whose address ends in the base and a slash. `base` is where `handbill serve` is reached, which redirects to `url`; that may depend on `value.*`, and on no recipient."),
		about("campaign NAME", "provider! audience! message fallback values on_invalid window revision throughput max_attempts testers prevent_resend quote identity_key_hash",
			"One message to one audience through one number, and how to pace it.",
			about("variant NAME", "when! message! fallback", "What recipients get who meet its condition on `recipient.*` and that of no variant before it."),
			about("experiment", "holdout metric! within! salt", "Divides the recipients among arms and a holdout, by a hash of campaign, revision and recipient. `holdout` is the percentage who get nothing; `metric` is what the arms are compared by, \"delivered\", \"read\", \"replied\", \"clicked\" or \"ordered\", and `within` how long after the message it counts. Another `salt` divides them anew.",
				about("arm NAME", "weight! message fallback", "One text: `weight` is the percentage of recipients who get it. Without `message` it is the campaign's.",
					about("variant NAME", "message! fallback", "The arm's text for recipients who meet this variant of the campaign."))),
			about("schedule", "not_before not_after at within quiet_hours timezone", "When it may send. `at` is a time of day, and `within` how long after it a message may still go out, an hour without it. Both, and quiet hours, are told in the recipient's timezone, else in this timezone, else in every zone of the number's country; `timezone = \"recipient\"` says that none stands in for it."),
			about("limit", "per_recipient total max_recipients max_change", "How much it may do."),
			about("canary", "count percent wait max_failure_rate", "Sends to a few first, and continues only if few enough of them fail."),
			about("stop_if", "failure_rate over", "Halts when too many fail."),
			about("price_guard", "max!", "Refuses a plan that may cost more than `max`, such as \"500 EUR\", by the price file that `-prices` names. A plan without prices is refused too.")),
		about("reply_rule NAME", "provider priority continue cooldown reply values quote mark_read typing set handover", "What `handbill serve` answers to which inbound message.",
			about("when", "any text keywords list_reply row button_reply payload order type first_contact time timezone condition", "What the rule answers to."),
			about("lookup NAME", "url! method headers body timeout fallback", "Asks a service of yours; its answer is `lookup.NAME`."),
			about("forward", "url! secret", "Hands the message to a service of yours.")),
		about("stop_words LANGUAGE", "anywhere alone unclear ignore", "Phrases by which people ask for no more messages, beside the built-in ones: in any message of a few words, or only alone; to be asked about; or built-in ones that say nothing here. The label is a language such as `\"de\"`, or `\"any\"`."),
	}
}
