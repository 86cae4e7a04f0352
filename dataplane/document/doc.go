// Package document reads the documents that define APIs, YAML or JSON, into
// trees whose values know where they stand.
//
// A document is hostile until it is read: its size, its depth and what aliases
// make of it are bounded, a key stands once, and nothing outside it is fetched or
// opened. What is wrong is collected with its line and path, so that an owner
// sees all of it at once.
package document
