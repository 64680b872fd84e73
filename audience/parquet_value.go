package audience

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/handbill/handbill/message"
)

// parquetConverter returns what converts the values of a column; nil if they are
// no single values, or of a type that is not known. Source of the types: Apache
// Parquet, LogicalTypes.md of format 2.12; read 2026-11.
func parquetConverter(c *parquet.Column, unknown bool) func(parquet.Value) (message.Value, error) {
	if !c.Leaf() || c.Repeated() {
		return nil
	}
	convert := physical(c.Type().Kind())
	if logical := c.Type().LogicalType(); logical != nil {
		switch t := logical.Value.(type) {
		case *format.StringType, *format.EnumType:
			convert = func(v parquet.Value) (message.Value, error) { return textValue(string(v.ByteArray()), "") }
		case *format.JsonType:
			convert = func(v parquet.Value) (message.Value, error) { return textValue(string(v.ByteArray()), "JSON") }
		case *format.UUIDType:
			convert = uuidValue
		case *format.DecimalType:
			convert = decimalOf(t.Scale)
		case *format.DateType:
			convert = dateValue
		case *format.TimestampType:
			convert = timestampOf(t)
		case *format.TimeType:
			convert = timeOf(t.Unit)
		case *format.IntType:
			if !t.IsSigned {
				convert = unsigned(c.Type().Kind())
			}
		case *format.NullType:
			if unknown {
				return nil
			}
		default:
			return nil
		}
	}
	return func(v parquet.Value) (message.Value, error) {
		if v.IsNull() {
			return message.Value{}, nil
		}
		return convert(v)
	}
}

// physical converts values of a column that says no more than how they are stored.
func physical(kind parquet.Kind) func(parquet.Value) (message.Value, error) {
	switch kind {
	case parquet.Boolean:
		return func(v parquet.Value) (message.Value, error) { return cellValue(v.Boolean(), "") }
	case parquet.Int32:
		return func(v parquet.Value) (message.Value, error) { return cellValue(int64(v.Int32()), "") }
	case parquet.Int64:
		return func(v parquet.Value) (message.Value, error) { return cellValue(v.Int64(), "") }
	case parquet.Int96:
		return int96Value
	case parquet.Float:
		return floatValue
	case parquet.Double:
		return func(v parquet.Value) (message.Value, error) { return cellValue(v.Double(), "") }
	}
	return func(parquet.Value) (message.Value, error) {
		return message.Value{}, errors.New("bytes, not text; export it as a string")
	}
}

func unsigned(kind parquet.Kind) func(parquet.Value) (message.Value, error) {
	return func(v parquet.Value) (message.Value, error) {
		n := v.Uint64()
		if kind == parquet.Int32 {
			n = uint64(v.Uint32())
		}
		return message.Value{Kind: message.Number, Text: strconv.FormatUint(n, 10)}, nil
	}
}

func floatValue(v parquet.Value) (message.Value, error) {
	f := float64(v.Float())
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return message.Value{}, errors.New("not a finite number")
	}
	return message.Value{Kind: message.Number, Text: strconv.FormatFloat(f, 'f', -1, 32)}, nil
}

const uuidBytes = 16

func uuidValue(v parquet.Value) (message.Value, error) {
	b := v.ByteArray()
	if len(b) != uuidBytes {
		return message.Value{}, errors.New("not a UUID")
	}
	return message.Str(sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])), nil
}

// decimalOf converts exact numbers, which are stored times ten to the power of scale.
func decimalOf(scale int32) func(parquet.Value) (message.Value, error) {
	return func(v parquet.Value) (message.Value, error) {
		n := new(big.Int)
		switch v.Kind() {
		case parquet.Int32:
			n.SetInt64(int64(v.Int32()))
		case parquet.Int64:
			n.SetInt64(v.Int64())
		default: // two's complement, the highest byte first
			b := v.ByteArray()
			const longest = 64 // far beyond the 38 digits that programs write
			if len(b) == 0 || len(b) > longest || scale < 0 || scale > longest {
				return message.Value{}, errors.New("not a decimal number that can be read")
			}
			n.SetBytes(b)
			if b[0]&0x80 != 0 {
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
			}
		}
		digits, sign := n.String(), ""
		if digits[0] == '-' {
			digits, sign = digits[1:], "-"
		}
		if missing := int(scale) + 1 - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		if at := len(digits) - int(scale); scale > 0 {
			digits = digits[:at] + "." + digits[at:]
		}
		return number(sign + digits)
	}
}

func dateValue(v parquet.Value) (message.Value, error) {
	return instant(time.Unix(0, 0).UTC().AddDate(0, 0, int(v.Int32())), time.DateOnly)
}

// naive is a moment without a zone, as a workbook and MySQL's DATETIME have it.
const naive = "2006-01-02T15:04:05.999999999"

// timestampOf converts moments. One that is not adjusted to UTC has no zone.
func timestampOf(t *format.TimestampType) func(parquet.Value) (message.Value, error) {
	layout := naive
	if t.IsAdjustedToUTC {
		layout = time.RFC3339Nano
	}
	return func(v parquet.Value) (message.Value, error) {
		var at time.Time
		switch t.Unit.Value.(type) {
		case *format.MilliSeconds:
			at = time.UnixMilli(v.Int64())
		case *format.MicroSeconds:
			at = time.UnixMicro(v.Int64())
		case *format.NanoSeconds:
			at = time.Unix(0, v.Int64())
		default:
			return message.Value{}, errors.New("a time in an unknown unit")
		}
		return instant(at, layout)
	}
}

// instant writes a time whose year has four digits.
func instant(at time.Time, layout string) (message.Value, error) {
	const last = 9999
	if y := at.UTC().Year(); y < 0 || y > last {
		return message.Value{}, errors.New("a time far outside the calendar")
	}
	return message.Str(at.UTC().Format(layout)), nil
}

// int96Value converts moments of old exports: nanoseconds of a day, and the day in
// the Julian calendar. Programs do not agree on their zone.
func int96Value(v parquet.Value) (message.Value, error) {
	n := v.Int96()
	const epoch = 2440588 // 1970-01-01
	nanos := uint64(n[0]) | uint64(n[1])<<32
	if nanos >= uint64(24*time.Hour) {
		return message.Value{}, errors.New("not a time")
	}
	day := time.Unix(0, 0).UTC().AddDate(0, 0, int(int32(n[2]))-epoch)
	return instant(day.Add(time.Duration(nanos)), naive)
}

// timeOf converts times of a day.
func timeOf(unit format.TimeUnit) func(parquet.Value) (message.Value, error) {
	return func(v parquet.Value) (message.Value, error) {
		var since time.Duration
		switch unit.Value.(type) {
		case *format.MilliSeconds:
			since = time.Duration(v.Int32()) * time.Millisecond
		case *format.MicroSeconds:
			since = time.Duration(v.Int64()) * time.Microsecond
		case *format.NanoSeconds:
			since = time.Duration(v.Int64())
		default:
			return message.Value{}, errors.New("a time in an unknown unit")
		}
		if since < 0 || since >= 24*time.Hour {
			return message.Value{}, errors.New("not a time of a day")
		}
		return message.Str(time.Time{}.Add(since).Format("15:04:05.999999999")), nil
	}
}
