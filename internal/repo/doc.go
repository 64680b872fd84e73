// Package repo holds tests of the repository itself: which packages may import and
// call what, which names are exported, links and generated parts of the
// documentation, pinned versions, and the pipelines of examples/gitops. Nothing
// imports it.
package repo
