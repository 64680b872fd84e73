environment = "prod"
contacts    = "contacts/prod.csv"
most        = 1000
