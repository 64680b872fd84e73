package metaobject

// Codes is exported for external tests.
var Codes = codes
