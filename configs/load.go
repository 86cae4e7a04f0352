package configs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxFileBytes bounds a host file; a larger file is surely not one.
const maxFileBytes = 1 << 20

// Load reads, checks and completes the host file at path. Relative paths in
// the file start at the file's own folder. The error is Errors when the file
// was read but something in it is wrong. Load opens no file but this one.
func Load(path string) (*Host, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("host file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("host file %s: %w", path, err)
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("host file %s: %w", path, err)
	}
	return Parse(path, folder, text)
}

// Parse is Load for a text that is already in memory. Errors call it file;
// relative paths in it start at folder.
func Parse(file, folder string, text []byte) (*Host, error) {
	r := &report{file: file, lines: map[string]int{}}
	host := Defaults()
	if root := document(r, text); root != nil {
		decodeHost(r, root, host)
	}
	if len(r.errs) == 0 {
		complete(host, folder)
		validate(r, host)
	}
	if len(r.errs) > 0 {
		slices.SortStableFunc(r.errs, func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) })
		return nil, r.errs
	}
	return host, nil
}

// document returns the root mapping of the text, or nil if the text is empty
// or wrong.
func document(r *report, text []byte) *yaml.Node {
	if len(text) > maxFileBytes {
		r.fail(0, "", fmt.Sprintf("larger than %d bytes", maxFileBytes), "name a host file")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		line, problem := syntaxError(err)
		r.fail(line, "", "not valid YAML: "+problem, "")
		return nil
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		r.fail(second.Line, "", "a second YAML document", "keep one document in a host file")
		return nil
	} else if !errors.Is(err, io.EOF) {
		line, problem := syntaxError(err)
		r.fail(line, "", "not valid YAML: "+problem, "")
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

var yamlLine = regexp.MustCompile(`line (\d+)(, column \d+)?: `)

// syntaxError takes the line number out of a YAML library's message.
func syntaxError(err error) (line int, problem string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.Replace(text, m[0], "", 1)
	}
	return line, text
}

// complete fills what depends on other values: nested defaults, absolute
// paths, and lower-case host names.
func complete(h *Host, folder string) {
	abs := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
	abs(&h.StateDir)
	abs(&h.Control.Socket)
	abs(&h.Upstream.CAFile)
	abs(&h.Cache.SaveDir)
	abs(&h.Tokens.CAFile)
	abs(&h.WAF.GeoFile)
	abs(&h.KernelGate.PinDir)
	for i := range h.KernelGate.DenyFiles {
		abs(&h.KernelGate.DenyFiles[i])
	}
	if h.AccessLog.Path != "-" {
		abs(&h.AccessLog.Path)
	}
	h.GatewayDomain = strings.ToLower(h.GatewayDomain)
	for i := range h.Domains {
		h.Domains[i].Name = strings.ToLower(h.Domains[i].Name)
		if m := h.Domains[i].MutualTLS; m != nil {
			abs(&m.Truststore)
			for j := range m.CRLs {
				abs(&m.CRLs[j])
			}
		}
	}
	for i := range h.Listeners {
		l := &h.Listeners[i]
		if path, ok := strings.CutPrefix(l.Address, "unix:"); ok {
			abs(&path)
			l.Address = "unix:" + path
		} else {
			l.Refusal = cmp.Or(l.Refusal, l.RefusalInForce())
		}
		if l.Private() && l.Endpoint == "" {
			l.Endpoint = EndpointID(l.Name)
		}
		if l.TLS == nil {
			continue
		}
		if l.TLS.MinVersion == "" {
			l.TLS.MinVersion = defaultTLSMinVersion
		}
		for j := range l.TLS.Certificates {
			abs(&l.TLS.Certificates[j].Cert)
			abs(&l.TLS.Certificates[j].Key)
		}
	}
}
