package e2e

import "os"

// soaking reports whether tests take their full form, with bounds in absolute
// time. They log "SOAK name | bound | measured".
func soaking() bool { return os.Getenv("TIDEGATE_SOAK") == "1" }
