/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Every packet is counted once, when it leaves, and a sample is reported of those
 * that did not simply pass. */
#ifndef TIDEGATE_COUNT
#define TIDEGATE_COUNT

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 64); /* more than REASONS, so that it can grow in place */
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

/* control is written by the daemon alone. */
struct control {
	__u64 beat;  /* its last heartbeat, nanoseconds of CLOCK_MONOTONIC */
	__u64 every; /* report each such packet of a reason, a power of two; 0: none */
};

struct control control;

/* event is for people to read: what happened to one packet. */
struct event {
	__u64 time; /* nanoseconds of CLOCK_MONOTONIC */
	__be32 source[4];
	__u32 interface;
	__u32 length;
	__be16 source_port;
	__be16 port;
	__u16 note;
	__u8 reason;
	__u8 family;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
	__type(value, struct event); /* tells bpf2go */
} events SEC(".maps");

__noinline int report(struct xdp_md *ctx, const struct flow *f, __u32 length, enum reason reason)
{
	struct event *e;

	if (!f)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return 0; /* nobody reads fast enough: the counters still tell */
	e->time = clock_now();
	__builtin_memcpy(e->source, f->source, sizeof(e->source));
	e->interface = ctx->ingress_ifindex;
	e->length = length;
	e->source_port = f->source_port;
	e->port = f->port;
	e->note = f->note;
	e->reason = reason;
	e->family = f->family;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/* count counts a packet of so many bytes, and returns whether it is one to report. */
static __always_inline int count(enum reason reason, __u32 length)
{
	__u32 index = reason;
	struct counter *c = bpf_map_lookup_elem(&counters, &index);
	int sampled;

	if (unlikely(!c))
		return 0;
	sampled = unlikely(control.every) && !(c->packets & (control.every - 1));
	c->packets++;
	c->bytes += length;
	return sampled;
}

#endif
