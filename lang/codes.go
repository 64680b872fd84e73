package lang

import (
	"slices"
	"strings"
)

// CodeInfo explains one diagnostic code.
type CodeInfo struct {
	Code        string
	Summary     string // the Summary of its diagnostics; for hcl's, which have several, a description
	Explanation string // a paragraph: what is wrong, why it matters, how to fix it
}

// Codes are all codes of the language's diagnostics, sorted.
func Codes() []CodeInfo { return slices.Clone(codeTable) }

func summaryOf(code string) string {
	i, ok := slices.BinarySearchFunc(codeTable, code, func(c CodeInfo, code string) int {
		switch {
		case c.Code < code:
			return -1
		case c.Code > code:
			return 1
		}
		return 0
	})
	if !ok {
		return ""
	}
	return codeTable[i].Summary
}

// foreignCodes are the codes of diagnostics that hcl and the expression engine
// make, by their fixed summaries.
var foreignCodes = map[string]string{
	"Unsupported argument":          "unsupported_argument",
	"Missing required argument":     "missing_argument",
	"Unsupported block type":        "unsupported_block",
	"Unknown attribute":             "unknown_attribute",
	"Unsupported attribute":         "unknown_attribute",
	"Missing map element":           "unknown_attribute",
	"Invalid index":                 "unknown_attribute",
	"Unknown variable":              "unknown_name",
	"Variables not allowed":         "wrong_scope",
	"Call to unknown function":      "function_call",
	"Error in function call":        "function_call",
	"Invalid function argument":     "function_call",
	"Not enough function arguments": "function_call",
	"Too many function arguments":   "function_call",
	"Attribute redefined":           "duplicate_argument",
	"Duplicate argument":            "duplicate_argument",
	"Expression nested too deeply":  "too_complex",
	"Expression too long":           "too_complex",
	"Number out of range":           "too_complex",
	"Expression too costly":         "too_complex",
	"Text too long":                 "too_complex",
	"Evaluation failed":             "evaluation",
	"Duplicate object attribute":    "duplicate_argument",
}

// foreignCode returns the code for a diagnostic that another package made.
func foreignCode(summary string) string {
	if code, ok := foreignCodes[summary]; ok {
		return code
	}
	if strings.HasPrefix(summary, "Extraneous label for ") || strings.HasPrefix(summary, "Missing ") && strings.Contains(summary, " for ") {
		return "block_label"
	}
	return "invalid_syntax"
}

// codeTable is sorted by Code; a test checks that.
var codeTable = []CodeInfo{
	{"block_label", "Wrong block labels", "A block has the labels that its type asks for, such as the name in text_message \"hello\" or the id and nothing else in row \"a\"; HCL's message says which is missing or extra."},
	{"conflicting_arguments", "Conflicting arguments", "Two arguments of a block exclude each other, such as flow_id and flow_name, or an audience's source and its contact blocks. Keep the one that is meant."},
	{"cycle", "Dependency cycle", "Declarations refer to each other in a cycle, so none can be evaluated first. The diagnostic names the cycle; remove one of its references, for instance by moving what both need into a local."},
	{"dollar_escape", "Literal interpolation in text", "A text still holds ${ or %{ after rendering, because the source wrote $${ or %%{, which is how HCL escapes them. Somebody who wants a dollar sign before a price writes \"\\u0024${price}\" or uses money(...)."},
	{"doubtful_message", "Doubtful message", "The message can be sent but may not look as intended, or is within a limit by one way of counting and above it by another."},
	{"duplicate_argument", "Duplicate argument", "An argument may be given once in a block."},
	{"duplicate_declaration", "Duplicate declaration", "Two blocks have the same address. Names are unique for each type of block over all files of the directory; rename one of them."},
	{"empty_value", "Empty value for a recipient", "A text needs an attribute that is null or empty for a recipient, who would get a text with a hole. Give the attribute a value, handle the case with coalesce(recipient.name, \"there\") or a conditional, or list it in the audience's optional."},
	{"evaluation", "Evaluation failed", "An expression has no result for a row or a recipient, for instance because a function refuses its argument. try(...) and can(...) handle such cases."},
	{"file_too_large", "File too large", "A configuration file may have 1 MiB, all of them together 16 MiB, and there may be 500. Larger data belongs in a file that csv(...) or file(...) reads."},
	{"file_unreadable", "Unreadable file", "A file of the configuration cannot be read, is not a regular file, or lies outside the directory."},
	{"function_call", "Error in function call", "A function is not known, has the wrong number of arguments, or refuses one of them. `handbill console` is a place to try it."},
	{"impossible_rule", "Rule never fires", "The parts of a reply rule's when block must all be met by one message, and none can meet these. Make it two rules."},
	{"incomplete_rule", "Rule without effect", "A reply rule must do something: reply, forward, set or handover."},
	{"insecure_link", "Link without https", "A link leads to a page without https, so that others can read and change what is sent to and from it, and some phones refuse to open it. Give the page https."},
	{"interrupted", "Loading interrupted", "Loading ended early because the command was interrupted or ran out of time. If nobody interrupted it, some expression takes very long; `handbill console` helps to find it."},
	{"invalid_address", "Invalid address", "An address names a resource as its references do: list_message.browse, campaign.spring, provider.sandbox.main."},
	{"invalid_dynamic", "Invalid dynamic block", "A dynamic block has for_each, one content block, and labels where the block that it makes has labels. Inside content, NAME.key and NAME.value are the element, where NAME is the block's type or the iterator argument."},
	{"invalid_for_each", "Invalid for_each", "for_each takes a map, an object or a set of strings whose keys are known before any contact is read, since they stand in addresses such as campaign.spring[\"de\"]. A list is not accepted: when an element is removed, the keys of the others would change. toset(...) makes a set of a list of strings."},
	{"invalid_message", "Invalid message", "WhatsApp would refuse the message as declared: a text is too long, a count is too large, an id is used twice. The detail names the limit and its source."},
	{"invalid_module", "Invalid module", "A module block calls a directory of configuration files below this one, or in a directory given with -module-dir: source = \"./modules/welcome\", written as it stands. Nothing is downloaded while a plan is made. A module has every block but handbill, whose settings are for the whole configuration; what it needs comes in by its variables, and what others may see goes out by its outputs."},
	{"invalid_name", "Invalid name", "A name begins with a letter or underscore and goes on with letters, digits, underscores and dashes."},
	{"invalid_regex", "Invalid regular expression", "The pattern is not a regular expression of RE2's syntax, or is longer than 1,024 characters. In a quoted string a backslash is written twice."},
	{"invalid_syntax", "Invalid syntax", "The text is not valid HCL, or an expression cannot be evaluated: HCL's message says what it expected, and where."},
	{"invalid_type", "Invalid type", "A variable's type is a type such as string, number, bool, list(string), map(number) or object({ name = string })."},
	{"invalid_value", "Invalid value", "A value is not one of those that the argument takes. The detail says which."},
	{"invalid_variable", "Invalid variable value", "The value given for a variable does not have the variable's type, or cannot be read as an expression."},
	{"link_place", "Link not usable here", "link.NAME stands for an address that each recipient gets when the message is sent. It can stand in the texts and addresses of messages that campaigns send, beside functions but not inside of them, since these would have to know it. Where it leads is the same for a whole campaign: url may use value.*, and no attribute of a recipient."},
	{"literal_secret", "Secret in plain text", "A secret stands in the configuration, where version control and reviews would carry it on. Read it from the environment with env(\"NAME\"), or declare a variable with sensitive = true and give its value in HANDBILL_VAR_NAME."},
	{"missing_argument", "Missing required argument", "A block lacks an argument that it must have."},
	{"missing_block", "Missing block", "A block lacks a nested block that it must have."},
	{"missing_message_value", "Missing value for message", "A message uses value.NAME, and a campaign or reply rule that sends it does not give NAME in its values."},
	{"missing_value", "Missing value", "An argument that a message needs is null or empty."},
	{"missing_variable", "Missing variable value", "A variable without a default has no value. Give it with -var, -var-file, handbill.vars.hcl, a *.auto.vars.hcl file, or HANDBILL_VAR_NAME."},
	{"moved_conflict", "Conflicting moved blocks", "Two moved blocks have the same from or the same to, form a cycle, or move away from something that is still declared."},
	{"no_configuration", "No configuration files", "The directory holds no file whose name ends in .hcl or .hcl.json. `handbill init` writes a small one to begin with."},
	{"product_doubted", "Product perhaps not taken", "A text of a product is longer than Meta's pages say that catalogs take; the figures are not confirmed, so the product is handed in as it is."},
	{"product_invalid", "Product not taken", "A product of a managed catalog has a price, an availability, a condition or an address that Meta refuses. It is found before anything is handed in, since a batch of products is accepted as a whole and refused one by one minutes later."},
	{"removed_conflict", "Conflicting removed block", "A removed block says of a resource that it is gone for good, and it is still declared, moves to another address, or has such a block already."},
	{"repeated_block", "Duplicate block", "The block may stand once where it stands."},
	{"reply_loop", "Rule without an end", "A reply rule answers every message and has no cooldown. Where another automatic service writes, each would answer the other endlessly. Give the rule a cooldown; the handbill block's reply_budget bounds what is left."},
	{"reserved_name", "Reserved name", "The name has a meaning of its own in the language, so that it cannot be used here."},
	{"sensitive_value", "Sensitive value not allowed", "A sensitive value would end in the plan, in the state or in a message. What is sent and compared may not hold secrets; use nonsensitive data."},
	{"shape_depends", "Shape depends on recipient", "The shape of a message is the same for everyone, so that a plan can be reviewed: which rows it has, which products, which kind of header. Only its texts can differ from recipient to recipient. Use an audience and a campaign for each shape."},
	{"singleton_doubted", "Setting perhaps not taken", "One of Meta's pages says that WhatsApp takes less of this attribute than another one does. It is written as it is; where it is refused, apply says so."},
	{"singleton_invalid", "Setting that WhatsApp would refuse", "An attribute of a number or account, such as the text of a business profile, is longer than WhatsApp takes, of another form, or none of its words. The detail names the attribute and the limit. It is found before anything is written."},
	{"stop_word", "Unusable stop word", "A phrase of a stop_words block has no letter, stands twice, is a stop word already, or means something else beside stop words, as please does. STOP and START mean the same everywhere, since people are told to answer so. A word that opts people out by law in the United States is a warning where it does no more."},
	{"template_invalid", "Template that Meta would refuse", "A template block breaks a rule that Meta holds templates to: the length of a text, the place and order of variables, a sample that is missing, the kinds and order of buttons, or for how long delivery is tried. The detail says which, with Meta's code where one is known. It is found before anything is submitted, since a refusal may come only after hours."},
	{"template_unfit", "Message unfit for its template", "A template_message gives other parameters, another header or other buttons than the template block that it names has in that language, or the block has no translation in it. What fills a template has to be what the template asks for; WhatsApp refuses anything else when it is sent (132000, 132012)."},
	{"too_complex", "Expression too complex", "Nesting, length and cost of expressions are bounded, so that no configuration can hang or kill the process. Move parts to locals."},
	{"unavailable_product", "Product not shown", "A message names a product that is hidden or out of stock. WhatsApp leaves it out silently and sends the rest."},
	{"undeclared_variable", "Undeclared variable", "A value was given for a variable that no variable block declares. On the command line this is an error, in a file a warning."},
	{"unknown_attribute", "Unknown attribute", "An object has no attribute of that name: recipient.* has what the audience's attributes declare, row.* the columns of its source."},
	{"unknown_column", "Unknown column", "row.NAME names a column that the audience's source does not have."},
	{"unknown_name", "Unknown name", "The first part of a reference is not a name that the language knows, at least not here."},
	{"unknown_product", "Unknown product", "A message names a product that its catalog does not declare. WhatsApp drops such products silently, or refuses the message when none is left."},
	{"unknown_provider", "Unknown provider type", "The first label of a provider block is one of the providers that handbill knows; `handbill providers` lists them."},
	{"unknown_reference", "Undeclared reference", "A reference names something that no block declares."},
	{"unknown_row", "Unknown row or button", "A reply rule waits for a row or button that the message does not have, so that it can never match."},
	{"unreachable_rule", "Rule never reached", "A reply rule before this one takes every message that this one would match. Give this one a higher priority, or the other one continue = true."},
	{"unset_secret", "Secret not set", "A secret argument of a provider reads an environment variable that is not set. Files are validated and planned without it, so that a pull request from a fork can be reviewed by a job that has no secrets. Whatever asks the provider something refuses, and names the variable: apply, serve, refresh, providers check, and a plan with data blocks."},
	{"unsuitable_value", "Unsuitable value", "A value has another type than the argument needs."},
	{"unsupported_argument", "Unsupported argument", "The block has no argument of that name; the detail names the one that was probably meant."},
	{"unsupported_block", "Unsupported block type", "No block of that type may stand here; the detail names the one that was probably meant."},
	{"unsupported_version", "Unsupported handbill version", "required_version in the handbill block does not allow this version of handbill."},
	{"unused_value", "Unused value", "A campaign or reply rule gives a value that its message does not use; perhaps its name is misspelt."},
	{"variable_validation", "Invalid value for variable", "A validation block of the variable refuses the value; its error_message says why."},
	{"wrong_scope", "Name not available here", "The name has a meaning elsewhere in the language but not at this place: row.* belongs to audiences, recipient.* and value.* to messages, inbound.*, match.* and lookup.* to reply rules, plan.* to checks and outputs."},
}
