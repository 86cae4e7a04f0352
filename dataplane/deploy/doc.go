// Package deploy compiles what is defined into what serves: a Snapshot of all
// live stages. `tidegate validate`, a control operation and the start of the
// gateway run the same Compile, which starts nothing and opens nothing.
package deploy
