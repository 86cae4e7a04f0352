package configs

import "time"

// Defaults returns a Host with the value every field has when the host file
// does not name it. The limits are those of AWS API Gateway.
func Defaults() *Host {
	return &Host{
		Region:        "us-east-1",
		AccountID:     "000000000000",
		GatewayDomain: "localhost",
		StateDir:      "/var/lib/tidegate",
		Sandbox:       true,
		Listeners:     []Listener{{Name: "public", Address: "127.0.0.1:8080", Refusal: RefusalRespond}},
		Admin:         Admin{Address: "127.0.0.1:9090"},
		Control:       Control{Socket: "/run/tidegate/control.sock", Mode: 0o660},
		KernelGate: KernelGate{
			PinDir:       "/sys/fs/bpf/tidegate",
			AtStop:       AtStopLeave,
			MaxPrefixes:  1 << 20,
			MaxSentences: 1 << 18,
			Sentences:    Sentences{Window: 10 * time.Second, Denials: 50, First: 10 * time.Second, Longest: 5 * time.Minute},
		},
		Authorizers: Authorizers{Timeout: 30 * time.Second, MaxCalls: 256, MaxWaiting: 4096},
		WAF:         WAF{Queue: 1024, Timeout: 5 * time.Second, RateKeys: 1 << 16},
		WebSocket: WebSocket{
			ConnectRate: 500, MessageBytes: 128 << 10, FrameBytes: 32 << 10, InFlight: 16, QueueMessages: 64, QueueBytes: 256 << 10,
			BufferBytes: 256 << 20, Idle: 10 * time.Minute, Life: 2 * time.Hour, Ping: 30 * time.Second,
		},
		Throttle: Throttle{RateLimit: 10_000, MethodBuckets: 1 << 20},
		Cache:    Cache{StageBytes: 256 << 20},
		Limits: Limits{
			HeaderBytes:           20480,
			HeaderCount:           100,
			URLBytes:              10240,
			BodyBytes:             10 << 20,
			ResponseBytes:         10 << 20,
			IntegrationTimeout:    29 * time.Second,
			ConnectionBufferBytes: 1 << 20,
			BufferBytes:           128 << 20,
		},
		Overload: Overload{
			Memory:      Shares{Start: 0.85, Full: 0.95},
			Delay:       Delays{Start: 50 * time.Millisecond, Full: 200 * time.Millisecond},
			Descriptors: Shares{Start: 0.85, Full: 0.95},
			InFlight:    Shares{Start: 0.8, Full: 1},
		},
		Timeouts: Timeouts{
			FirstByte:    10 * time.Second,
			Header:       10 * time.Second,
			Idle:         310 * time.Second,
			Send:         30 * time.Second,
			Drain:        30 * time.Second,
			TLSHandshake: 10 * time.Second,
			BodyMinRate:  240,
		},
		Upstream: Upstream{
			ConnectTimeout: 5 * time.Second,
			IdleTimeout:    50 * time.Second,
			MaxConnections: 1024,
			DNSRefresh:     10 * time.Second,

			MaxInFlight:      8192,
			MaxWaiting:       4096,
			MaxBufferedBytes: 64 << 20,
			FailureStatuses:  []int{502, 503, 504},
			RetryPercent:     20,
			Outliers: Outliers{
				Failures: 5, FailurePercent: 20, MinRequests: 20, Window: 10 * time.Second,
				Ejection: 5 * time.Second, MaxEjection: 30 * time.Second, MaxPercent: 50,
			},
			Breaker: Breaker{FailurePercent: 80, MinRequests: 20, Open: 5 * time.Second, MaxOpen: 30 * time.Second},
		},
	}
}

// defaultTLSMinVersion is the min_version of a listener that has a tls section
// without one.
const defaultTLSMinVersion = "1.2"
