package cli

// ProcessBuild is for tests of the package from outside.
var ProcessBuild = processBuild
