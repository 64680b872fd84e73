package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// near reports whether a figure rounds to a published one of four decimals.
func near(got, want float64) bool { return math.Abs(got-want) <= 0.00005+1e-9 }

// Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
func TestWilsonAsPublished(t *testing.T) {
	for _, c := range []struct {
		share     Share
		low, high float64
	}{
		{Share{81, 263}, 0.2553, 0.3662},
		{Share{15, 148}, 0.0624, 0.1605},
		{Share{0, 20}, 0, 0.1611},
		{Share{1, 29}, 0.0061, 0.1718},
	} {
		if got := c.share.Wilson(); !near(got.Low, c.low) || !near(got.High, c.high) {
			t.Errorf("%+v: %.4f to %.4f, published are %.4f to %.4f", c.share, got.Low, got.High, c.low, c.high)
		}
	}
	if got := (Share{}).Wilson(); got != (Interval{0, 1}) {
		t.Errorf("nobody: %+v", got)
	}
}

// Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10.
func TestDifferenceAsPublished(t *testing.T) {
	for _, c := range []struct {
		a, b      Share
		low, high float64
	}{
		{Share{56, 70}, Share{48, 80}, 0.0524, 0.3339},
		{Share{9, 10}, Share{3, 10}, 0.1705, 0.8090},
		{Share{6, 7}, Share{2, 7}, 0.0582, 0.8062},
		{Share{5, 56}, Share{0, 29}, -0.0381, 0.1926},
		{Share{0, 10}, Share{0, 20}, -0.1611, 0.2775},
		{Share{0, 10}, Share{0, 10}, -0.2775, 0.2775},
		{Share{10, 10}, Share{0, 20}, 0.6791, 1},
		{Share{10, 10}, Share{0, 10}, 0.6075, 1},
	} {
		if got := c.a.Minus(c.b); !near(got.Low, c.low) || !near(got.High, c.high) {
			t.Errorf("%+v minus %+v: %.4f to %.4f, published are %.4f to %.4f", c.a, c.b, got.Low, got.High, c.low, c.high)
		}
	}
}

// The physicians' health study on aspirin and heart attacks, as in Agresti, An
// Introduction to Categorical Data Analysis, 2nd edition (2007), table 2.3: 189 of
// 11,034 with a placebo and 104 of 11,037 with aspirin, a difference of 0.0077. Its
// chi-square of 25.01 is that of R, prop.test(c(189, 104), c(11034, 11037), correct =
// FALSE), with p = 5.69e-07.
func TestChiSquareAsPublished(t *testing.T) {
	got := Share{189, 11034}.Minus(Share{104, 11037})
	if math.Abs(got.Value-0.0077) > 0.00005 || math.Abs(got.P-5.69e-7) > 0.01e-7 {
		t.Errorf("difference %.4f, p %.3g", got.Value, got.P)
	}
	for name, c := range map[string][2]Share{"none": {{0, 10}, {0, 12}}, "all": {{3, 3}, {9, 9}}, "nobody on one side": {{1, 2}, {0, 0}}} {
		if got := c[0].Minus(c[1]); got.P != 1 {
			t.Errorf("%s: p = %v", name, got.P)
		}
	}
}

// Cohen, Statistical Power Analysis, 2nd edition (1988), table 6.4.1, two-sided level
// of 5 % and a power of 80 %: a group needs 392 people for an h of 0.20, 63 for 0.50,
// and 25 for 0.80.
func TestDetectableAsPublished(t *testing.T) {
	for n, h := range map[int]float64{392: 0.20, 63: 0.50, 25: 0.80} {
		got, ok := Detectable(n, n, 0.8)
		fewer, _ := Detectable(n-1, n-1, 0.8)
		if want := math.Sin(h) / 2; !ok || got > want+0.0005 || fewer < want-0.0005 {
			t.Errorf("%d people: %.4f, and %.4f with one less; h of %.2f is %.4f", n, got, fewer, h, want)
		}
	}
	for _, n := range [][2]int{{0, 100}, {100, 0}, {2, 2}} {
		if d, ok := Detectable(n[0], n[1], 0.8); ok {
			t.Errorf("%v people show a difference of %v", n, d)
		}
	}
}

// The interval of a difference holds the difference, and turns with the sides.
func TestDifferencesTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := func(name string) Share {
			of := rapid.IntRange(0, 5000).Draw(t, name)
			return Share{rapid.IntRange(0, of).Draw(t, name+" did"), of}
		}
		a, b := side("a"), side("b")
		d, e := a.Minus(b), b.Minus(a)
		if d.Low > d.Value+1e-12 || d.High < d.Value-1e-12 || math.Abs(d.Low+e.High) > 1e-9 || math.Abs(d.High+e.Low) > 1e-9 || math.Abs(d.P-e.P) > 1e-9 || math.IsNaN(d.P) {
			t.Fatalf("%+v and %+v: %+v, turned %+v", a, b, d, e)
		}
		if i := a.Wilson(); a.Of > 0 && (i.Low > a.Value()+1e-12 || i.High < a.Value()-1e-12 || i.Low < 0 || i.High > 1) {
			t.Fatalf("%+v: %+v", a, i)
		}
	})
}
