package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/forge"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/workspace"
)

func (a *app) commentCommand() *cobra.Command {
	var f commentFlags
	cmd := &cobra.Command{
		Use: "comment [flags] [FILE]", Short: "put a plan as Markdown under its pull request", Args: cobra.MaximumNArgs(1),
		Long: `Put what "handbill plan -format=markdown" prints under the pull request of the
job that runs, as one comment that later plans replace. FILE is a file with that
text; without it, or with "-", the text comes from stdin.

In a job of GitHub or GitLab the forge, project and request are known. Elsewhere
name the forge and the number, and set the variables that such a job has:

  GitHub  GITHUB_TOKEN or GH_TOKEN, GITHUB_REPOSITORY; GITHUB_API_URL for a
          server of one's own
  GitLab  GITLAB_TOKEN, CI_PROJECT_ID, CI_API_V4_URL

Only a comment by the token's own account is replaced. Somebody else's stays as
it is, whatever its text begins with.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.comment(cmd.Context(), args, &f) },
	}
	cmd.Flags().BoolVar(&f.github, "github", false, "a pull request of GitHub")
	cmd.Flags().BoolVar(&f.gitlab, "gitlab", false, "a merge request of GitLab")
	cmd.Flags().IntVar(&f.number, "number", 0, "the request's number; by default, that of the job")
	cmd.Flags().StringVar(&f.env, "env", "", "one comment for each environment: the name of this one")
	bindJSON(cmd, &f.json)
	return cmd
}

// commentFlags are the flags of comment.
type commentFlags struct {
	github, gitlab, json bool
	number               int
	env                  string
}

// maxComment bounds what is read of a comment, in bytes. Both forges take less.
const maxComment = 4 << 20

func (a *app) comment(ctx context.Context, args []string, f *commentFlags) error {
	raw, err := a.readComment(args)
	if err != nil {
		return a.fail("Comment not read", err)
	}
	body, marker, err := forge.Mark(raw, f.env)
	if err != nil {
		return a.fail("No comment", err)
	}
	thread, err := a.thread(f)
	if err != nil {
		return a.fail("No request to comment on", err)
	}
	done, err := thread.Put(ctx, marker, body)
	if err != nil {
		return a.fail("Not commented", err)
	}
	return a.show(&view.CommentReport{Did: done.Did, URL: done.URL, Others: done.Others}, a.style(), f.json)
}

// readComment reads the text from the file or stdin.
func (a *app) readComment(args []string) (string, error) {
	from := a.sys.Stdin
	switch {
	case len(args) == 1 && args[0] != "-":
		file, err := os.Open(a.path(args[0]))
		if err != nil {
			return "", fmt.Errorf("%s: %w", message.SafeText(args[0]), workspace.PathCause(err))
		}
		defer file.Close()
		from = file
	case a.sys.StdinTerminal:
		return "", errors.New("name the file, or pipe the text: handbill plan -format=markdown | handbill comment")
	}
	raw, err := io.ReadAll(io.LimitReader(from, maxComment+1))
	if err == nil && len(raw) > maxComment {
		err = fmt.Errorf("it has more than %d MB", maxComment>>20)
	}
	return string(raw), err
}

// pullRef is the ref of a job for a pull request of GitHub.
var pullRef = regexp.MustCompile(`^refs/pull/([0-9]+)/`)

// thread is the conversation that the flags and the job's variables name.
func (a *app) thread(f *commentFlags) (*forge.Thread, error) {
	env := func(names ...string) string {
		for _, name := range names {
			if v, _ := a.sys.Env(name); v != "" {
				return v
			}
		}
		return ""
	}
	gitlab := f.gitlab || !f.github && env("GITLAB_CI") != ""
	switch {
	case f.github && f.gitlab:
		return nil, errors.New("-github and -gitlab exclude each other")
	case !f.github && !gitlab && env("GITHUB_ACTIONS") == "":
		return nil, errors.New("this is no job of GitHub or GitLab: name the forge with -github or -gitlab, and the request with -number=N")
	}
	o := forge.Options{Number: f.number, UserAgent: a.sys.Build.userAgent(), Sleep: a.sys.Sleep}
	if o.Sleep == nil {
		o.Sleep = pace.Sleep
	}
	number, missing := "", [][2]string{}
	if gitlab {
		o.API, o.Project, o.Token, o.Page = env("CI_API_V4_URL"), env("CI_PROJECT_ID"), env("GITLAB_TOKEN"), env("CI_PROJECT_URL")
		number = env("CI_MERGE_REQUEST_IID")
		missing = [][2]string{{"GITLAB_TOKEN", o.Token}, {"CI_PROJECT_ID", o.Project}, {"CI_API_V4_URL", o.API}}
	} else {
		o.API, o.GraphQL, o.Project, o.Token = env("GITHUB_API_URL"), env("GITHUB_GRAPHQL_URL"), env("GITHUB_REPOSITORY"), env("GITHUB_TOKEN", "GH_TOKEN")
		if o.API == "" {
			o.API = "https://api.github.com"
		}
		if found := pullRef.FindStringSubmatch(env("GITHUB_REF")); found != nil {
			number = found[1]
		}
		missing = [][2]string{{"GITHUB_TOKEN", o.Token}, {"GITHUB_REPOSITORY", o.Project}}
	}
	for _, m := range missing {
		if m[1] == "" {
			return nil, fmt.Errorf("the environment variable %s is not set", m[0])
		}
	}
	if o.Number == 0 {
		o.Number, _ = strconv.Atoi(number)
	}
	if o.Number <= 0 {
		return nil, errors.New("the job is for no pull or merge request, so name one: -number=N")
	}
	if gitlab {
		return forge.GitLab(o), nil
	}
	return forge.GitHub(o), nil
}
