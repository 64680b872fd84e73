// Package repo holds the tests about the repository itself: who may import and
// call what, which names are exported, links and generated parts of the pages,
// pinned versions, and the pipelines of examples/gitops. Nothing imports it.
package repo
