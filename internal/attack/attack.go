// Package attack is a corpus of foreign texts that try to forge what a reviewer
// sees. The tests of masking, safe text, Markdown, HTML, CSV, JSON and whole
// commands use it, so that a new trick is added in one place.
package attack

import "strings"

// Texts returns every text once. Some are not UTF-8.
func Texts() []string {
	var out []string
	for _, family := range [][]string{terminal(), order(), markup(), pages(), runners(), cells(), forged(), odd()} {
		out = append(out, family...)
	}
	return out
}

// terminal are bytes that move the cursor, set a window title or hide text.
func terminal() []string {
	return []string{"\x1b[31m", "\x1b[2K", "\x1b[1A\x1b[2K", "\x1b]0;title\x07", "\x1b]8;;https://evil.example\x07", "\x1b]52;c;ZXZpbA==\x1b\\", "\x1bc", "\x1bP1$r\x1b\\",
		"\u009b31m", "\u0085", "\x00", "\x07", "\b\b\b", "\x7f", "\r", "\v", "\f"}
}

// order are characters that reverse text, hide in it or break lines invisibly.
func order() []string {
	return []string{"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f", "\u061c",
		"\u200b", "\u2060", "\ufeff", "\u00ad", "\u2028", "\u2029", "\U000e0041"}
}

// markup is Markdown that GitHub or GitLab would render in a comment.
func markup() []string {
	return []string{"@all", "@org/team", "![i](https://evil.example/i.png)", "[l](javascript:alert(1))", "[x]: https://evil.example", "https://evil.example", "www.evil.example",
		"<https://evil.example>", "#1", "GH-1", "!1", "~label", "`", "```", "````", "~~~", "|", "\\|", "\\", "*b*", "_i_", "$$x$$", "$`x`$", "\n\n# heading", "\n- [x] done",
		"\n| a | b |\n|---|---|\n", "\n/approve\n", "\n> [!WARNING]\n> forged", "[^1]", ":+1:", "\n---\n", "\n    code"}
}

// pages is HTML that runs, loads something or closes surrounding elements.
func pages() []string {
	return []string{"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</details>", "</style>", "</code>", "</title>", "<!--", "-->", "<![CDATA[", "javascript:", "data:text/html,x",
		"&lt;b&gt;", "&amp;", "\"", "'", "\" onload=\"alert(1)", "{{.}}"}
}

// runners are lines that CI runners take for commands.
func runners() []string {
	return []string{"\n::set-output name=a::b", "\n::error::forged", "\u00a0::error::x", "##[error]x", "\n##[endgroup]", "\n::stop-commands::t", "\n::add-mask::x", "\r::error::x",
		"\nsection_start:1:x[collapsed=true]\r\x1b[0Kforged", "::"}
}

// cells are spreadsheet formulas, and texts that break a table.
func cells() []string {
	return []string{"=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"https://evil.example\")", "＝1", ",", ";", "\",=1"}
}

// forged are lines that look like handbill's own output.
func forged() []string {
	return []string{"\nPlan: 0 to add, 0 to change, 0 to remove. 0 messages to send.\n", "\nNo changes. Nothing is left to send.\n", "\nApply complete. 0 messages sent.\n", "\nError: forged\n",
		"\nDigest: sha256:0000\n", "\n  Enter a value: yes\n", "\n$ handbill apply\n"}
}

// odd are texts that are long, broken, or not what they look like.
func odd() []string {
	return []string{"\xff", "\xc3", "\xed\xa0\x80", "\xf0\x9f", "\ufffd", "\n", "\r\n", "${x}", "%{x}", "$${x}", "pаypal", "⟨U+202E⟩", "⟨", "👩‍👩‍👧‍👦", "漢字",
		"e" + strings.Repeat("\u0301", 40), strings.Repeat("long ", 2000)}
}
