package lsp_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/cli"
)

// TestMain is the program itself where an editor starts the test's binary.
func TestMain(m *testing.M) {
	if os.Getenv("HANDBILL_TEST_PROGRAM") == "" {
		os.Exit(m.Run())
	}
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.ProcessSystem(nil)))
}

// session is what somebody does in Neovim: complete a message, type a title that is too
// long and correct it, format, look up the recipients.
const session = `
local function fail(what)
  io.stderr:write(what .. "\n" .. vim.inspect(vim.diagnostic.get(0)) .. "\n")
  vim.cmd("cquit")
end
local function wait(what, f)
  if not vim.wait(60000, f, 20) then fail("waited in vain for: " .. what) end
end
local function lines(text) vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, "\n")) end
local function run()
  wait("a server", function() return #vim.tbl_keys(vim.lsp.buf_get_clients(0)) == 1 end)
  lines("list_m")
  vim.api.nvim_win_set_cursor(0, { 1, 6 })
  local params = vim.lsp.util.make_position_params()
  params.position.character = 6
  for _, answer in pairs(vim.lsp.buf_request_sync(0, "textDocument/completion", params, 60000) or {}) do
    if not answer.result or #answer.result.items ~= 1 or answer.result.items[1].label ~= "list_message" then
      fail("completed to " .. vim.inspect(answer))
    end
  end
  lines(LONG)
  wait("a title that is too long by 2", function()
    local found = vim.diagnostic.get(0)
    return #found == 1 and found[1].message:find("Shorten it by 2", 1, true) and found[1].lnum == 6
  end)
  lines(SHORT)
  wait("no finding", function() return #vim.diagnostic.get(0) == 0 end)
  if vim.lsp.buf.format then vim.lsp.buf.format({ timeout_ms = 60000 }) else vim.lsp.buf.formatting_sync(nil, 60000) end
  local second = vim.api.nvim_buf_get_lines(0, 1, 2, false)[1]
  if second:sub(1, 10) ~= "  body   =" then fail("not formatted: " .. second) end
  vim.fn.search("audience.guests", "e")
  vim.cmd("write")
  vim.lsp.buf.definition()
  wait("the audience", function() return vim.api.nvim_buf_get_name(0):find("settings.hcl", 1, true) ~= nil end)
  if not vim.api.nvim_get_current_line():find('audience "guests"', 1, true) then fail("at " .. vim.api.nvim_get_current_line()) end
  vim.cmd("qall!")
end
local ok, err = pcall(run)
if not ok then fail(tostring(err)) end
`

// TestNeovim plays a session in Neovim with the recipe of docs/editors.md.
func TestNeovim(t *testing.T) {
	nvim, err := exec.LookPath("nvim")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("Neovim is not installed")
		}
		t.Skip("Neovim is not installed")
	}
	home, dir := t.TempDir(), t.TempDir()
	write := func(path, src string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(src), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(home, "handbill"), "#!/bin/sh\nHANDBILL_TEST_PROGRAM=1 exec '"+os.Args[0]+"' \"$@\"\n", 0o755)
	write(filepath.Join(home, "init.lua"), recipe(t), 0o644)
	long := strings.NewReplacer("Soup of the day", "Soup of the day, and bread", "  body   =", "  body =").Replace(menu)
	lua := strings.NewReplacer("LONG", "[==["+long+"]==]", "SHORT", "[==["+strings.Replace(long, ", and bread", "", 1)+"]==]").Replace(session)
	write(filepath.Join(home, "session.lua"), lua, 0o644)
	for name, src := range map[string]string{"settings.hcl": settings, "guests.csv": guests} {
		write(filepath.Join(dir, name), src, 0o644)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, nvim, "--headless", "-n", "-i", "NONE", "-u", filepath.Join(home, "init.lua"), "menu.hcl", "-c", "luafile "+filepath.Join(home, "session.lua"))
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	cmd.Env = []string{"PATH=" + home + ":" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_STATE_HOME=" + home, "XDG_CACHE_HOME=" + home, "LANG=C.UTF-8"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "menu.hcl")); err != nil || !strings.HasPrefix(string(got), menu) {
		t.Errorf("the file that was written: %v\n%s", err, got)
	}
}

// recipe is the code of docs/editors.md.
func recipe(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/editors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "<!-- recipe: neovim -->")
	_, rest, opened := strings.Cut(rest, "```lua\n")
	code, _, closed := strings.Cut(rest, "```")
	if !found || !opened || !closed {
		t.Fatal("docs/editors.md has no recipe for Neovim")
	}
	return code
}
