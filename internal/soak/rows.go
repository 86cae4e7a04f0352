package main

// row is one of the reliability table.
type row struct {
	id, name, bound string
	tests           []string // a package and its tests; none: not on one machine
}

const (
	e2e     = "./internal/e2e "
	cluster = "waits for the cluster"

	fuzzRow  = "R10"
	fuzzTime = "5s"
)

var rows = []row{
	{"R1", "steady load", "no failed request, memory flat", []string{e2e + "TestR1SteadyLoad"}},
	{"R7", "flood that nobody reads", "<= 1 MiB buffered per connection", []string{"./dataplane/front TestUnreadAnswersAreBounded TestSlowBackendSlowsTheUpload"}},
	{"R8", "smuggling corpus", "decision as in the golden file; no backend sees another message", []string{"./internal/corpus TestR8SmugglingCorpus TestR8NoDisagreementReachesABackend TestR8Oracle TestR8OthersOnTheSameBytes"}},
	{"R9", "upstream desync", "0 foreign bytes in any victim's answer", []string{e2e + "TestR9UpstreamDesync"}},
	{fuzzRow, "fuzzing, " + fuzzTime + " a target (make fuzz: 60s)", "no crash", nil},
	{"R11", "limits of messages", "exact status at limit + 1, 200 at the limit", []string{"./dataplane/front TestR11Body TestR11Headers TestR11URL"}},
	{"R12", "hot upgrade under load", "20 upgrades, 500 WebSockets: 0 failed requests, closed with 1001 alone, quota exact", []string{e2e + "TestR12Upgrade TestUpgradeKeepsLimits TestUpgradeGuarded"}},
	{"R13", "upgrade that fails", "the old one serves on, 0 errors, rolled back within 10 s", []string{e2e + "TestR13UpgradeFails"}},
	{"R14", "graceful stop", "all in flight finish", []string{e2e + "TestR14GracefulStop"}},
	{"R15", "kill -9 in a loop", "serving again <= 2 s with 1,000 APIs, nothing acknowledged is lost", []string{e2e + "TestR15KillLoop"}},
	{"R19", "conformance of engines", cluster, nil},
	{"R20", "account limit (one node)", "any window: <= rate x time + burst, >= 95 % of it used", []string{e2e + "TestR20AccountLimit"}},
	{"R21", "limit under faults", cluster, nil},
	{"R22", "quota (one node)", "what was counted survives kills", []string{e2e + "TestR22QuotasSurviveKills"}},
	{"R23", "clock skew (one node)", "no quota period lost or doubled", []string{"./dataplane/usage TestClockStepsOverABoundary", "./limiter TestCounterSurvivesAWrongClock TestCounterJitterOverABoundary TestSharedDeniesAnOldNow"}},
	{"R24", "deny propagation", cluster, nil},
	{"R25", "config propagation", cluster, nil},
	{"R26", "partition of edge and region", cluster, nil},
	{"R27", "engine amnesia", cluster, nil},
	{"R28", "@connections (one node)", "all delivered or 410, forged ids reach nobody", []string{e2e + "TestR28Connections"}},
	{"R29", "WebSocket abuse", "right close code, <= 64 KiB held per connection", []string{e2e + "TestRFC6455", "./dataplane/websocket TestFloods TestSlowReaders TestChaos TestConformance"}},
	{"R35", "cache attacks", "0 answers across principals, one call per stampede", []string{e2e + "TestR35CacheAttacks TestStampede TestStandardStampede"}},
	{"R36", "packets", "the program decides as its model", []string{"./bpf/gate TestGenerated TestEveryTruncation TestVerdictIsTheModels"}},
	{"R37", "spoofed flood", "the victim is served, no entry is made", []string{e2e + "TestSpoofedFlood"}},
	{"R38", "private endpoint", "0 bytes of HTTP but by the bound interface, after a kill too", []string{e2e + "TestPrivateListener"}},
	{"R39", "control socket", "only allowed users, limits hold", []string{"./dataplane/control TestCredentialMatrix TestStaleSocketIsReplacedAndALiveOneIsNot TestTenThousandConnects TestOneGigabyteBody TestSocketModesAreExact"}},
	{"R44", "determinism of routing", "router, web ACL, cache and backend see one form", []string{"./internal/corpus TestR44RoutedIsForwarded"}},
}
