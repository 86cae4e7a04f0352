package crs

import (
	"io"
	"io/fs"
	"iter"
)

// Groups is a set of groups of rules, each of which looks for one kind of
// attack. What matched is told in the same terms.
type Groups uint32

// The groups.
const (
	Method     Groups = 1 << iota // methods that are not allowed
	Scanner                       // programs that look for weaknesses
	Protocol                      // requests that break the rules of HTTP
	Smuggling                     // requests within requests, injected headers
	Multipart                     // disguised multipart bodies
	LocalFile                     // paths to files of the host
	RemoteFile                    // URLs of files to run
	Command                       // commands of a shell
	PHP                           // code in PHP
	Generic                       // code in other languages, server-side requests
	XSS                           // scripts for browsers
	SQL                           // commands of databases
	Session                       // sessions chosen by the attacker
	Java                          // code in Java
	AllGroups  Groups = 1<<iota - 1
)

// groupFiles are in the order of the constants. The first three digits of a
// file are those of its rules.
var groupFiles = [...]struct {
	number int
	file   string
	label  string
}{
	{911, "911-METHOD-ENFORCEMENT", "method"},
	{913, "913-SCANNER-DETECTION", "scanner"},
	{920, "920-PROTOCOL-ENFORCEMENT", "protocol"},
	{921, "921-PROTOCOL-ATTACK", "smuggling"},
	{922, "922-MULTIPART-ATTACK", "multipart"},
	{930, "930-APPLICATION-ATTACK-LFI", "lfi"},
	{931, "931-APPLICATION-ATTACK-RFI", "rfi"},
	{932, "932-APPLICATION-ATTACK-RCE", "rce"},
	{933, "933-APPLICATION-ATTACK-PHP", "php"},
	{934, "934-APPLICATION-ATTACK-GENERIC", "generic"},
	{941, "941-APPLICATION-ATTACK-XSS", "xss"},
	{942, "942-APPLICATION-ATTACK-SQLI", "sqli"},
	{943, "943-APPLICATION-ATTACK-SESSION-FIXATION", "session"},
	{944, "944-APPLICATION-ATTACK-JAVA", "java"},
}

// groupOf returns the group of a rule, 0 for one that looks for no attack.
func groupOf(id int) Groups {
	for g := range groupFiles {
		if groupFiles[g].number == id/1000 {
			return 1 << g
		}
	}
	return 0
}

// Labels goes through the groups in the set with a short name of each.
func (g Groups) Labels() iter.Seq2[Groups, string] {
	return func(yield func(Groups, string) bool) {
		for i := range groupFiles {
			if one := Groups(1) << i; g&one != 0 && !yield(one, groupFiles[i].label) {
				return
			}
		}
	}
}

func copyAll(w io.Writer, file fs.File) (int64, error) {
	defer func() { _ = file.Close() }()
	return io.Copy(w, file)
}
