package control

// OverloadStatus says how near the host is to what it can bear, and what it does
// about that.
type OverloadStatus struct {
	Step string `json:"step"` // "at ease", or what is done, for a person to read

	Signals []OverloadSignal `json:"signals"`

	MemoryUsed    int64  `json:"memoryUsed"`    // bytes
	MemoryLimit   int64  `json:"memoryLimit"`   // bytes
	MemoryLimitOf string `json:"memoryLimitOf"` // whose limit that is, for a person to read

	Shed map[string]uint64 `json:"shed"` // requests since the start, by priority
}

// OverloadSignal is one of what the host can run out of: memory, descriptors and
// in_flight, whose value is the share in use, and delay, in seconds.
type OverloadSignal struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Level float64 `json:"level"` // from 0 to 1; it falls slowly
}
