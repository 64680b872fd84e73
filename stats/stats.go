// Package stats compares shares of people: how many of those who got a message
// answered it, and whether more did than of others. The distributions and the test are
// those of gonum; the intervals are named with their sources.
package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// level is the confidence of every interval.
const level = 0.95

// Share is how many of some people did something.
type Share struct {
	Did, Of int
}

// Value is the share, from 0 to 1; 0 of nobody.
func (s Share) Value() float64 {
	if s.Of == 0 {
		return 0
	}
	return float64(s.Did) / float64(s.Of)
}

// Interval is a confidence interval of 95 %.
type Interval struct{ Low, High float64 }

// HoldsZero reports whether the interval has zero in it or at an end.
func (i Interval) HoldsZero() bool { return i.Low <= 0 && i.High >= 0 }

// quantile is the standard normal quantile of two-sided intervals.
func quantile() float64 { return distuv.UnitNormal.Quantile(1 - (1-level)/2) }

// Wilson returns Wilson's score interval of a share, without a correction for
// continuity; from 0 to 1 for nobody. It is method 3 of Newcombe, Two-sided confidence
// intervals for the single proportion, Statistics in Medicine 17 (1998), 857-872.
func (s Share) Wilson() Interval {
	if s.Of == 0 {
		return Interval{0, 1}
	}
	z, n, p := quantile(), float64(s.Of), s.Value()
	center := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	i := Interval{(center - half) / (1 + z*z/n), (center + half) / (1 + z*z/n)}
	if s.Did == 0 {
		i.Low = 0 // exactly
	}
	if s.Did == s.Of {
		i.High = 1
	}
	return i
}

// Difference is how much a share is above another.
type Difference struct {
	Value float64 // from -1 to 1
	Interval
	P float64 // of Pearson's test that both are the same, two-sided
}

// Minus compares s with o. The interval is method 10 of Newcombe, Interval estimation
// for the difference between independent proportions, Statistics in Medicine 17 (1998),
// 873-890, which is made of Wilson's intervals. The p value is that of Pearson's
// chi-square test without a correction; 1 where all or none did it, or one side has
// nobody.
func (s Share) Minus(o Share) Difference {
	p, q, i, j := s.Value(), o.Value(), s.Wilson(), o.Wilson()
	d := Difference{Value: p - q, P: 1}
	d.Low = max(-1, p-q-math.Hypot(p-i.Low, j.High-q))
	d.High = min(1, p-q+math.Hypot(i.High-p, q-j.Low))
	all := Share{s.Did + o.Did, s.Of + o.Of}
	if s.Of == 0 || o.Of == 0 {
		d.Low, d.High = -1, 1
		return d
	}
	if all.Did == 0 || all.Did == all.Of {
		return d
	}
	var observed, expected []float64
	for _, x := range [...]Share{s, o} {
		did := all.Value() * float64(x.Of)
		observed = append(observed, float64(x.Did), float64(x.Of-x.Did))
		expected = append(expected, did, float64(x.Of)-did)
	}
	d.P = distuv.ChiSquared{K: 1}.Survival(stat.ChiSquare(observed, expected))
	return d
}

// Detectable returns the smallest difference from a share of one half that a test of
// level 5 %, two-sided, shows with a power, for two groups of n and m people; false
// where none does. A difference from a smaller or a larger share shows earlier. The
// effect is Cohen's h, with the harmonic mean for groups of two sizes: Cohen, Statistical
// Power Analysis for the Behavioral Sciences, 2nd edition (1988), chapter 6.
func Detectable(n, m int, power float64) (float64, bool) {
	if n < 1 || m < 1 {
		return 0, false
	}
	h := (quantile() + distuv.UnitNormal.Quantile(power)) * math.Sqrt(1/float64(n)+1/float64(m))
	if h >= math.Pi/2 { // from one half to all or none
		return 0, false
	}
	return math.Sin(h) / 2, true
}
