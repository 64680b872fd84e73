run "everybody has one text, in their language, or none" {
  at = "2026-03-02T12:00:00Z"

  assert {
    condition     = plan.campaign.spring["de"].arm["short"].messages + plan.campaign.spring["de"].arm["question"].messages + plan.campaign.spring["de"].held_out == 36
    error_message = "somebody is in no arm"
  }
  assert {
    condition     = plan.campaign.spring["es"].variant["es"].recipients == 22
    error_message = "three of five in Spain read Spanish"
  }
  assert {
    condition     = plan.campaign.reminder["de"].recipients == 0
    error_message = "nobody is reminded of what was not sent"
  }
}

run "the text is that of their arm and their language" {
  at = "2026-03-02T12:00:00Z"

  contacts "market[de]" {
    rows = [{ phone = "+4915112345005", name = "Hugo", language = "de", opted_in = "yes", last_seen = "2026-03-02T08:00:00Z" }]
  }

  assert {
    condition     = plan.campaign.spring["de"].recipient["+4915112345005"].arm == "question"
    error_message = "their arm is another one: an assignment must never change"
  }
  assert {
    condition     = plan.campaign.spring["de"].recipient["+4915112345005"].text == "Hugo, welche Blume magst du am liebsten: Tulpe, Rose oder Lilie?"
    error_message = "not the text of their arm in German"
  }
}

run "the reminder is for who says nothing, in their language, after two days" {
  at = "2026-03-04T12:00:00Z"

  state {
    delivery "campaign.spring[de]" {
      recipient    = "+4915112345001"
      delivered_at = "2026-03-02T11:00:00Z"
      attributes   = { name = "Hugo", language = "de", opted_in = "yes" }
    }
    delivery "campaign.spring[de]" {
      recipient    = "+4915112345002" # a day ago
      delivered_at = "2026-03-03T11:00:00Z"
      attributes   = { name = "Mia", language = "en", opted_in = "yes" }
    }
    delivery "campaign.spring[de]" {
      recipient    = "+4915112345003" # has answered
      delivered_at = "2026-03-02T11:00:00Z"
      replied_at   = "2026-03-02T11:30:00Z"
      attributes   = { name = "Paul", language = "de", opted_in = "yes" }
    }
    delivery "campaign.spring[de]" {
      recipient    = "+4915112345004" # never agreed to messages outside of the window
      delivered_at = "2026-03-02T11:00:00Z"
      attributes   = { name = "Emma", language = "es", opted_in = "no" }
    }
    delivery "campaign.spring[de]" {
      recipient = "+4915112345006"
      outcome   = "held_out"
    }
  }

  assert {
    condition     = plan.campaign.reminder["de"].recipients == 3 && plan.campaign.reminder["de"].send == 1 && plan.campaign.reminder["de"].defer == 1
    error_message = "one of three is due now, and one later"
  }
  assert {
    condition     = plan.campaign.reminder["de"].recipient["+4915112345001"].message == "template_message.reminder[\"de\"]"
    error_message = "not the German template"
  }
  assert {
    condition     = plan.campaign.reminder["de"].recipient["+4915112345004"].reason == "no_consent"
    error_message = "who never agreed is reminded"
  }
}
