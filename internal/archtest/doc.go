// Package archtest holds the import table of the module as a test: who may
// import whom, and which package alone may use a third-party library. A row
// changes only together with the reason for it, in its commit message.
package archtest
