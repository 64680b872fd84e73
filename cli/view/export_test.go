package view

// Compare is exported for external tests.
var Compare = compare
