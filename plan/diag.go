package plan

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
)

// diagExtra is what every diagnostic of this package carries in Extra.
type diagExtra struct{ code string }

// DiagCode is the stable code of a diagnostic of this package or of lang, ""
// for any other.
func DiagCode(d *hcl.Diagnostic) string {
	if e, ok := d.Extra.(diagExtra); ok {
		return e.code
	}
	return lang.DiagCode(d)
}

// Codes explains the codes of the diagnostics of planning, in alphabetical
// order.
func Codes() []lang.CodeInfo {
	list := make([]lang.CodeInfo, 0, len(codes))
	for code, c := range codes {
		list = append(list, lang.CodeInfo{Code: code, Summary: c.summary, Explanation: c.explanation})
	}
	slices.SortFunc(list, func(a, b lang.CodeInfo) int {
		if a.Code < b.Code {
			return -1
		}
		return 1
	})
	return list
}

// codeText is what "handbill explain" prints for a code.
type codeText struct{ summary, explanation string }

// codes are the diagnostics of planning. The summary is that of each one.
var codes = map[string]codeText{
	"api_version_ended": {"The provider's API version has ended, or ends soon",
		"Meta ends each version of its Graph API some two years after the next one came, on a day that it publishes. After that, the oldest version that is left answers: calls go on working, but requests and answers may have another form than the configuration expects. Set a newer api_version, or leave it out for the default."},
	"audience_source": {"The audience's source can't be read",
		"The file, query or list of contacts behind an audience could not be opened, or can't be read at the place that the detail names. Nothing is planned from half an audience: fix the source and plan again."},
	"campaign_halted": {"A campaign is halted until somebody lifts it",
		"An earlier apply stopped this campaign because its canary failed, too many of its messages were refused, the account has a fault, or the provider's answers were unclear or mixed up. Every later apply leaves it alone, so that a job that runs again and again does not send a few more each time. Find the cause with `handbill status`, fix it, and lift the halt with `handbill apply -resume=campaign.NAME`. Halts that cost nothing to try again, such as a network that is down, lift themselves."},
	"attributes_too_long": {"Some recipients' attributes are too long to be kept",
		"Audiences that are made of this campaign's outcomes read row.attributes, so apply keeps these attributes with each message, 4,096 bytes at most. Those of the recipients at the rows named are longer. Read shorter attributes there, or leave such recipients out with on_invalid = \"skip\"."},
	"capability": {"The provider can't do this",
		"Not every provider carries every kind of WhatsApp message, or has a way for what a campaign or reply rule asks for beside it, such as quote or typing. The detail says what is known of this one and what can be used instead."},
	"capability_doubted": {"The provider may not be able to do this",
		"What the provider documents and what was observed differ, or nothing is documented. Send a few with `handbill try` before a whole campaign."},
	"consent_missing": {"A message outside the window needs consent",
		"A template reaches people who did not write within 24 hours. WhatsApp and most laws require that they agreed to it beforehand. State on the audience who did: `consent = row.opted_in == \"yes\"`, or `consent = true` as an explicit claim for all of them."},
	"check_failed": {"A check failed",
		"A check block's condition does not hold for this plan. The plan can't be applied until the condition holds or is changed."},
	"configuration_generated": {"Configuration was generated",
		"handbill plan -generate-config-out has written template blocks from what the account has, into a new file of the configuration. Look through it before it is committed: samples that the account does not show have been made up."},
	"singleton_capability": {"The provider can't do this for a number",
		"A number's profile and settings are read and changed through Meta's Graph API, or what passes it on. The detail says what this provider lacks and what can be done instead."},
	"singleton_claimed": {"Another block has it",
		"A number has one business profile, so one block declares all that handbill looks after. Write a moved block where a block was renamed; make one block of two."},
	"singleton_import": {"The import is of another number",
		"An import block names a number or account that is not the one of the block's provider. Nothing is taken over."},
	"singleton_record": {"What the state keeps of it can't be read",
		"The record of a number's profile or setting in the state is not what handbill writes. It is left alone."},
	"singleton_unreadable": {"It could not be read",
		"A number's profile or setting could not be read, so it is not known whether it is as declared, and nothing is planned for it. That something can't be read never counts as its being empty."},
	"singleton_unrefreshed": {"Planned without asking",
		"With -refresh=false a number's profile and settings are compared with what the state keeps of the last reading. apply reads them before it changes anything."},
	"catalog_capability": {"The provider can't change catalogs",
		"Catalogs are changed through Meta's Graph API. A manage block names a provider \"cloud\" whose access token has the permission catalog_management and was given the catalog; messages may be sent through any other provider."},
	"catalog_claimed": {"The catalog is another block's",
		"The state looks after this catalog under the address of a block that is not declared any more. Two blocks never change the products of one catalog. Write a moved block where the block was renamed, or let the old one go with a removed block."},
	"catalog_feeds": {"Feeds write into the catalog",
		"A feed overwrites what was handed in for its products, and one that replaces deletes those that it does not list: with two writers, each undoes the other. Take the feeds out, or say feeds = \"ignore\" where they have other products than the declared ones."},
	"catalog_link_unknown": {"Whether a catalog may be named can't be known",
		"Messages may name products of the catalog that is connected with their number's account. For numbers that the business app uses, too, Meta does not tell which that is. Look in WhatsApp Manager; if it is another one, the messages are refused."},
	"catalog_max_change": {"More of the catalog changed than allowed",
		"A manage block's max_change bounds how many of the catalog's products one plan changes, puts out of stock or deletes; without it, a fifth of them, and always ten. -auto-approve does not lift it. A larger change is often a wrong file or a broken filter. If it is meant, raise max_change in the configuration, where a reviewer sees it. Products that are added do not count."},
	"catalog_record": {"What the state keeps of a catalog can't be read",
		"The record of a managed catalog in the state is not what handbill writes. The catalog is left alone."},
	"catalog_unlinked": {"The catalog is not the account's",
		"Messages may name products of the one catalog that is connected with their number's account. It is connected in WhatsApp Manager; handbill does not change that, since an account has one catalog at a time."},
	"catalog_unreadable": {"The catalog could not be read",
		"A managed catalog is read whole for every plan. A page of it could not be read, so that nobody knows what it has; that is an error, and never taken for products that are gone. Fix what the detail names and plan again."},
	"catalog_unrefreshed": {"The catalog was not asked",
		"With -refresh=false a plan takes what the state keeps of a catalog, which may have changed since. apply reads the catalog before it changes anything."},
	"duplicate_person": {"Some rows are one person under several ids",
		"The state knows from WhatsApp's events that ids of these rows, such as a phone number and a user id, are one person's. The person is planned once, by the first of their rows; the others are left out as duplicate_person. Nothing is to be done."},
	"evaluation": {"An expression has no result for some recipients",
		"An expression of the audience or of the message failed for the recipients at the rows named. Fix the rows, make the expression handle them (try, coalesce, a conditional), or leave such recipients out with on_invalid = \"skip\"."},
	"empty_value": {"Some recipients have nothing to put into the message",
		"An attribute that the message uses is null or empty for the recipients at the rows named, and nothing is ever rendered as nothing silently. Give the rows a value, write a default (coalesce(recipient.name, \"there\")), or list the attribute in the audience's `optional`."},
	"placeholder_value": {"Some recipients have a placeholder instead of a value",
		"An attribute that the message uses holds what exports write where they have no value, such as NULL, undefined, N/A, #N/A, nan or -, or the name of its own column. That counts as an empty value, so that nobody is greeted as NULL. Correct the rows, write a default (coalesce(recipient.name, \"there\")), or list the attribute in the audience's `optional`. Where such a text is meant as it is, say so: `placeholders = []` takes none for empty, and `placeholders = setsubtract(placeholders(), [\"-\"])` all but one."},
	"excluded_unusable": {"Some rows of an excluded audience have no usable address",
		"An audience that is to be left out has rows whose number can't be read. The people in those rows would get the message, so the plan fails. Correct the rows, or set on_invalid = \"skip\" in the campaign to send all the same."},
	"guard_max_change": {"More of the audience changed than allowed",
		"The campaign's limit { max_change } bounds which share of the last audience may be new or gone. A larger change is often a wrong file or a broken filter. If it is meant, raise the limit in the configuration, where a reviewer sees it."},
	"guard_max_recipients": {"More recipients than allowed",
		"The campaign's limit { max_recipients } bounds its audience. If the number is meant, raise the limit in the configuration, where a reviewer sees it."},
	"invalid_phone": {"Some recipients have no usable phone number",
		"The phone expression of the audience gave no number that can be turned into an international one. Fix the rows, set `region` for national numbers, or leave such recipients out with on_invalid = \"skip\"."},
	"invalid_time_zone": {"Some recipients have an unknown time zone",
		"The attribute `timezone` is to be a name of the IANA database, such as \"Europe/Berlin\". For these recipients the schedule's own time zone decides the quiet hours."},
	"message_limit": {"The message breaks a limit of WhatsApp for some recipients",
		"With the values of the recipients at the rows named, a text of the message is longer than WhatsApp takes, empty, or otherwise refused. Nothing is ever cut silently: shorten the text, cut it yourself with truncate(), or leave such recipients out with on_invalid = \"skip\"."},
	"message_limit_advised": {"The message may be refused for some recipients",
		"With the values of the recipients at the rows named, a text of the message is near or above what some versions of WhatsApp take, or goes out otherwise than it was probably meant."},
	"message_invalid": {"The message breaks a limit of WhatsApp",
		"A constant text or the shape of the message is outside of what WhatsApp takes. The detail names the limit, its source, and how to fix it."},
	"moved_blocked": {"A moved block has nothing to move",
		"The moved block names an address that the state has and that is still declared, or a target that the state has already. Remove the block, or rename the resource."},
	"option_address": {"An option names something unknown",
		"-target, -exclude and -replace take addresses of declared resources, or of one recipient of a campaign in the form campaign.spring[\"+4915112345678\"]."},
	"phone_needed": {"Some recipients have no phone number, which the message needs",
		"WhatsApp does not deliver authentication templates to business-scoped user ids: it answers 131062 (Meta, business-scoped-user-ids, 2026-06-29). Give the rows a phone number beside the user id (ask for it with a contact_request_message), send them a template of another category, or leave such recipients out with on_invalid = \"skip\"."},
	"messaging_limit": {"More people than the messaging limit allows",
		"WhatsApp lets a business portfolio write to so many people outside their 24-hour windows in any 24 hours: 250, 2,000, 10,000, 100,000, or without a limit. All numbers of the portfolio share it. The plan would start more conversations than that, and WhatsApp would refuse the rest. Send a part a day with `limit { total = … }` and one apply a day; the limit rises by itself when messages are well received. The limit is what the provider told last, through `handbill refresh`, `handbill providers check` or a webhook; where it is not known of all numbers with the same limit which portfolio they are of, they are taken for those of one."},
	"messaging_limit_near": {"The messaging limit may be reached",
		"Together with those who were sent something in the last 24 hours, the plan may write to more people outside their windows than the messaging limit allows. It is a warning, since the state does not keep who of them had an open window; these do not count."},
	"plan_failed": {"The plan could not be made",
		"Something outside of the configuration failed: the state could not be read, or the disk is full. The detail says what."},
	"price_date": {"Rates may change before the messages leave",
		"Meta's rates change on the first day of a quarter, at midnight in the account's time zone, and a file holds those of one quarter. Messages of the campaign may leave after that. Plan again with the new file when it is there."},
	"price_file": {"The price file can't be used",
		"A price file is CSV with the columns prefix, category, price and currency, in one currency. Prefixes are digits of international numbers such as 49; * stands for all others. Meta's own file of rates, with the columns Market, Currency, Marketing and so on, is taken as it is, and after a comma its file of volume tiers, with the columns market, category, from, to and rate."},
	"price_guard": {"The campaign may cost more than allowed",
		"The campaign's price_guard bounds what it may cost by the price file that -prices names; where the cost depends on what is not known, the most it can be counts. Without prices, or with some missing, nobody can tell, so the plan is refused too. If the amount is meant, raise max in the configuration, where a reviewer sees it."},
	"price_missing": {"Meta's file has no rate for some recipients",
		"The file of rates says n/a, or nothing, for this category in the recipients' market, so the cost of the campaign is not known. Files from before October 2026 have no rates of service messages, for which Meta charges since. Take a newer file, or a price file of your own."},
	"product_incomplete": {"New products lack something",
		"A catalog takes a new product only with a title, a description, an availability, a condition, a price, a link, an image link, and a brand, a GTIN or an MPN (Meta, catalog batch API, 2026-08-19). Give the rows these columns. Products that the catalog has already may be declared in part: what is not declared is left as it is."},
	"product_unsendable": {"A product that a message names can't be shown",
		"WhatsApp refuses a message with a product that its catalog does not show, or whose review Meta has refused or calls outdated (131009). The catalog was read, and says so. Products that depend on the recipient are not checked."},
	"product_waits": {"A product that a message names is not approved yet",
		"The product is new, or Meta still reviews it. Until it is approved WhatsApp may refuse messages that name it (131009). Apply the catalog first, and the campaign when the plan does not warn any more."},
	"prevent_resend": {"Some recipients would get the campaign again",
		"The campaign declares prevent_resend, and this plan would send to people who had an earlier revision of it. Take the raised revision or the -replace back, or remove prevent_resend where a reviewer sees it."},
	"quiet_hours_zone_unknown": {"Quiet hours or a local time without a known time zone",
		"The schedule has quiet hours and no timezone, the audience gives these recipients no attribute `timezone`, and their numbers do not tell where they are: there is no zone to be quiet in, or so many that some are always quiet. Set `timezone` in the schedule, or give the audience an attribute `timezone`."},
	"template_account": {"The template belongs to another account",
		"A template lives in one account and can be sent by the numbers of that account only. The campaign's number belongs to another account than the number that the data block reads through, or it is not known to belong to the same one. Give the data block the campaign's provider, or one of the same account; two Cloud API numbers are known to share an account when both declare the same waba_id."},
	"template_category": {"The template has another category than declared",
		"The account holds the template in another category than the template_message says. Meta decides the category and changes it; price, the consent that is needed, cool-downs, and whether messages reach numbers of the United States depend on it, so a plan never accepts another one silently. Write what is true, or leave category out: then what the account says counts."},
	"template_category_notice": {"The template's category is about to change",
		"Meta has announced another category for the template (correct_category). Until then the present one counts. Afterwards the price is another, other people may have to have agreed, and marketing no longer reaches numbers of the United States. Ask for a review in WhatsApp Manager if the notice is wrong."},
	"template_doubted": {"Whether the message fits its template is not certain",
		"The template has a part of a kind that this handbill does not know, so the message is not checked against it. Send one with `handbill try` before a whole campaign."},
	"template_capability": {"The provider can't change templates in this way",
		"Not every provider has a call to create, edit or delete templates, and some take no files for headers. The detail says what can be done instead. Nothing is planned that could only fail."},
	"template_edits": {"An approved template can't be edited again yet",
		"Meta takes one edit of an approved template in 24 hours, and ten in 30 days. A refusal looks the same as that of a template that is reviewed (2388039), so the plan counts. Apply again after the time that the detail names, or write the words under a new name."},
	"template_exists": {"The account has this template already",
		"A template block would create a template of a name and language that the account has, and that handbill has neither created nor taken over. Nothing is created or changed, since somebody else may rely on it. Take it over with an import block, read it with a data block, take another name, or, where a block was renamed, write a moved block."},
	"template_file": {"The file of a template's header can't be read",
		"The sample of a header is a file below the configuration's directory, which Meta reviews. It has to be there, have content, and be no larger than 16 MiB."},
	"template_gone": {"A template of the account is gone",
		"handbill has created this template or taken it over, and the account's whole list, which was read, does not have it any more. Somebody deleted it, or Meta did, 28 days after it was archived. Its name is blocked for 30 days, so nothing is created under it."},
	"template_in_review": {"The template is reviewed",
		"Meta takes no edit of a template while it is reviewed (2388039). Apply again when the review is over."},
	"template_in_use": {"The template is still in use",
		"A template that messages name is not deleted: Meta goes on trying to deliver for up to 30 days, and a message that is declared could not be sent any more. Take out what names it and wait, keep or archive it in place of deleting it, or say -force-delete-templates."},
	"template_parameters": {"The form of a template's parameters can't change",
		"Meta takes at a template's creation whether its variables have names or numbers, and no edit changes it. Write the new form under a new name: the new template is created and approved first, messages move to it, and on_destroy says what becomes of the old one."},
	"template_prevented": {"The template may not be destroyed",
		"The template is not declared any more, and it would be archived or deleted in the account, which its lifecycle block forbids. The state remembers that, also when the whole block is taken out."},
	"template_record": {"What the state keeps of a template can't be read",
		"The record of a template block in the state is not what handbill writes. The account is left alone."},
	"template_language": {"The account does not have the template in this language",
		"Each language of a template is reviewed separately, and WhatsApp refuses a language that the template does not have (132001): it never falls back to another. Languages are compared as they are written: en and en_US are two. Choose one that the detail lists, or, where the language depends on the recipient, leave such recipients out with on_invalid = \"skip\"."},
	"template_mismatch": {"The message does not fit its template",
		"The message gives other parameters, another header, other buttons or another number of cards than the approved template has. WhatsApp would refuse every message (132000, 132012). The detail says what the template has."},
	"template_missing": {"The account has no such template",
		"A data block or an import block names a template that the list of the account does not have. Nothing is created in its place, since the name may be misspelt or of another account. Names are compared as they are written. A template that was made a moment ago may take a while to be listed."},
	"template_undeclarable": {"Left out of the generated configuration",
		"A template block has one category, one time to live, and either named or numbered parameters for all its languages, and its name and languages are in the form that Meta takes for new templates. A language of the account that differs is left out of what -generate-config-out writes, and stays in the account as it is. Read it with a data block. So is a field of a product that is in no form that a catalog block can declare."},
	"template_undestroyable": {"The template can't be archived or deleted",
		"Meta deletes neither its sample hello_world nor disabled templates, and archives approved and rejected ones alone. A removed block lets a template go without touching the account."},
	"template_unreadable": {"The account's templates could not be read",
		"A data block needs the list of the account's templates, whole. It could not be read, so that nobody knows whether the template may be sent; that is an error, and never taken for a template that is gone. Fix what the detail names and plan again. Where a provider has no list, write the template's name as a text: template = \"login_code\" is sent unchecked."},
	"template_unusable": {"The template can't be sent",
		"The account holds the template in a state in which it is not sent, and which does not end on its own: rejected, disabled, archived, being deleted, or one that this handbill does not know. The detail quotes Meta's reason. Fix the template in WhatsApp Manager, or use another one."},
	"template_unrefreshed": {"The account was not asked",
		"With -refresh=false a plan takes what the state keeps of templates, which may have changed in the account since: somebody edited one, Meta paused it or changed its category. apply reads the account before it changes or sends anything, and refuses a plan that no longer fits."},
	"template_waits": {"Messages wait for their template",
		"The account holds the template as in review or paused. Its messages are planned for later and are not sent by this plan; they stay pending, and a plan after the approval sends them."},
	"us_marketing": {"Marketing to numbers of the United States is not delivered",
		"WhatsApp delivers no marketing templates to numbers with a US area code and answers 131049 (Meta, per-user marketing template limits, 2026-06-17), so these recipients are left out. If the template is approved as utility or authentication, say so on the template_message: category = \"utility\"."},
	"replace_in_doubt": {"Some recipients are in doubt and are not sent to again",
		"-replace names recipients whose messages are in doubt: they may have the message already and would get it twice. Look at the phone or at the provider's log, settle them with `handbill resolve -as=sent` or `-as=not-sent`, and plan again."},
	"variant_unmet": {"Nobody meets a variant",
		"The campaign has recipients, and none of them gets this variant: the attribute is spelt another way in the source (de and DE, or de_DE), it is empty, or a variant before this one takes them all. The first variant whose condition holds counts, in the order of the file."},
	"experiment_undecidable": {"The experiment can't be decided",
		"So few people are in an arm, or held out, that no difference would show with a power of 80 % in a two-sided test of level 5 %, not even that between all and half of them. People who got the message before count."},
	"variant_templates": {"The variants' templates differ in kind",
		"Consent, cool-downs and prices depend on a template's category, and apply asks the account for a campaign's template before it sends: so all templates of one campaign are of one category, and what is read of the account is one template, which may have several languages. Make them two campaigns."},
	"unreadable_row": {"Some rows of the audience can't be read",
		"A row has more or fewer cells than the header, or is otherwise no row of its source. Fix the rows named, or leave them out with on_invalid = \"skip\"."},
	"rename_would_resend": {"A renamed campaign would message the same people again",
		"A campaign that is no longer declared was sent to people whom a new campaign would send the same message. Say with a moved block that it is the same campaign. If they shall really get it again, keep the old block for one more apply."},
}

// diagnose makes a diagnostic with the summary of its code.
func diagnose(sev hcl.DiagnosticSeverity, code string, rng hcl.Range, format string, args ...any) *hcl.Diagnostic {
	text, known := codes[code]
	if !known {
		panic("plan: no such diagnostic code: " + code)
	}
	d := &hcl.Diagnostic{Severity: sev, Summary: text.summary, Detail: fmt.Sprintf(format, args...), Extra: diagExtra{code}}
	if rng.Filename != "" {
		d.Subject = &rng
	}
	return d
}

// fail diagnoses an error, which keeps the plan from being applied.
func fail(code string, rng hcl.Range, format string, args ...any) *hcl.Diagnostic {
	return diagnose(hcl.DiagError, code, rng, format, args...)
}

// warn diagnoses a warning, which does not.
func warn(code string, rng hcl.Range, format string, args ...any) *hcl.Diagnostic {
	return diagnose(hcl.DiagWarning, code, rng, format, args...)
}

// diagnostics are diags as data.
func diagnostics(diags hcl.Diagnostics) []Diagnostic {
	list := make([]Diagnostic, 0, len(diags))
	for _, d := range diags {
		out := Diagnostic{Severity: "error", Code: DiagCode(d), Summary: d.Summary, Detail: d.Detail}
		if d.Severity == hcl.DiagWarning {
			out.Severity = "warning"
		}
		if d.Subject != nil {
			out.File, out.Line = d.Subject.Filename, d.Subject.Start.Line
		}
		list = append(list, out)
	}
	return list
}
