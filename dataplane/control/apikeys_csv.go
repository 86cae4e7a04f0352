package control

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// keyRow is one line of a file of API keys. What is nil has no column.
type keyRow struct {
	line        int // 1-based; where the row begins
	name, value string
	description *string
	enabled     *bool // empty is true
	plans       []string
}

// maxColumns bounds what one line of commas makes the gateway hold.
const maxColumns = 100

// Columns of a file of API keys, in lower case.
const (
	columnName        = "name"
	columnKey         = "key"
	columnDescription = "description"
	columnEnabled     = "enabled"
	columnPlans       = "usageplanids"
)

// parseKeys reads a file of API keys: a header row that names the columns, then
// one row for each key. Its errors name the line and tell no value.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-key-file-format.html
func parseKeys(text []byte) ([]keyRow, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		return nil, badRequest("Invalid API Key file: it is not UTF-8")
	}
	p := &csvReader{text: string(text), line: 1}
	header, line, err := p.row()
	if err != nil {
		return nil, err
	}
	columns, err := keyColumns(header, line)
	if err != nil {
		return nil, err
	}
	var rows []keyRow
	for {
		fields, line, err := p.row()
		if err != nil || fields == nil {
			return rows, err
		}
		row, err := keyOf(fields, columns, line)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

// keyColumns finds the columns that mean something; others are ignored.
func keyColumns(header []string, line int) (map[string]int, error) {
	columns := map[string]int{}
	for i, name := range header {
		name = strings.ToLower(name)
		if !slices.Contains([]string{columnName, columnKey, columnDescription, columnEnabled, columnPlans}, name) {
			name = fmt.Sprintf("ignored column %d", i)
		}
		if _, twice := columns[name]; twice {
			return nil, atLine(line, "the column %s is there twice", header[i])
		}
		columns[name] = i
	}
	for _, name := range []string{columnName, columnKey} {
		if _, ok := columns[name]; !ok {
			return nil, atLine(line, "the header row names no column %s", name)
		}
	}
	return columns, nil
}

func keyOf(fields []string, columns map[string]int, line int) (keyRow, error) {
	row := keyRow{line: line}
	for i := len(columns); i < len(fields); i++ {
		if fields[i] != "" {
			return row, atLine(line, "the row has %d fields and the header %d", len(fields), len(columns))
		}
	}
	field := func(column string) *string {
		i, ok := columns[column]
		switch {
		case !ok:
			return nil
		case i >= len(fields):
			return new(string)
		default:
			return &fields[i]
		}
	}
	row.name, row.value, row.description = *field(columnName), *field(columnKey), field(columnDescription)
	if row.name == "" {
		return row, atLine(line, "the Name is empty")
	}
	if err := checkKeyName(row.name); err != nil {
		return row, atLine(line, "%s", asError(err).Message)
	}
	if err := checkKeyValue(row.value); err != nil {
		return row, atLine(line, "%s", asError(err).Message)
	}
	if text := field(columnEnabled); text != nil {
		on := *text == "" || strings.EqualFold(*text, "true")
		if !on && !strings.EqualFold(*text, "false") {
			return row, atLine(line, "Enabled must be true or false")
		}
		row.enabled = &on
	}
	if text := field(columnPlans); text != nil {
		for id := range strings.SplitSeq(*text, ",") {
			if id = strings.TrimSpace(id); id != "" && !slices.Contains(row.plans, id) {
				row.plans = append(row.plans, id)
			}
		}
	}
	return row, nil
}

func atLine(line int, format string, args ...any) *Error {
	return badRequest("Invalid API Key file: line %d: %s", line, fmt.Sprintf(format, args...))
}

// csvReader reads rows of comma-separated fields. A field may be in double or
// single quotes, which are doubled to stand for themselves; spaces around a
// field and empty lines mean nothing.
type csvReader struct {
	text string // not read yet
	line int    // that text begins in
}

// row returns the next row and its line; nil at the end.
func (p *csvReader) row() (fields []string, line int, err error) {
	for p.skip(" \t\r") == '\n' {
		p.next()
	}
	line = p.line
	for p.text != "" {
		field, err := p.field()
		if err != nil {
			return nil, line, err
		}
		if fields = append(fields, field); len(fields) > maxColumns {
			return nil, line, atLine(line, "the row has more than %d fields", maxColumns)
		}
		if end := p.next(); end == '\n' || end == 0 {
			break
		} else if p.skip(" \t\r"); p.text == "" || p.text[0] == '\n' {
			p.next()
			fields = append(fields, "") // behind the last comma
			break
		}
	}
	return fields, line, nil
}

// field reads up to the comma or the end of the line behind the field.
func (p *csvReader) field() (string, error) {
	quote := p.skip(" \t\r")
	if quote != '"' && quote != '\'' {
		end := strings.IndexAny(p.text, ",\n")
		if end < 0 {
			end = len(p.text)
		}
		field := p.text[:end]
		p.text = p.text[end:]
		return strings.TrimSpace(field), nil
	}
	line, mark := p.line, string(quote)
	var field strings.Builder
	for p.next(); ; p.next() {
		end := strings.IndexByte(p.text, quote)
		if end < 0 {
			return "", atLine(line, "the quote %s is not closed", mark)
		}
		field.WriteString(p.text[:end])
		p.line += strings.Count(p.text[:end], "\n")
		p.text = p.text[end+1:]
		if !strings.HasPrefix(p.text, mark) {
			break
		}
		field.WriteString(mark)
	}
	if c := p.skip(" \t\r"); c != 0 && c != ',' && c != '\n' {
		return "", atLine(p.line, "there is text between the closing %s and the comma", mark)
	}
	return strings.TrimSpace(field.String()), nil
}

// skip drops leading characters of a set, and returns the one behind them: 0 at
// the end.
func (p *csvReader) skip(set string) byte {
	p.text = strings.TrimLeft(p.text, set)
	if p.text == "" {
		return 0
	}
	return p.text[0]
}

// next takes one byte: 0 at the end.
func (p *csvReader) next() byte {
	if p.text == "" {
		return 0
	}
	c := p.text[0]
	if c == '\n' {
		p.line++
	}
	p.text = p.text[1:]
	return c
}
