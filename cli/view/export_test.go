package view

// Compare is for tests of the package from outside.
var Compare = compare
