// Package expression has the small languages that definitions of APIs are written
// with: addresses with stage variables, parameter mappings, selection patterns and
// expressions, templates. It checks what is not compiled here, so that documents
// and control operations refuse the same; an error names the text and the fix.
package expression
