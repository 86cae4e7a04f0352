package telemetry

// Metric names a metric of the host and says what it means. Label is set for
// those that are counted per value of one label.
type Metric struct{ Name, Help, Label string }

// The metrics of the host that belong to no stage. A Registry shows those that
// were registered with it.
var (
	ConnectionsAccepted = Metric{Name: "tidegate_connections_accepted_total", Help: "Client connections accepted."}
	ConnectionsOpen     = Metric{Name: "tidegate_connections_open", Help: "Client connections that are open."}
	ConnectionsRefused  = Metric{Name: "tidegate_connections_refused_total", Help: "Client connections closed at once, because there or their source had as many as allowed, or no descriptor was left.", Label: "reason"}
	ConnectionsRelieved = Metric{Name: "tidegate_connections_relieved_total", Help: "Idle client connections closed because the host was short of memory or descriptors."}

	OverloadLevel = Metric{Name: "tidegate_overload_level", Help: "How far each signal of overload is from its start (0) to its full threshold (1).", Label: "signal"}
	OverloadValue = Metric{Name: "tidegate_overload_value", Help: "The signals of overload: shares of their limits, and the delay in seconds.", Label: "signal"}
	ShedRequests  = Metric{Name: "tidegate_shed_requests_total", Help: "Requests answered with 503 because the host had too much to do, by priority.", Label: "priority"}

	ClientCertificatesRefused = Metric{Name: "tidegate_client_certificates_refused_total", Help: "TLS handshakes ended because the client's certificate is not trusted by the domain."}

	RequestsRejected = Metric{Name: "tidegate_requests_rejected_total", Help: "Requests that the gateway answered by itself with an error, by reason.", Label: "reason"}

	ThrottledRequests  = Metric{Name: "tidegate_throttled_requests_total", Help: "Requests answered with 429, by the limit that denied them.", Label: "limit"}
	GuaranteedRequests = Metric{Name: "tidegate_guaranteed_requests_total", Help: "Requests served from a guaranteed share while the account limit was exhausted."}

	TokenChecks        = Metric{Name: "tidegate_token_checks_total", Help: "Tokens of user pools and issuers that requests were admitted or refused by, by what they were found to be.", Label: "result"}
	TokenKeyFetches    = Metric{Name: "tidegate_token_key_fetches_total", Help: "Times that the keys of an issuer were asked for."}
	TokenKeyFailures   = Metric{Name: "tidegate_token_key_fetch_failures_total", Help: "Times that they did not come, or were none."}
	TokenSignatures    = Metric{Name: "tidegate_token_signatures_total", Help: "Signatures of tokens that were verified; those of tokens that are remembered are not."}
	TokenBadSignatures = Metric{Name: "tidegate_token_bad_signatures_total", Help: "Signatures of tokens that were bad."}
	TokensWaiting      = Metric{Name: "tidegate_token_requests_waiting", Help: "Requests that wait for the keys of an issuer."}

	AuthorizerLookups      = Metric{Name: "tidegate_authorizer_lookups_total", Help: "Requests to methods with a custom authorizer, by whether its verdict was remembered.", Label: "result"}
	AuthorizerCalls        = Metric{Name: "tidegate_authorizer_calls_total", Help: "Calls of custom authorizers that have ended, by their outcome.", Label: "outcome"}
	AuthorizerMilliseconds = Metric{Name: "tidegate_authorizer_call_milliseconds_total", Help: "Time that the calls of custom authorizers took, together."}
	AuthorizersWaiting     = Metric{Name: "tidegate_authorizer_requests_waiting", Help: "Requests that wait for custom authorizers."}

	OffenderReports        = Metric{Name: "tidegate_offender_reports_total", Help: "Reports of denied requests put into the queue."}
	OffenderReportsDropped = Metric{Name: "tidegate_offender_reports_dropped_total", Help: "Reports of denied requests lost because the queue was full."}
	UsageJournalErrors     = Metric{Name: "tidegate_usage_journal_errors_total", Help: "Failures to write what API keys have used to disk."}

	GateOn        = Metric{Name: "tidegate_gate_on", Help: "1 while the kernel gate is at work on an interface."}
	GateSentences = Metric{Name: "tidegate_gate_sentences", Help: "Sources that the kernel gate shuts out at present."}
	GatePrefixes  = Metric{Name: "tidegate_gate_prefixes", Help: "Networks that the kernel gate holds, denied and protected ones."}
	GatePackets   = Metric{Name: "tidegate_gate_packets_total", Help: "Packets that the kernel gate has seen, by what it did with them and why.", Label: "reason"}
	GateBytes     = Metric{Name: "tidegate_gate_bytes_total", Help: "Bytes of the packets that the kernel gate has seen, by what it did with them and why.", Label: "reason"}
	GateFailures  = Metric{Name: "tidegate_gate_failures_total", Help: "Sources that could not be shut out by the kernel gate, and are denied in userspace."}

	WAFInspections        = Metric{Name: "tidegate_waf_inspections", Help: "Inspections of requests on goroutines under way."}
	WAFInspectionsWaiting = Metric{Name: "tidegate_waf_inspections_waiting", Help: "Inspections of requests that wait for a goroutine."}
	WAFInspectionsRefused = Metric{Name: "tidegate_waf_inspections_refused_total", Help: "Requests answered with 503 since too many inspections were waiting."}
	WAFInspectionsLate    = Metric{Name: "tidegate_waf_inspections_timed_out_total", Help: "Requests answered with 503 since their inspection took too long."}
	WAFInspectionsFailed  = Metric{Name: "tidegate_waf_inspections_failed_total", Help: "Requests answered with 503 since the engine of managed rules failed on them."}

	PrivateSteered  = Metric{Name: "tidegate_private_steered_total", Help: "Connections that the kernel led to a private listener.", Label: "listener"}
	PrivateRefused  = Metric{Name: "tidegate_private_refused_total", Help: "Connections to the address of a private listener that came by an interface which does not lead to it, and were reset.", Label: "listener"}
	PrivateUnserved = Metric{Name: "tidegate_private_unserved_total", Help: "Connections that came by the right interface while the private listener had no socket, and were reset.", Label: "listener"}

	WebSocketsOpen     = Metric{Name: "tidegate_websocket_connections_open", Help: "WebSocket connections that are open."}
	WebSocketsAccepted = Metric{Name: "tidegate_websocket_connections_total", Help: "WebSocket connections that began."}
	WebSocketsRefused  = Metric{Name: "tidegate_websocket_connections_refused_total", Help: "WebSocket connections for which there was no room."}
	WebSocketsSlow     = Metric{Name: "tidegate_websocket_slow_total", Help: "WebSocket connections closed with 1013 because their client did not read."}
	WebSocketCloses    = Metric{Name: "tidegate_websocket_closes_total", Help: "WebSocket connections that ended, by close code; 1006 were lost.", Label: "code"}
	WebSocketBytes     = Metric{Name: "tidegate_websocket_buffered_bytes", Help: "Bytes held for WebSocket connections: parts of messages, and what clients have not taken."}

	UpstreamConnectionsOpen   = Metric{Name: "tidegate_upstream_connections_open", Help: "Connections to integrations that are open."}
	UpstreamConnectionsOpened = Metric{Name: "tidegate_upstream_connections_opened_total", Help: "Connections to integrations opened."}
	UpstreamConnectionsReused = Metric{Name: "tidegate_upstream_connections_reused_total", Help: "Requests sent on a connection to an integration that was open already."}
	UpstreamRetries           = Metric{Name: "tidegate_upstream_retries_total", Help: "Requests sent to a target of an integration a second time, for the connection used before had ended."}

	UpstreamMoved         = Metric{Name: "tidegate_upstream_moved_total", Help: "Requests that failed at a target of an integration and were sent to another one."}
	UpstreamRetriesDenied = Metric{Name: "tidegate_upstream_retries_denied_total", Help: "Requests that were not sent to another target because the API's retry budget was used up."}
	UpstreamEjections     = Metric{Name: "tidegate_upstream_ejections_total", Help: "Times that a target was ejected: not asked for a while."}
	UpstreamBreakerOpens  = Metric{Name: "tidegate_upstream_breaker_opens_total", Help: "Times that the circuit breaker of an integration opened."}

	AccessLogLinesDropped = Metric{Name: "tidegate_access_log_lines_dropped_total", Help: "Access log lines lost because the file was too slow or could not be written."}

	StateFallback    = Metric{Name: "tidegate_state_fallback", Help: "1 from a start that found the state file damaged and went back to its copy until that is acknowledged."}
	StateCopyFailing = Metric{Name: "tidegate_state_copy_failing", Help: "1 while no copy of the state file can be made."}
	StateCopied      = Metric{Name: "tidegate_state_copied_timestamp_seconds", Help: "When the copy of the state file was made; 0 without one."}

	SnapshotGeneration = Metric{Name: "tidegate_snapshot_generation", Help: "Number of the snapshot that serves, counted from the start of the process."}
	Deploys            = Metric{Name: "tidegate_deploys_total", Help: "Changes that were compiled and swapped in."}

	BufferedBytes = Metric{Name: "tidegate_buffered_bytes", Help: "Bytes of requests and responses held in memory."}
)

// ThrottleLimit is a limit that can deny a request: the index of its label
// value.
type ThrottleLimit int

// The limits, in the order of ThrottleLimits.
const (
	LimitAccount ThrottleLimit = iota
	LimitStage
	LimitMethod
	LimitPlan
	LimitPlanMethod
	LimitQuota
)

// ThrottleLimits are the label values of ThrottledRequests.
var ThrottleLimits = []string{"account", "stage", "method", "plan", "plan_method", "quota"}
