provider "sandbox" "main" {}

provider "sandbox" "other" {}

list_message "browse" {
  body   = "What may we show you?"
  button = "View"

  section "Featured" {
    row "alpha" { title = "Alpha Widget" }
    row "beta" { title = "Beta Widget" }
  }
}

button_message "help" {
  body = "How may we help?"

  button "person" { title = "A person, please" }
}

text_message "answer" {
  body = "We are on it."
}

# A row and a button that nobody can tap.
reply_rule "misspelt_row" {
  when {
    list_reply = list_message.browse
    row        = ["alpha", "betta"]
  }
  reply = text_message.answer
}

reply_rule "misspelt_button" {
  when {
    button_reply = button_message.help
    payload      = "persons"
  }
  reply = text_message.answer
}

# Taken by the rule before it.
reply_rule "every_row" {
  when { list_reply = list_message.browse }
  reply = text_message.answer
}

reply_rule "one_row" {
  when {
    list_reply = list_message.browse
    row        = "beta"
  }
  reply = text_message.answer
}

reply_rule "words" {
  when { keywords = ["hours", "open"] }
  reply = text_message.answer
}

reply_rule "fewer_words" {
  when { keywords = ["Open"] }
  reply = text_message.answer
}

reply_rule "media" {
  when { type = ["image", "video"] }
  reply = text_message.answer
}

reply_rule "image" {
  when { type = "image" }
  reply = text_message.answer
}

# Not taken: the rule before is for one number, or for some of the messages.
reply_rule "one_number" {
  provider = provider.sandbox.other

  when { text = "stock" }
  reply = text_message.answer
}

reply_rule "every_number" {
  when { text = "stock" }
  reply = text_message.answer
}

reply_rule "text_of_document" {
  when {
    text = "price"
    type = "document"
  }
  reply = text_message.answer
}

reply_rule "text_of_all" {
  when { text = "price" }
  reply = text_message.answer
}

# Parts that no one message meets.
reply_rule "tapped_order" {
  when {
    list_reply = list_message.browse
    order      = true
  }
  reply = text_message.answer
}

reply_rule "order_in_words" {
  when {
    order = true
    type  = "text"
  }
  reply = text_message.answer
}

reply_rule "everything" {
  priority = -5
  when { any = true }
  reply = text_message.answer
}

reply_rule "after_everything" {
  priority = -10
  when { order = true }
  reply = text_message.answer
}

# Rows that a dynamic block makes are known too.
list_message "many" {
  body   = "Which one?"
  button = "View"

  section "All" {
    dynamic "row" {
      for_each = { red = "Red", blue = "Blue" }
      labels   = [row.key]
      content { title = row.value }
    }
  }
}

reply_rule "green" {
  when {
    list_reply = list_message.many
    row        = ["red", "green"]
  }
  reply = text_message.answer
}
