package audience

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/handbill/handbill/message"
)

// cellValue converts what a driver returned for a column of that type. Times are
// in RFC 3339; a date without a time of day is "2006-01-02".
func cellValue(cell any, typ string) (message.Value, error) {
	switch c := cell.(type) {
	case nil:
		return message.Value{}, nil
	case string:
		return textValue(c, typ)
	case []byte:
		return textValue(string(c), typ)
	case bool:
		return message.Value{Kind: message.Bool, Text: strconv.FormatBool(c)}, nil
	case int64:
		if (c == 0 || c == 1) && (typ == "BOOLEAN" || typ == "BOOL") { // SQLite has no booleans of its own
			return message.Value{Kind: message.Bool, Text: strconv.FormatBool(c == 1)}, nil
		}
		return message.Value{Kind: message.Number, Text: strconv.FormatInt(c, 10)}, nil
	case float64:
		if math.IsInf(c, 0) || math.IsNaN(c) {
			return message.Value{}, errors.New("not a finite number")
		}
		return message.Value{Kind: message.Number, Text: strconv.FormatFloat(c, 'f', -1, 64)}, nil
	case time.Time:
		if typ == "DATE" {
			return message.Str(c.Format(time.DateOnly)), nil
		}
		return message.Str(c.Format(time.RFC3339Nano)), nil
	}
	return message.Value{}, errors.New(sprintf("a value of type %s, which cannot be read; cast it to text in the query", strings.ToLower(typ)))
}

// textValue converts what came as text.
func textValue(s, typ string) (message.Value, error) {
	switch {
	case typ == "BYTEA" || !utf8.ValidString(s):
		return message.Value{}, errors.New("bytes, not text; convert it in the query")
	case strings.IndexByte(s, 0) >= 0:
		return message.Value{}, errors.New("a NUL character")
	case typ == "NUMERIC" || typ == "DECIMAL":
		return decimal(s)
	case typ == "JSON" || typ == "JSONB":
		return jsonCell(s)
	}
	return message.Str(s), nil
}

// jsonCell converts a column of JSON; a scalar in it stays a scalar.
func jsonCell(s string) (message.Value, error) {
	s = strings.TrimSpace(s)
	if !json.Valid([]byte(s)) {
		return message.Value{}, errors.New("not JSON")
	}
	c := cursor{s: s}
	return c.value()
}

// decimal converts a column of exact numbers. SQLite keeps what is not a number
// in such a column as text.
func decimal(s string) (message.Value, error) {
	if strings.EqualFold(s, "NaN") || strings.HasSuffix(strings.ToLower(s), "infinity") {
		return message.Value{}, errors.New("not a finite number")
	}
	if !json.Valid([]byte(s)) || strings.Trim(s, "-0123456789.eE") != "" {
		return message.Str(s), nil
	}
	return number(s)
}
