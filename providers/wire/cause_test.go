package wire

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// The report of a connection that could not be made names the cause, but
// neither the host nor its address.
func TestCausesNameNoHost(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 443}, Err: err}
	}
	for want, err := range map[string]error{
		"the host's name cannot be resolved":  dial(&net.DNSError{Err: "no such host", Name: "waba.partner.example", Server: "192.0.2.53:53", IsNotFound: true}),
		"the dial failed: connection refused": dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)),
		"time-out":                            dial(&net.DNSError{Err: "i/o timeout", Name: "waba.partner.example", IsTimeout: true}),
		"interrupted":                         fmt.Errorf("asking waba.partner.example: %w", context.Canceled),
		"the connection was closed":           fmt.Errorf("192.0.2.7:443: %w", io.EOF),
		"the connection failed":               fmt.Errorf("waba.partner.example and 192.0.2.7 are odd"),
	} {
		if got := cause(err); got != want || strings.Contains(got, "192.0.2") {
			t.Errorf("the cause of %v is %q, want %q", err, got, want)
		}
	}
}
