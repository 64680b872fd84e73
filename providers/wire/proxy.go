package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// proxyError is a failure before the proxy had connected to the provider. It names
// neither of them, nor a credential.
type proxyError struct{ text string }

func (e *proxyError) Error() string { return "the proxy: " + e.text }

// connect returns a connection to a provider's host at address, and the TCP
// connection under it. It goes through a proxy if the options name one for u. Only
// https does: the proxy sees only the host's name, in a CONNECT.
func (c *Client) connect(ctx context.Context, u *url.URL, address string) (tcp, conn net.Conn, err error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	var proxy *url.URL
	if c.proxy != nil && u.Scheme == "https" {
		if proxy, err = c.proxy(u); err != nil {
			return nil, nil, &proxyError{"its address is not usable; check HTTPS_PROXY"}
		}
	}
	if proxy == nil {
		tcp, err = dialer.DialContext(ctx, "tcp", address)
		return tcp, tcp, err
	}
	port := map[string]string{"http": "80", "https": "443"}[proxy.Scheme]
	if port == "" {
		return nil, nil, &proxyError{"only http and https proxies are supported; check HTTPS_PROXY"}
	}
	if proxy.Port() != "" {
		port = proxy.Port()
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if tcp, err = dialer.DialContext(ctx, "tcp", net.JoinHostPort(proxy.Hostname(), port)); err != nil {
		return nil, nil, &proxyError{cause(err)}
	}
	uncut := context.AfterFunc(ctx, func() { _ = tcp.Close() })
	conn, err = c.tunnel(ctx, tcp, proxy, address)
	if !uncut() {
		err = ctx.Err() // it cut the connection
	}
	if err == nil {
		return tcp, conn, nil
	}
	_ = tcp.Close() // the first error counts
	var told *proxyError
	if !errors.As(err, &told) {
		err = &proxyError{cause(err)}
	}
	return nil, nil, err
}

// tunnel asks the proxy at the other end of conn to connect to address.
func (c *Client) tunnel(ctx context.Context, conn net.Conn, proxy *url.URL, address string) (net.Conn, error) {
	if proxy.Scheme == "https" {
		config := c.tls.Clone()
		config.ServerName = proxy.Hostname()
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = secure
	}
	ask := fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n", address, address, c.userAgent)
	if password, _ := proxy.User.Password(); proxy.User != nil {
		ask += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password)) + "\r\n"
	}
	if _, err := conn.Write([]byte(ask + "\r\n")); err != nil {
		return nil, err
	}
	// In TLS the client writes first, so nothing may follow the answer's head.
	in := bufio.NewReader(&source{conn: conn, left: maxHead})
	answer, err := http.ReadResponse(in, &http.Request{Method: http.MethodConnect})
	switch {
	case err != nil:
		return nil, err
	case answer.StatusCode == http.StatusProxyAuthRequired:
		return nil, &proxyError{"it asks for a user and a password (HTTP 407); write them into HTTPS_PROXY"}
	case answer.StatusCode != http.StatusOK:
		return nil, &proxyError{fmt.Sprintf("it leads nowhere (HTTP %d)", answer.StatusCode)}
	case in.Buffered() > 0:
		return nil, &proxyError{"it sends what nobody asked for"}
	}
	return conn, nil
}
