/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who was just answered a SYN comes back with its request at once. To have it at hand
 * saves asking the host who owns each of its segments, and its cookie. Whoever comes
 * last has the place: for anybody else the host is asked, with the same outcome. */
#ifndef TIDEGATE_VISITOR
#define TIDEGATE_VISITOR

/* visitor is a refused connection. Who fits its sequence numbers, which no other
 * connection can but by chance, belongs to it. */
struct visitor {
	__be32 source[4];
	__be32 destination[4];
	__be16 source_port;
	__be16 port;
	__u32 seq, ack; /* of its next segment */
	__u32 answered;
	__u32 unused[4]; /* to fill a cache line */
};

#define VISITOR_BITS 10
#define VISITOR_FACTOR 0x9e3779b1u /* 2^32 / the golden ratio */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << VISITOR_BITS);
	__type(key, __u32);
	__type(value, struct visitor);
} visitors SEC(".maps");

static __always_inline struct visitor *place_of(const struct flow *f)
{
	__u32 mixed = f->source[0] ^ f->source[1] ^ f->source[2] ^ f->source[3] ^ (__u32)f->source_port << 16;
	__u32 index = mixed * VISITOR_FACTOR >> (32 - VISITOR_BITS);

	return bpf_map_lookup_elem(&visitors, &index);
}

static __always_inline void remember(const struct flow *f, __u32 seq, __u32 ack)
{
	struct visitor *v = place_of(f);

	if (!v)
		return;
	__builtin_memcpy(v->source, f->source, sizeof(v->source));
	__builtin_memcpy(v->destination, f->destination, sizeof(v->destination));
	v->source_port = f->source_port;
	v->port = f->port;
	v->seq = seq;
	v->ack = ack;
	v->answered = 0;
}

/* visitor_of returns whom the segment is of, if he is remembered. */
static __always_inline struct visitor *visitor_of(const struct segment *s)
{
	const struct flow *f = &s->flow;
	struct visitor *v = place_of(f);

	if (!v || v->seq != s->seq || v->ack != s->ack || v->source_port != f->source_port || v->port != f->port)
		return 0;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		if (v->source[i] != f->source[i] || v->destination[i] != f->destination[i])
			return 0;
	}
	return v;
}

#endif
