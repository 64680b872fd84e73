variable "sheet" { default = "Leads" }

audience "gone" {
  source "csv" { path = "gone.csv.gz" }
}

provider "sandbox" "main" {}

audience "leads" {
  source "xlsx" {
    path       = "leads.xlsx"
    sheet      = var.sheet
    header_row = 3
  }
  phone        = row.Phone
  region       = "DE"
  attributes   = { name = row.Name, points = row.Points }
  last_inbound = row.Seen == null ? null : parsetime(row.Seen, "YYYY-MM-DD'T'hh:mm:ss", "Europe/Berlin")
  optional     = ["points"]
  exclude      = [audience.gone]
}

text_message "hello" {
  body = "Hello ${recipient.name}, you have ${coalesce(recipient.points, 0)} points."
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.leads
  message    = text_message.hello
  on_invalid = "skip"
}
