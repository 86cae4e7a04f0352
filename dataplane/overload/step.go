package overload

// Step is how far the host goes, for a person to read. Each includes those
// before it that its signals lead to.
type Step uint8

// The steps.
const (
	AtEase Step = iota
	Shortens
	Closes
	ShedsLow
	ShedsNormal
	Refuses
)

var stepNames = [...]string{
	"at ease", "timeouts are shorter", "idle connections are closed", "requests of low priority are shed",
	"requests of low and normal priority are shed", "no connection is accepted",
}

func (s Step) String() string { return stepNames[s] }

// StepOf returns the step of a Word.
func StepOf(w Word) Step {
	switch {
	case w.Refuses():
		return Refuses
	case w.share(Normal) > 0:
		return ShedsNormal
	case w.share(Low) > 0:
		return ShedsLow
	case w.Closes():
		return Closes
	case w.Pressure() > 0:
		return Shortens
	}
	return AtEase
}
