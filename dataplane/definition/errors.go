package definition

// InvalidError says that a definition cannot be served as it stands: it is the
// caller's to correct, and nothing was changed. Err names the place and the fix.
type InvalidError struct{ Err error }

// Error returns the text of Err.
func (e *InvalidError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *InvalidError) Unwrap() error { return e.Err }
