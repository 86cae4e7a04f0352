package control

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParseKeys(t *testing.T) {
	text := func(s string) *string { return &s }
	flag := func(v bool) *bool { return &v }
	for name, tt := range map[string]struct {
		file string
		want []keyRow
	}{
		"bare":            {"Name,Key\na,V", []keyRow{{line: 2, name: "a", value: "V"}}},
		"header only":     {"Name,Key\n", nil},
		"any case, order": {"kEY,NAME\nV,a\n", []keyRow{{line: 2, name: "a", value: "V"}}},
		"all columns": {"Name,Key,Description,Enabled,UsagePlanIds\na,V,d,False,p1\n",
			[]keyRow{{line: 2, name: "a", value: "V", description: text("d"), enabled: flag(false), plans: []string{"p1"}}}},
		"empty fields": {"Name,Key,Description,Enabled,UsagePlanIds\na,V,,,\n",
			[]keyRow{{line: 2, name: "a", value: "V", description: text(""), enabled: flag(true)}}},
		"short row": {"Name,Key,Description,Enabled\na,V\n",
			[]keyRow{{line: 2, name: "a", value: "V", description: text(""), enabled: flag(true)}}},
		"empty fields behind the last column": {"Name,Key\na,V,,\n", []keyRow{{line: 2, name: "a", value: "V"}}},
		"unknown columns":                     {"X,Name,Y,Key,X\n1,a,2,V,3\n", []keyRow{{line: 2, name: "a", value: "V"}}},
		"byte order mark and CRLF":            {"\ufeffName,Key\r\na,V\r\n", []keyRow{{line: 2, name: "a", value: "V"}}},
		"empty lines":                         {"\n\nName,Key\n \n\t\r\na,V\n\n", []keyRow{{line: 6, name: "a", value: "V"}}},
		"spaces":                              {" Name , Key \n  a b  ,\tV\t\n", []keyRow{{line: 2, name: "a b", value: "V"}}},
		"quotes":                              {"Name,Key\n\"a, \"\"b\"\"\", 'V' \n", []keyRow{{line: 2, name: `a, "b"`, value: "V"}}},
		"a quote inside":                      {"Name,Key\nO'Brien \"x\",V\n", []keyRow{{line: 2, name: `O'Brien "x"`, value: "V"}}},
		"doubled single quote":                {"Name,Key\n'O''Brien',V\n", []keyRow{{line: 2, name: `O'Brien`, value: "V"}}},
		"a line break in quotes": {"Name,Key\n\"a\nb\",V\nc,W\n",
			[]keyRow{{line: 2, name: "a\nb", value: "V"}, {line: 4, name: "c", value: "W"}}},
		"plans in double quotes": {"Name,Key,UsagePlanIds\na,V,\" p1 ,p2,,p1\"\n", []keyRow{{line: 2, name: "a", value: "V", plans: []string{"p1", "p2"}}}},
		"plans in single quotes": {"UsagePlanIds,Name,Key\n'p1, p2',a,V\n", []keyRow{{line: 2, name: "a", value: "V", plans: []string{"p1", "p2"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			long := strings.NewReplacer("V", value1, "W", value2)
			for i := range tt.want {
				tt.want[i].value = long.Replace(tt.want[i].value)
			}
			rows, err := parseKeys([]byte(long.Replace(tt.file)))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(rows, tt.want) {
				t.Errorf("got %+v, want %+v", rows, tt.want)
			}
		})
	}
}

func TestParseKeysErrors(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"empty":               {"", "line 1: the header row names no column name"},
		"no header":           {"alice," + value1, "line 1: the header row names no column name"},
		"no key column":       {"\nName\n", "line 2: the header row names no column key"},
		"a column twice":      {"Name,Key,name\n", "line 1: the column name is there twice"},
		"empty name":          {"Name,Key\n," + value1, "line 2: the Name is empty"},
		"long name":           {"Name,Key\n" + strings.Repeat("n", 1025) + "," + value1, "line 2: Invalid API Key name, can be at most 1024 characters."},
		"empty key":           {"Name,Key\na,", "line 2: API Key value should be at least 20 characters"},
		"short key":           {"Name,Key\na," + value1 + "\n\nb,short", "line 4: API Key value should be at least 20 characters"},
		"long key":            {"Name,Key\na," + strings.Repeat("k", 129), "line 2: API Key value exceeds maximum size of 128 characters"},
		"odd key":             {"Name,Key\na," + value1 + "\x00", "line 2: API Key value can have printable ASCII characters only, and no space at its beginning or end"},
		"enabled":             {"Name,Key,Enabled\na," + value1 + ",yes", "line 2: Enabled must be true or false"},
		"too many fields":     {"Name,Key\na," + value1 + ",p1,p2", "line 2: the row has 4 fields and the header 2"},
		"a line of commas":    {"Name,Key\na" + strings.Repeat(",", 101), "line 2: the row has more than 100 fields"},
		"open quote":          {"Name,Key\n\n\"a," + value1 + "\n", "line 3: the quote \" is not closed"},
		"text behind a quote": {"Name,Key\n'tis me'a," + value1, "line 2: there is text between the closing ' and the comma"},
	} {
		rows, err := parseKeys([]byte(tt.file))
		if err == nil || asError(err).Message != "Invalid API Key file: "+tt.want || asError(err).Status != 400 {
			t.Errorf("%s: %v %v, want %s", name, rows, err, tt.want)
		}
	}
	if _, err := parseKeys([]byte("Name,Key\n\xff,x")); err == nil || asError(err).Message != "Invalid API Key file: it is not UTF-8" {
		t.Errorf("not UTF-8: %v", err)
	}
}

// FuzzParseKeys gives the parser any file. What it accepts must keep the rules
// of keys, and read the same when it is written again with quotes.
func FuzzParseKeys(f *testing.F) {
	for _, seed := range []string{
		"Name,Key\nalice," + value1 + "\n",
		"\ufeffKEY,name,Enabled,UsagePlanIds,Description,x\r\n" + value1 + ",a,TRUE,\"p1,p2\",,y\r\n\r\n" + value2 + ",b,,'p1',' d ''e'' ',\r\n",
		"Name,Key\n\"a\nb\"," + value1 + ",,,\n",
		"Name,Key\n'open," + value1,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, err := parseKeys(file)
		if err != nil {
			if e := asError(err); e.Status != 400 || e.Message == "" {
				t.Errorf("error %v", err)
			}
			return
		}
		quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
		again := []byte("Name,Key,Description,Enabled,UsagePlanIds\n")
		line := 0
		for _, row := range rows {
			if row.line <= line || row.name == "" || checkKeyName(row.name) != nil || checkKeyValue(row.value) != nil {
				t.Fatalf("row %+v behind line %d", row, line)
			}
			line = row.line
			description, enabled := "", true
			if row.description != nil {
				description = *row.description
			}
			if row.enabled != nil {
				enabled = *row.enabled
			}
			again = fmt.Appendf(again, "%s,%s,%s,%v,%s\n", quote(row.name), quote(row.value), quote(description), enabled, quote(strings.Join(row.plans, ",")))
		}
		same, err := parseKeys(again)
		if err != nil || len(same) != len(rows) {
			t.Fatalf("written again: %d rows for %d, %v", len(same), len(rows), err)
		}
		for i, row := range rows {
			if same[i].name != row.name || same[i].value != row.value || !reflect.DeepEqual(same[i].plans, row.plans) {
				t.Errorf("%+v became %+v", row, same[i])
			}
		}
	})
}
