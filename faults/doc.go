// Package faults proves docs/promises.md by breaking things: it simulates whole
// campaigns over an unreliable network and disk, kills the real binary, fills its
// disk and runs several processes at once, and puts known mistakes into the code to
// check that the tests notice. It contains only tests.
//
// Without HANDBILL_FAULTS the tests take a small share of the work, so that
// they can run with all the others. "make faults" sets it to "ci", and "make
// faults-long" to a duration for the parts that scale by time. "later" runs
// nothing, for a script that runs "make faults" after all the other tests.
package faults
