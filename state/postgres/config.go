package postgres

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errURL does not quote the connection string.
var errURL = errors.New("the url of the state cannot be understood; it looks like postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full")

// connectTimeout is how long a connection may take.
const connectTimeout = 15 * time.Second

// config reads a connection string. Every server that it names must be on this
// machine or have a certificate for its name, so that nobody in between can read
// phone numbers or pose as the database.
func config(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errURL // the error of the library quotes the string
	}
	c := cfg.ConnConfig
	if err := secured(c.Host, c.TLSConfig); err != nil {
		return nil, err
	}
	for _, f := range c.Fallbacks {
		if err := secured(f.Host, f.TLSConfig); err != nil {
			return nil, err
		}
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	// Cache descriptions, but prepare no named statements: a pooler may give each
	// transaction another connection. See byPlan for turns.
	c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	c.StatementCacheCapacity = 0
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "handbill"
	}
	cfg.MaxConns = connections
	cfg.AfterConnect = markDirect
	return cfg, nil
}

func secured(host string, c *tls.Config) error {
	if local(host) || c != nil && c.ServerName == host && !c.InsecureSkipVerify {
		return nil
	}
	return fmt.Errorf("the state is on another machine, and its url does not say sslmode=verify-full: phone numbers and messages would go where anybody in between can read them. Add sslmode=verify-full, and sslrootcert=… where the server's certificate is not of a public authority")
}

// local reports whether a host is this machine: a socket or loopback.
func local(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Place names the schema, the database and its server, without a password.
func (o *Options) Place() (string, error) {
	cfg, err := config(o.URL)
	if err != nil {
		return "", err
	}
	c := cfg.ConnConfig
	return fmt.Sprintf("%s of the database %s on %s", o.Name(), c.Database, c.Host), nil
}
