package cli

// ProcessBuild and BuildID are exported for external tests.
var ProcessBuild, BuildID = processBuild, buildID
