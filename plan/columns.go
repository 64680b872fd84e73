package plan

import (
	"context"
	"os"
	"slices"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/lang"
)

// FileColumns are the names of the columns of an audience's file, in the configuration
// of a directory. They are nil for a source that is no file, and for a file that cannot
// be read: nothing but files in the directory is opened.
func FileColumns(ctx context.Context, dir string, a *lang.Audience) []string {
	if !slices.Contains([]string{"csv", "ndjson", "json", "xlsx", "parquet"}, a.Source.Kind) {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close()
	src, err := audience.Open(ctx, sourceOf(a), audience.Options{Root: root})
	if err != nil {
		return nil
	}
	defer src.Close()
	return src.Columns
}
