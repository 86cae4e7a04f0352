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
	{"R2", "overload", "goodput >= 90 % at 5 x, others refused promptly, operators answered", []string{e2e + "TestR2Overload TestPriorityOnTheCPU"}},
	{"R3", "little memory", "shed, not killed; operators answered", []string{e2e + "TestR3LittleMemory TestMemory"}},
	{"R4", "slowloris", "2,000 slow clients cut <= 11 s, p99 of the others <= 2 x", []string{e2e + "TestR4Slowloris"}},
	{"R5", "slow bodies, slow readers", "cut within 30 s, <= 64 KiB each, the others are served", []string{e2e + "TestR5SlowBodies"}},
	{"R6", "silent connections", "closed after 10 s +- 1, new ones are let in meanwhile", []string{e2e + "TestR6SilentConnections"}},
	{"R7", "flood that nobody reads", "<= 1 MiB buffered per connection", []string{"./dataplane/front TestUnreadAnswersAreBounded TestSlowBackendSlowsTheUpload"}},
	{"R8", "smuggling corpus", "decision as in the golden file; no backend sees another message", []string{"./internal/corpus TestR8SmugglingCorpus TestR8NoDisagreementReachesABackend TestR8Oracle TestR8OthersOnTheSameBytes"}},
	{"R9", "upstream desync", "0 foreign bytes in any victim's answer", []string{e2e + "TestR9UpstreamDesync", "./internal/corpus TestR9Responses"}},
	{fuzzRow, "fuzzing, " + fuzzTime + " a target (make fuzz: 60s)", "no crash", nil},
	{"R11", "limits of messages", "exact status at limit + 1, 200 at the limit", []string{"./dataplane/front TestR11Body TestR11Headers TestR11URL", "./internal/corpus TestR11Limits"}},
	{"R12", "hot upgrade under load", "20 upgrades, 500 WebSockets: 0 failed requests, closed with 1001 alone, quota exact", []string{e2e + "TestR12Upgrade TestUpgradeKeepsLimits TestUpgradeGuarded"}},
	{"R13", "upgrade that fails", "the old one serves on, 0 errors, rolled back within 10 s", []string{e2e + "TestR13UpgradeFails"}},
	{"R14", "graceful stop", "all in flight finish", []string{e2e + "TestR14GracefulStop"}},
	{"R15", "kill -9 in a loop", "serving again <= 2 s with 1,000 APIs, nothing acknowledged is lost", []string{e2e + "TestR15KillLoop"}},
	{"R16", "crash consistency of files", "what is left opens, what was acknowledged is there; a damaged file is replaced by its copy, with an alarm", []string{
		"./dataplane/state TestR16PowerLoss TestR16PowerLossAfterAKill TestR16PowerLossInFallback", "./dataplane/usage TestR16JournalPowerLoss",
		"./cachestore TestR16SavedPowerLoss", e2e + "TestR16DamagedState"}},
	{"R17", "disk full, failing, read-only", "serves on, deployments refused with the cause, usage exact, recovers without a restart", []string{
		e2e + "TestR17DiskFull TestR17DiskErrors", "./dataplane/state TestR17SyncFails", "./dataplane/usage TestR17JournalSyncFails"}},
	{"R18", "broken configurations", "285 refused with a reason, no request affected; 1,000 APIs swapped <= 200 ms", []string{e2e + "TestR18BrokenConfigurations TestR18Swap"}},
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
	{"R30", "faults of backends", "out <= 10 s, back <= 40 s, never more than half out", []string{e2e + "TestR30UpstreamFaults", "./dataplane/integration/upstream/health TestAgainstModel"}},
	{"R31", "retry storm", "targets see <= 1.2 x what clients send", []string{e2e + "TestR31RetryStorm"}},
	{"R32", "noisy tenant", "20 other APIs: no error, as fast as before", []string{e2e + "TestR32NoisyTenant"}},
	{"R33", "faults of issuers", "few fetches for unknown keys, valid tokens go on, rotation <= 60 s", []string{"./dataplane/auth/jwt TestR33Faults TestR33UnknownKeys TestR33Rotation", e2e + "TestR33KeysRotateUnderTraffic"}},
	{"R34", "attacks by tokens and signatures", "0 accepted, all valid ones are", []string{"./dataplane/auth/jwt TestR34TokenAttacks", "./dataplane/auth/sigv4 TestR34RefusesEveryChangedByte TestR34RefusesOtherChanges TestR34AcceptsWhatTheSDKSigns"}},
	{"R35", "cache attacks", "0 answers across principals, one call per stampede", []string{e2e + "TestR35CacheAttacks TestStampede TestStandardStampede"}},
	{"R36", "packets", "the program decides as its model", []string{"./bpf/gate TestGenerated TestEveryTruncation TestVerdictIsTheModels"}},
	{"R37", "spoofed flood", "the victim is served, no entry is made", []string{e2e + "TestSpoofedFlood"}},
	{"R38", "private endpoint", "0 bytes of HTTP but by the bound interface, after a kill too", []string{e2e + "TestPrivateListener"}},
	{"R39", "control socket", "only allowed users, limits hold", []string{"./dataplane/control TestCredentialMatrix TestStaleSocketIsReplacedAndALiveOneIsNot TestTenThousandConnects TestOneGigabyteBody TestSocketModesAreExact"}},
	{"R40", "few descriptors", "CPU <= 1 core, operators answered, serves again <= 2 s", []string{e2e + "TestR40Descriptors"}},
	{"R41", "leaks", "what is held when quiet is flat: descriptors, goroutines, memory", []string{e2e + "TestR41Leaks"}},
	{"R43", "sandbox", "exposure <= 2.0, the daemon works under its unit and keeps what it takes", []string{"./configs/systemd TestServiceExposure", e2e + "TestUnit TestConfined TestConfinedUpgrade"}},
	{"R44", "determinism of routing", "router, web ACL, cache and backend see one form", []string{"./internal/corpus TestR44OneForm"}},
}
