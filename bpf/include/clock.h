/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* CLOCK_MONOTONIC_COARSE, for a tenth of its price. The coarse clock moves with
 * the kernel's tick, so it is read once a tick; the tick itself costs one load. */
#ifndef TIDEGATE_CLOCK
#define TIDEGATE_CLOCK

#define CLOCK_LAG 20000000 /* two ticks of the slowest usual kernel, HZ=100 */

struct clock {
	__u64 tick;
	__u64 now;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct clock);
} clocks SEC(".maps");

/* clock_now returns nanoseconds of CLOCK_MONOTONIC, at most two ticks old. */
static __always_inline __u64 clock_now(void)
{
	__u64 tick = bpf_jiffies64();
	__u32 zero = 0;
	struct clock *c = bpf_map_lookup_elem(&clocks, &zero);

	if (!c)
		return bpf_ktime_get_coarse_ns();
	if (c->tick != tick) {
		c->now = bpf_ktime_get_coarse_ns();
		c->tick = tick;
	}
	return c->now;
}

#endif
