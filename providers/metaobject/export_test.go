package metaobject

// Codes is for tests of the package from outside.
var Codes = codes
