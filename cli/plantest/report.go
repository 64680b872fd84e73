package plantest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
)

// Report is the result of "handbill test".
type Report struct{ Results []Result }

// Failed returns how many runs did not pass.
func (r *Report) Failed() int {
	n := 0
	for i := range r.Results {
		if !r.Results[i].Passed {
			n++
		}
	}
	return n
}

// Text writes one line for each run, and what is wrong below it.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	file := ""
	for _, res := range r.Results {
		if res.File != file {
			file = res.File
			fmt.Fprintf(&b, "%s\n", message.SafeText(file))
		}
		word := "pass"
		switch {
		case !res.Passed:
			word = "FAIL"
		case res.Updated:
			word = "updated"
		}
		fmt.Fprintf(&b, "  %-7s  %s\n", word, message.SafeText(res.Name))
		for _, p := range res.Problems {
			for _, l := range strings.Split(p, "\n") {
				fmt.Fprintf(&b, "           %s\n", message.SafeText(l))
			}
		}
	}
	fmt.Fprintf(&b, "\n%d passed, %d failed.\n", len(r.Results)-r.Failed(), r.Failed())
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes one document.
func (r *Report) JSON(w io.Writer) error {
	type run struct {
		File     string   `json:"file"`
		Name     string   `json:"name"`
		Line     int      `json:"line"`
		Status   string   `json:"status"` // "pass", "fail"
		Updated  bool     `json:"updated"`
		Problems []string `json:"problems"`
		Replies  []*Reply `json:"replies"`
		Seconds  float64  `json:"seconds"`
	}
	doc := struct {
		FormatVersion string `json:"format_version"`
		Passed        int    `json:"passed"`
		Failed        int    `json:"failed"`
		Runs          []run  `json:"runs"`
	}{"1.0", len(r.Results) - r.Failed(), r.Failed(), []run{}}
	for _, res := range r.Results {
		v := run{res.File, res.Name, res.Line, "pass", res.Updated, append([]string{}, res.Problems...), append([]*Reply{}, res.Replies...), res.Took.Seconds()}
		if !res.Passed {
			v.Status = "fail"
		}
		doc.Runs = append(doc.Runs, v)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Tests   int          `xml:"tests,attr"`
	Failed  int          `xml:"failures,attr"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name   string      `xml:"name,attr"`
	Tests  int         `xml:"tests,attr"`
	Failed int         `xml:"failures,attr"`
	Time   string      `xml:"time,attr"`
	Cases  []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the report as JUnit XML for CI systems, one suite per file.
func (r *Report) JUnit(w io.Writer) error {
	doc := junitSuites{Tests: len(r.Results), Failed: r.Failed()}
	var took time.Duration
	for _, res := range r.Results {
		if n := len(doc.Suites); n == 0 || doc.Suites[n-1].Name != res.File {
			doc.Suites = append(doc.Suites, junitSuite{Name: res.File})
			took = 0
		}
		suite := &doc.Suites[len(doc.Suites)-1]
		c := junitCase{Name: message.SafeText(res.Name), Class: res.File, File: res.File, Line: res.Line, Time: seconds(res.Took)}
		if !res.Passed {
			suite.Failed++
			head, _, _ := strings.Cut(res.Problems[0], "\n")
			c.Failure = &junitFailure{Message: message.SafeText(head), Text: strings.Join(safe(res.Problems), "\n")}
		}
		took += res.Took
		suite.Tests, suite.Time = suite.Tests+1, seconds(took)
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

func safe(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		var lines []string
		for _, l := range strings.Split(s, "\n") {
			lines = append(lines, message.SafeText(l))
		}
		out[i] = strings.Join(lines, "\n")
	}
	return out
}
