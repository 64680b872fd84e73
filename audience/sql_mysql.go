package audience

import (
	"database/sql"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/handbill/handbill/message"
)

// openMySQL opens a MySQL or MariaDB server for reading. dsn is a URL, such as
// "mysql://USER:PASSWORD@HOST:3306/DATABASE", or what the driver itself takes,
// such as "USER:PASSWORD@tcp(HOST:3306)/DATABASE". It also returns the password,
// which no error may contain.
func openMySQL(dsn string) (db *sql.DB, password string, err error) {
	cfg, err := mysqlConfig(dsn)
	if err != nil {
		return nil, "", err
	}
	// Whatever the dsn says: a query is one statement, which reads no file of this
	// machine, and the library writes no lines of its own to standard error.
	cfg.MultiStatements, cfg.AllowAllFiles, cfg.AllowOldPasswords = false, false, false
	cfg.Logger = &mysql.NopLogger{}
	// A TIMESTAMP is a moment, which the server shows in the session's zone; a
	// DATETIME has none. As text they stay apart.
	cfg.ParseTime = false
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	cfg.Params["time_zone"] = "'+00:00'"
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, cfg.Passwd, errMySQLDSN()
	}
	return sql.OpenDB(connector), cfg.Passwd, nil
}

// errMySQLDSN replaces the errors of libraries, which quote what they do not understand.
func errMySQLDSN() error {
	return &Error{Summary: "the database cannot be opened",
		Detail: "the dsn cannot be understood; it looks like mysql://USER:PASSWORD@HOST/DATABASE or USER:PASSWORD@tcp(HOST:3306)/DATABASE"}
}

// mysqlConfig understands a dsn. A server on another machine is asked for TLS unless
// the dsn says otherwise.
func mysqlConfig(dsn string) (*mysql.Config, error) {
	cfg, err := parseMySQL(dsn)
	if err == nil && cfg.TLSConfig == "" && cfg.Net == "tcp" && !loopback(cfg.Addr) {
		cfg.TLSConfig = "preferred"
	}
	return cfg, err
}

func parseMySQL(dsn string) (*mysql.Config, error) {
	if !strings.HasPrefix(dsn, "mysql://") && !strings.HasPrefix(dsn, "mariadb://") {
		cfg, err := mysql.ParseDSN(dsn)
		if err != nil {
			return nil, errMySQLDSN()
		}
		return cfg, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errMySQLDSN()
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errMySQLDSN()
	}
	if mode := query.Get("ssl-mode"); mode != "" {
		known := map[string]string{"DISABLED": "false", "PREFERRED": "preferred", "REQUIRED": "skip-verify", "VERIFY_CA": "true", "VERIFY_IDENTITY": "true"}
		tls, ok := known[strings.ToUpper(mode)]
		if !ok {
			return nil, &Error{Summary: "the database cannot be opened",
				Detail: "ssl-mode in the dsn is DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"}
		}
		query.Set("tls", tls)
	}
	socket := query.Get("socket")
	query.Del("ssl-mode")
	query.Del("socket")
	cfg, err := mysql.ParseDSN("/?" + query.Encode())
	if err != nil {
		return nil, errMySQLDSN()
	}
	cfg.User, cfg.DBName = u.User.Username(), strings.TrimPrefix(u.Path, "/")
	cfg.Passwd, _ = u.User.Password()
	const port = "3306" // registered by IANA for MySQL
	switch {
	case socket != "":
		cfg.Net, cfg.Addr = "unix", socket
	case u.Port() != "":
		cfg.Addr = u.Host
	case u.Hostname() != "":
		cfg.Addr = net.JoinHostPort(u.Hostname(), port)
	}
	return cfg, nil
}

// loopback reports whether an address is on this machine.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// mysqlReads checks that a statement is a query. A read-only transaction is not
// enough: statements such as DROP TABLE end it before they begin (MariaDB 10.11).
func mysqlReads(query string) error {
	rest := query
	for {
		rest = strings.TrimSpace(rest)
		cut := len(rest)
		switch {
		case strings.HasPrefix(rest, "/*") && !strings.HasPrefix(rest, "/*!") && !strings.HasPrefix(rest, "/*M!"): // those are executed
			if i := strings.Index(rest, "*/"); i > 0 {
				cut = i + len("*/")
			}
		case strings.HasPrefix(rest, "-- "), strings.HasPrefix(rest, "#"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				cut = i
			}
		default:
			first := strings.ToLower(rest)
			for _, word := range []string{"select", "with", "table", "values"} {
				if after, ok := strings.CutPrefix(first, word); ok && (after == "" || !isWord(after[0])) {
					return nil
				}
			}
			if strings.HasPrefix(first, "(") {
				return nil
			}
			return &Error{Summary: "the query does not begin with SELECT, WITH, TABLE or VALUES", Detail: "Only what reads is run."}
		}
		rest = rest[cut:]
	}
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z'
}

// mysqlValue converts what the driver returned for a column of that type.
func mysqlValue(cell any, typ string) (message.Value, error) {
	switch c := cell.(type) {
	case []byte:
		return mysqlText(string(c), typ)
	case uint64:
		return message.Value{Kind: message.Number, Text: strconv.FormatUint(c, 10)}, nil
	case float32:
		return message.Value{Kind: message.Number, Text: strconv.FormatFloat(float64(c), 'f', -1, 32)}, nil
	}
	return cellValue(cell, typ)
}

// mysqlText converts what a MySQL server shows as text for a column of that type.
func mysqlText(s, typ string) (message.Value, error) {
	switch typ {
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "GEOMETRY", "VECTOR":
		return message.Value{}, errors.New("bytes, not text; convert it in the query")
	case "BIT":
		return message.Value{Kind: message.Number, Text: strconv.FormatUint(bits(s), 10)}, nil
	case "DATE", "DATETIME", "TIMESTAMP":
		if strings.HasPrefix(s, "0000-00-00") {
			return message.Value{}, nil // what the server keeps where there is no date
		}
		s = strings.Replace(s, " ", "T", 1)
		if typ == "TIMESTAMP" {
			s += "Z" // the session's zone
		}
		return message.Str(s), nil
	}
	return textValue(s, typ)
}

// bits is a BIT, of up to 8 bytes, the highest first.
func bits(s string) uint64 {
	var n uint64
	for i := range len(s) {
		n = n<<8 | uint64(s[i])
	}
	return n
}
