package bench

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	table = flag.Bool("table", false, "measure, and print the table; some minutes")
	only  = flag.String("only", "", "measure only the rows whose name has this in it")
	runs  = flag.Int("runs", 5, "how often each row is measured; the median counts")
	large = flag.Int("large", 1_000_000, "recipients of the large audience")
	small = flag.Int("small", 100_000, "recipients of the small audience")
	hooks = flag.Int("hooks", 30_000, "webhooks of a measurement")
	paced = flag.Int("paced", 30_000, "recipients of the paced send, half a minute's worth")
)

// TestTable prints the times and memory of handbill and the bare loops. It fails if
// a command fails, never because of a time.
func TestTable(t *testing.T) {
	if !*table {
		t.Skip("measuring takes minutes; run make bench")
	}
	b := &book{t: t, dir: t.TempDir()}
	b.build()
	fmt.Printf("%d processors, %s, %s; load %s; medians of %d\n\n", runtime.NumCPU(), runtime.Version(), time.Now().Format("2006-01-02"), load(), *runs)
	fmt.Printf("%-46s %10s %10s %7s %8s  %s\n", "work", "handbill", "bare loop", "ratio", "memory", "bound")
	for _, row := range []struct {
		name string
		run  func()
	}{
		{"start", b.start}, {"templates", b.templates}, {"plan", b.plans}, {"arms", b.arms}, {"apply", b.apply}, {"paced", b.paced}, {"webhooks", b.webhooks}, {"postgres-apply", b.durable}, {"postgres-lanes", b.lanes}, {"postgres-plan", b.planned}, {"serves", b.serves},
	} {
		if strings.Contains(row.name, *only) {
			row.run()
		}
	}
	fmt.Printf("\nload %s\n", load())
}

// book measures and prints.
type book struct {
	t   *testing.T
	dir string
	bin string
}

// build builds the real binary, unless HANDBILL_BENCH_BIN names one.
func (b *book) build() {
	if b.bin = os.Getenv("HANDBILL_BENCH_BIN"); b.bin != "" {
		return
	}
	b.bin = filepath.Join(b.dir, "handbill")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", b.bin, "..").CombinedOutput(); err != nil {
		b.t.Fatalf("%v\n%s", err, out)
	}
}

// used is the time and memory that a process used.
type used struct {
	wall time.Duration
	cpu  time.Duration // of all processors
	peak int64         // of memory, in bytes
	out  string
}

func (b *book) run(cmd *exec.Cmd) used {
	b.t.Helper()
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	started := time.Now()
	err := cmd.Run()
	wall := time.Since(started)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, stdout.String(), stderr.String())
	}
	s := cmd.ProcessState
	u := used{wall: wall, cpu: s.UserTime() + s.SystemTime(), out: stdout.String()}
	if r, ok := s.SysUsage().(*syscall.Rusage); ok {
		u.peak = int64(r.Maxrss) << 10
	}
	return u
}

// handbill runs the binary in dir.
func (b *book) handbill(dir string, args ...string) used {
	b.t.Helper()
	cmd := exec.Command(b.bin, append([]string{"-chdir=" + dir}, args...)...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	return b.run(cmd)
}

// child runs this test binary in a role and decodes its result into to.
func (b *book) child(role string, to any, args ...string) used {
	b.t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleVar+"="+role)
	u := b.run(cmd)
	if err := json.Unmarshal([]byte(u.out), to); err != nil {
		b.t.Fatalf("%s: %v in %s", role, err, u.out)
	}
	return u
}

// serve starts the server that answers after delay.
func (b *book) serve(delay time.Duration) (url string) {
	b.t.Helper()
	cmd := exec.Command(os.Args[0], delay.String())
	cmd.Env = append(os.Environ(), roleVar+"=serve")
	in, err := cmd.StdinPipe()
	b.must(err)
	out, err := cmd.StdoutPipe()
	b.must(err)
	b.must(cmd.Start())
	b.t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	b.must(json.NewDecoder(out).Decode(&url))
	return url
}

func (b *book) must(errs ...error) {
	b.t.Helper()
	if err := errors.Join(errs...); err != nil {
		b.t.Fatal(err)
	}
}

// line is one row of the table.
type line struct {
	work       string
	ours, bare string
	ratio      float64 // 0 for none
	peak       int64
	bound      string
	held       bool
}

func (b *book) print(l line) {
	ratio, peak, verdict := "", "", "pass"
	if l.ratio > 0 {
		ratio = fmt.Sprintf("%.2f", l.ratio)
	}
	if l.peak > 0 {
		peak = fmt.Sprintf("%d MB", l.peak/1e6)
	}
	if !l.held {
		verdict = "FAIL"
	}
	if l.bound == "" {
		verdict = ""
	}
	fmt.Printf("%-46s %10s %10s %7s %8s  %s %s\n", l.work, l.ours, l.bare, ratio, peak, l.bound, verdict)
}

func median[T any](list []T, of func(T) float64) float64 {
	v := make([]float64, len(list))
	for i := range list {
		v[i] = of(list[i])
	}
	slices.Sort(v)
	return v[len(v)/2]
}

func wall(u used) float64 { return u.wall.Seconds() }
func cpu(u used) float64  { return u.cpu.Seconds() }

func peak(list []used) int64 {
	return slices.MaxFunc(list, func(a, b used) int { return int(a.peak - b.peak) }).peak
}

func seconds(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%.0f ms", s*1000)
	}
	return fmt.Sprintf("%.2f s", s)
}

func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(data))[:3], " ")
}

// nowhere is the URL of a server that planning never contacts.
const nowhere = "http://127.0.0.1:1"

// start measures short-running processes.
func (b *book) start() {
	dir := filepath.Join(b.dir, "start")
	b.must(space(dir, nowhere, 1_000_000, 1000))
	var plans, checks, bare []used
	for range 3 * *runs {
		var count int
		bare = append(bare, b.child("plan", &count, filepath.Join(dir, "contacts.csv")))
		plans = append(plans, b.handbill(dir, "plan"))
		checks = append(checks, b.handbill(dir, "validate"))
	}
	b.times("plan, 1,000 recipients, whole process", plans, bare, 3)
	b.times("validate, whole process", checks, bare, 2)
}

// times prints wall time compared with a bare process's.
func (b *book) times(work string, ours, bare []used, most float64) {
	r := median(ours, wall) / median(bare, wall)
	b.print(line{work: work, ours: seconds(median(ours, wall)), bare: seconds(median(bare, wall)), ratio: r, peak: peak(ours),
		bound: fmt.Sprintf("<= %g x", most), held: r <= most})
}

// plans measures planning of the two audiences, a saved plan, and planning on a
// state in which everybody was sent to.
func (b *book) plans() {
	dir := filepath.Join(b.dir, "plain")
	first, bare := b.plan(dir, *large, writeContacts)
	hundred, _ := b.plan(filepath.Join(b.dir, "small"), *small, writeContacts)
	n := thousands(*large)
	b.ratio("plan, "+n+", first time", first, bare, 3, 300)
	growth, times := median(first, wall)/median(hundred, wall), float64(*large)/float64(*small)
	b.print(line{work: "growth of planning, " + thousands(*small) + " to " + n, ours: seconds(median(hundred, wall)), ratio: growth,
		bound: fmt.Sprintf("<= %.0f x", 1.1*times), held: growth <= 1.1*times})
	b.saved(dir, first)
	b.aftermath(b.sent(dir, ""))

	dir = filepath.Join(b.dir, "realistic")
	first, bare = b.plan(dir, *large, writeRealistic)
	b.ratio("plan, "+n+" as exports have them, first time", first, bare, 3, 300)
	b.saved(dir, first)
	b.sent(dir, " as exports have them")
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

func (b *book) plan(dir string, n int, contacts func(path string, n int) error) (ours, bare []used) {
	b.must(spaceOf(dir, nowhere, 1_000_000, n, contacts))
	for range *runs {
		var count int
		bare = append(bare, b.child("plan", &count, filepath.Join(dir, "contacts.csv")))
		ours = append(ours, b.handbill(dir, "plan"))
	}
	return ours, bare
}

// ratio prints wall time and CPU time compared with a bare loop's.
func (b *book) ratio(work string, ours, bare []used, most float64, megabytes int64) {
	r := median(ours, wall) / median(bare, wall)
	b.print(line{work: work, ours: seconds(median(ours, wall)), bare: seconds(median(bare, wall)), ratio: r, peak: peak(ours),
		bound: fmt.Sprintf("<= %.0f x, < %d MB", most, megabytes), held: r <= most && peak(ours) < megabytes*1e6})
	b.print(line{work: "  of processors", ours: seconds(median(ours, cpu)), bare: seconds(median(bare, cpu)), ratio: median(ours, cpu) / median(bare, cpu)})
}

// saved measures writing and reading a saved plan, compared with planning.
func (b *book) saved(dir string, planned []used) {
	file := filepath.Join(dir, "saved.hbplan")
	b.handbill(dir, "plan", "-out="+file)
	var times []float64
	var all []used
	for range *runs {
		var took float64
		all = append(all, b.child("saved", &took, file, file+".copy"))
		times = append(times, took)
	}
	size := fileSize(b, file)
	took := median(times, func(v float64) float64 { return v })
	r := took / median(planned, wall)
	b.print(line{work: fmt.Sprintf("saved plan, %s: written and read, %d MB", thousands(*large), size/1e6), ours: seconds(took), bare: "", ratio: r, peak: peak(all),
		bound: "<= 1 x planning, < 120 MB of file", held: r <= 1 && size < 120e6})
}

func fileSize(b *book, path string) int64 {
	info, err := os.Stat(path)
	b.must(err)
	return info.Size()
}

// sent measures a state in which everybody in dir's audience was sent to, and
// returns its path.
func (b *book) sent(dir, audience string) string {
	states, err := filepath.Glob(filepath.Join(dir, "handbill.state"))
	b.must(err)
	if len(states) != 1 {
		b.t.Fatalf("states in %s: %v", dir, states)
	}
	var n int
	filled := b.child("fill", &n, filepath.Join(dir, "saved.hbplan"), states[0])
	size := fileSize(b, states[0])
	b.print(line{work: fmt.Sprintf("filling a state: %d bytes a delivery", size/int64(n)), ours: seconds(wall(filled)), peak: filled.peak})
	var ours, bare, status, counted []used
	for range *runs {
		var count int
		counted = append(counted, b.child("count", &count, states[0]))
		bare = append(bare, b.child("plan", &count, filepath.Join(dir, "contacts.csv")))
		ours = append(ours, b.handbill(dir, "plan"))
		status = append(status, b.handbill(dir, "status"))
	}
	if !strings.Contains(ours[0].out, "No changes") && !strings.Contains(ours[0].out, "0 messages") {
		b.t.Logf("plan of a state in which everybody was sent:\n%s", ours[0].out)
	}
	b.ratio("plan, "+thousands(*large)+audience+", everybody sent", ours, bare, 3, 350)
	b.times("status of "+thousands(*large), status, counted, 3)
	listed := b.handbill(dir, "state", "list")
	b.print(line{work: "state list of " + thousands(*large), ours: seconds(wall(listed)), peak: listed.peak})
	return states[0]
}

// aftermath measures the costs of the large audience's state after a kill and when
// it is pruned.
func (b *book) aftermath(path string) {
	var again []float64
	var all []used
	for range min(*runs, 3) {
		b.must(os.CopyFS(filepath.Join(b.dir, "killed"), os.DirFS(filepath.Dir(path))))
		killed := filepath.Join(b.dir, "killed", filepath.Base(path))
		b.die(killed)
		var took float64
		all = append(all, b.child("again", &took, killed))
		again = append(again, took)
		b.must(os.RemoveAll(filepath.Join(b.dir, "killed")))
	}
	took := median(again, func(v float64) float64 { return v })
	b.print(line{work: "taking up " + thousands(*large) + " after a kill", ours: seconds(took), peak: peak(all), bound: "< 5 s", held: took < 5})
	var p pruned
	before := fileSize(b, path)
	u := b.child("prune", &p, path)
	b.print(line{work: fmt.Sprintf("state prune of %s: %d MB, then %d", thousands(p.Rows), before>>20, fileSize(b, path)>>20), ours: seconds(p.Seconds), peak: u.peak})
}

// die kills a process between its intents and their answers.
func (b *book) die(path string) {
	b.t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), roleVar+"=die")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		b.t.Fatalf("it was not killed: %v\n%s", err, out)
	}
}

// apply measures the throughput to a server that answers immediately, as the server
// sees it.
func (b *book) apply() {
	url := b.serve(0)
	dir := filepath.Join(b.dir, "apply")
	var ours, bare []served
	var all []used
	for i := range *runs {
		var count int
		d := filepath.Join(dir, fmt.Sprint(i))
		b.must(space(d, url, 1_000_000, *small))
		b.child("post", &count, filepath.Join(d, "contacts.csv"), url, filepath.Join(d, "journal"))
		bare = append(bare, b.asked(url, count))
		all = append(all, b.handbill(d, "apply", "-auto-approve"))
		ours = append(ours, b.asked(url, count))
		b.must(os.RemoveAll(d))
	}
	rate := median(ours, served.rate)
	r := rate / median(bare, served.rate)
	b.print(line{work: "apply, " + thousands(*small) + ", durable", ours: fmt.Sprintf("%.0f/s", rate), bare: fmt.Sprintf("%.0f/s", median(bare, served.rate)), ratio: r, peak: peak(all),
		bound: ">= 0.7 x, < 120 MB", held: r >= .7 && peak(all) < 120e6})
	b.print(line{work: "  of processors", ours: seconds(median(all, cpu))})
}

func (b *book) asked(url string, want int) served {
	s, err := ask(url)
	b.must(err)
	if s.N != want {
		b.t.Fatalf("the server got %d messages of %d", s.N, want)
	}
	return s
}

// paced measures how well a rate limit is reached and kept, with a server that
// takes 100 ms.
func (b *book) paced() {
	const limit = 1000
	url := b.serve(100 * time.Millisecond)
	var rates []served
	most := 0
	for i := range min(*runs, 3) {
		dir := filepath.Join(b.dir, "paced", fmt.Sprint(i))
		b.must(space(dir, url, limit, *paced))
		b.handbill(dir, "apply", "-auto-approve")
		s, err := ask(url)
		b.must(err)
		rates, most = append(rates, s), max(most, s.Most)
	}
	rate := median(rates, served.rate)
	b.print(line{work: "apply at 1,000/s to a server that takes 100 ms", ours: fmt.Sprintf("%.0f/s", rate), bare: fmt.Sprintf("most %d", most),
		ratio: rate / limit, bound: "within 3 %, never above", held: rate >= .97*limit && most <= limit})
}
