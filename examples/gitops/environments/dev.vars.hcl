environment = "dev"
contacts    = "contacts/dev.csv"
most        = 10
