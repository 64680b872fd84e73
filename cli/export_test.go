package cli

// ProcessBuild is exported for external tests.
var ProcessBuild = processBuild
