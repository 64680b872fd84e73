// Package faults proves docs/promises.md by breaking things: whole campaigns
// are simulated over a network and a disk that lie, the real binary is killed,
// starved of disk and raced, and known mistakes are put into the code to see
// that the tests notice. It holds tests only.
//
// Without HANDBILL_FAULTS the tests take a small share of the work, so that
// they can run with all the others. "make faults" sets it to "ci", and "make
// faults-long" to a duration for the parts that scale by time. "later" runs
// nothing, for a script that runs "make faults" after all the other tests.
package faults
