/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The one door out: every packet leaves by leave(), which counts it, and
 * reports a sample of those that did not simply pass. */
#ifndef TIDEGATE_LEAVE
#define TIDEGATE_LEAVE

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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

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

/* leave counts a packet of so many bytes, and reports it if it is given, either
 * as it came in or as the flow it was. */
static __always_inline int leave(struct xdp_md *ctx, int verdict, enum reason reason, __u32 length,
				 const struct packet *p, const struct flow *f)
{
	__u32 index = reason, zero = 0;
	struct counter *count = bpf_map_lookup_elem(&counters, &index);
	struct control *c;
	struct flow flow;

	if (!count)
		return verdict;
	if (p || f) {
		c = bpf_map_lookup_elem(&control, &zero);
		if (c && c->every && !(count->packets & (c->every - 1))) {
			if (p)
				read_flow(&flow, p);
			report(ctx, p ? &flow : f, length, reason);
		}
	}
	count->packets++;
	count->bytes += length;
	return verdict;
}

#endif
