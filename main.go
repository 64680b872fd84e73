// Command handbill plans WhatsApp campaigns declared in HCL and sends exactly
// what was planned, once.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // quiet hours need zones on machines that have none

	"github.com/handbill/handbill/cli"
)

func main() {
	// A reader of our output that goes away ("| head") must not end an apply in
	// the middle: writes fail instead, and sends are recorded.
	signal.Ignore(syscall.SIGPIPE)
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	// A terminal that goes away ends a run as cleanly as an interrupt. Under
	// nohup the signal is ignored, and stays so.
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(interrupts, syscall.SIGHUP)
	}
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.ProcessSystem(interrupts)))
}
