/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who was just answered a SYN comes back with its request at once. To have it at hand
 * saves judging its source again, and asking the host who owns each of its segments,
 * and its cookie. Whoever comes last has the place: for anybody else all of that is
 * asked, with the same outcome. */
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
	__u32 sentenced; /* else it is a rule that condemns the source */
	__u64 word;      /* of the mark it is condemned by */
	__u64 unused;    /* to fill a cache line */
};

#define VISITOR_BITS 10
#define VISITOR_FACTOR 0x9e3779b1u /* 2^32 / the golden ratio */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << VISITOR_BITS);
	__type(key, __u32);
	__type(value, struct visitor);
} visitors SEC(".maps");

static __always_inline struct visitor *place_of(__u32 source, __be16 source_port)
{
	__u32 index = (source ^ (__u32)source_port << 16) * VISITOR_FACTOR >> (32 - VISITOR_BITS);

	return bpf_map_lookup_elem(&visitors, &index);
}

/* folded is an address in one word. */
static __always_inline __u32 folded(const __be32 address[4])
{
	return address[0] ^ address[1] ^ address[2] ^ address[3];
}

/* remember notes whom a SYN is of, and the sequence number it is answered with. */
static __always_inline void remember(const struct segment *s, __u32 cookie, __u64 word)
{
	const struct flow *f = &s->flow;
	struct visitor *v = place_of(folded(f->source), f->source_port);

	if (!v)
		return;
	__builtin_memcpy(v->source, f->source, sizeof(v->source));
	__builtin_memcpy(v->destination, f->destination, sizeof(v->destination));
	v->source_port = f->source_port;
	v->port = f->port;
	v->seq = s->seq + 1;
	v->ack = cookie + 1;
	v->answered = 0;
	v->sentenced = s->sentenced;
	v->word = word;
}

static __always_inline int same(const __be32 a[4], const __be32 b[4])
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

/* visitor_of returns whom a segment is of, if he is remembered, and tells whether it
 * is bare, with nothing in it but an acknowledgement. To options and extension headers
 * of IP it pays no attention. */
static __always_inline struct visitor *visitor_of(const struct packet *p, int *bare)
{
	const struct tcphdr *tcp;
	struct visitor *v;
	__u32 size;

	if (p->family == AF_INET) {
		tcp = (void *)(p->ip4 + 1);
		size = bpf_ntohs(p->ip4->tot_len) - sizeof(*p->ip4);
		if (unlikely(p->l4 != p->l3 + sizeof(*p->ip4) || (void *)(tcp + 1) > p->end))
			return 0;
		v = place_of(p->ip4->saddr, p->source_port);
	} else {
		tcp = (void *)(p->ip6 + 1);
		size = bpf_ntohs(p->ip6->payload_len);
		if (unlikely(p->l4 != p->l3 + sizeof(*p->ip6) || (void *)(tcp + 1) > p->end))
			return 0;
		v = place_of(folded(p->ip6->saddr), p->source_port);
	}
	if (!v || v->seq != bpf_ntohl(tcp->seq) || v->ack != bpf_ntohl(tcp->ack_seq))
		return 0;
	if (v->source_port != p->source_port || v->port != p->port)
		return 0;
	if (p->family == AF_INET) {
		if (v->source[0] != p->ip4->saddr || v->source[1] || v->destination[0] != p->ip4->daddr || v->destination[1])
			return 0;
	} else if (!same(v->source, p->ip6->saddr) || !same(v->destination, p->ip6->daddr)) {
		return 0;
	}
	*bare = (p->flags & (TCP_ACK | TCP_FIN)) == TCP_ACK && size == (tcp->doff_res >> 4) * 4;
	return v;
}

#endif
