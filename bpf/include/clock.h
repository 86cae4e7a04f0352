/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* CLOCK_MONOTONIC_COARSE, for a tenth of its price. The coarse clock moves with
 * the kernel's tick, so it is read once a tick; the tick itself costs one load. */
#ifndef TIDEGATE_CLOCK
#define TIDEGATE_CLOCK

#define CLOCK_LAG 20000000 /* two ticks of the slowest usual kernel, HZ=100 */

/* Of all CPUs. One that sees the new tick before the new time is a tick behind. */
static __u64 clock_tick, clock_read;

/* clock_now returns nanoseconds of CLOCK_MONOTONIC, at most two ticks old. */
static __always_inline __u64 clock_now(void)
{
	__u64 tick = bpf_jiffies64();

	if (unlikely(clock_tick != tick)) {
		clock_read = bpf_ktime_get_coarse_ns();
		clock_tick = tick;
	}
	return clock_read;
}

#endif
