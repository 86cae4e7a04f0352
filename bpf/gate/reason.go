package gate

// Reason is why a packet left the gate as it did. The numbers are the
// program's, in bpf/include/reasons.h, and only ever appended to.
type Reason uint8

// reasons names them, as metrics label them.
var reasons = [...]string{
	programReasonPASS_NOT_IP:      "pass_not_ip",
	programReasonPASS_MALFORMED:   "pass_malformed",
	programReasonPASS_NOT_TCP:     "pass_not_tcp",
	programReasonPASS_OTHER_PORT:  "pass_other_port",
	programReasonPASS_UNREADABLE:  "pass_unreadable",
	programReasonPASS_CLEAN:       "pass_clean",
	programReasonPASS_ALLOWED:     "pass_allowed",
	programReasonPASS_STALE:       "pass_stale",
	programReasonPASS_OPEN:        "pass_open",
	programReasonPASS_NO_LISTENER: "pass_no_listener",
	programReasonDROP_UNREADABLE:  "drop_unreadable",
	programReasonDROP_RULE:        "drop_rule",
	programReasonDROP_SENTENCE:    "drop_sentence",
	programReasonDROP_SILENT:      "drop_silent",
	programReasonDROP_FAILED:      "drop_failed",
	programReasonRESET_RULE:       "reset_rule",
	programReasonRESET_SENTENCE:   "reset_sentence",
	programReasonCOOKIE_RULE:      "cookie_rule",
	programReasonCOOKIE_SENTENCE:  "cookie_sentence",
	programReasonANSWER_RULE:      "answer_rule",
	programReasonANSWER_SENTENCE:  "answer_sentence",
	programReasonCLOSE:            "close",
}

// String returns the reason's name, such as drop_sentence: what became of the
// packet, and why.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return "unknown"
}
