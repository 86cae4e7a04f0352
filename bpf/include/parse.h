/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One cursor walks a frame from Ethernet to TCP. It never reads past the end,
 * and what it cannot read it says, so that the caller decides. */
#ifndef TIDEGATE_PARSE
#define TIDEGATE_PARSE

#define MAX_VLAN_TAGS 2
#define MAX_EXTENSION_HEADERS 6

enum parsed {
	NOT_IP,
	MALFORMED,  /* no whole IP header */
	NOT_TCP,
	UNREADABLE, /* a source, but no TCP header: a fragment, cut off, or too deep */
	TCP,
};

struct packet {
	void *end;
	struct iphdr *ip4;   /* if the family is AF_INET */
	struct ipv6hdr *ip6; /* if it is AF_INET6 */
	__u32 l3, l4;        /* offsets of IP and TCP */
	__be16 source_port, port;
	__u8 flags;          /* of TCP */
	__u8 family;         /* 0 without a whole IP header */
};

/* advance keeps clang from adding an offset of several paths to one pointer,
 * since without CAP_PERFMON only a constant may be added to a pointer. Headers
 * at other than constant offsets are copied by the kernel instead. */
#define advance(at, size) ({ void *__next = (void *)(at) + (size); asm volatile("" : "+r"(__next)); __next; })

/* opens tells a SYN that asks for a connection, and nothing else. */
static __always_inline int opens(__u8 flags)
{
	return (flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

static __always_inline enum parsed read_tcp(struct packet *p, const struct tcphdr *tcp)
{
	if (unlikely(tcp->doff_res >> 4 < 5))
		return UNREADABLE;
	p->source_port = tcp->source;
	p->port = tcp->dest;
	p->flags = tcp->flags;
	return TCP;
}

static __always_inline enum parsed copy_tcp(struct xdp_md *ctx, struct packet *p, __u8 protocol)
{
	struct tcphdr tcp;

	if (protocol != IPPROTO_TCP)
		return NOT_TCP;
	if (bpf_xdp_load_bytes(ctx, p->l4, &tcp, sizeof(tcp)))
		return UNREADABLE;
	return read_tcp(p, &tcp);
}

static __always_inline enum parsed parse_ip4(struct xdp_md *ctx, struct packet *p, struct iphdr *ip)
{
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 size;

	if (unlikely((void *)(ip + 1) > p->end || ip->version_ihl >> 4 != 4))
		return MALFORMED;
	size = (ip->version_ihl & 0xf) * 4;
	if (unlikely(size < sizeof(*ip)))
		return MALFORMED;
	p->ip4 = ip;
	p->family = AF_INET;
	p->l4 = p->l3 + size;
	if (unlikely(ip->protocol != IPPROTO_TCP))
		return NOT_TCP;
	/* Also a first fragment: it would be answered without the rest. */
	if (unlikely(ip->frag_off & bpf_htons(0x3fff)))
		return UNREADABLE;
	if (unlikely(size > sizeof(*ip)))
		return copy_tcp(ctx, p, IPPROTO_TCP);
	return unlikely((void *)(tcp + 1) > p->end) ? UNREADABLE : read_tcp(p, tcp);
}

/* extension returns whether a header of this kind is one to walk over. */
static __always_inline int extension(__u8 kind)
{
	return kind == IPPROTO_HOPOPTS || kind == IPPROTO_ROUTING || kind == IPPROTO_FRAGMENT ||
	       kind == IPPROTO_AH || kind == IPPROTO_DSTOPTS || kind == IPPROTO_MH;
}

static __always_inline enum parsed parse_extensions(struct xdp_md *ctx, struct packet *p, __u8 kind)
{
	struct frag_hdr header; /* every one is at least that long (RFC 8200 4) */

	for (int i = 0; i < MAX_EXTENSION_HEADERS && extension(kind); i++) {
		if (bpf_xdp_load_bytes(ctx, p->l4, &header, sizeof(header)))
			return UNREADABLE;
		if (kind == IPPROTO_FRAGMENT && header.frag_off & bpf_htons(0xfff9))
			return extension(header.nexthdr) || header.nexthdr == IPPROTO_TCP ? UNREADABLE : NOT_TCP;
		if (kind == IPPROTO_FRAGMENT)
			p->l4 += sizeof(header);
		else if (kind == IPPROTO_AH)
			p->l4 += (header.hdrlen + 2) * 4;
		else
			p->l4 += (header.hdrlen + 1) * 8;
		kind = header.nexthdr;
	}
	return extension(kind) ? UNREADABLE : copy_tcp(ctx, p, kind);
}

static __always_inline enum parsed parse_ip6(struct xdp_md *ctx, struct packet *p, struct ipv6hdr *ip)
{
	struct tcphdr *tcp = (void *)(ip + 1);

	if (unlikely((void *)(ip + 1) > p->end || ip->version_class >> 4 != 6))
		return MALFORMED;
	p->ip6 = ip;
	p->family = AF_INET6;
	p->l4 = p->l3 + sizeof(*ip);
	if (unlikely(ip->nexthdr != IPPROTO_TCP))
		return parse_extensions(ctx, p, ip->nexthdr);
	return unlikely((void *)(tcp + 1) > p->end) ? UNREADABLE : read_tcp(p, tcp);
}

/* parse_ethernet returns the EtherType behind the tags, and where that begins. */
static __always_inline __be16 parse_ethernet(struct xdp_md *ctx, struct packet *p, void **at)
{
	struct ethhdr *ethernet = (void *)(long)ctx->data;
	struct vlan_hdr *tag;
	__be16 type;

	*at = advance(ethernet, sizeof(*ethernet));
	p->end = (void *)(long)ctx->data_end;
	p->l3 = sizeof(*ethernet);
	if ((void *)(ethernet + 1) > p->end)
		return 0;
	type = ethernet->h_proto;
#pragma unroll
	for (int i = 0; i < MAX_VLAN_TAGS; i++) {
		if (likely(type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD)))
			break;
		tag = *at;
		if ((void *)(tag + 1) > p->end)
			return 0;
		type = tag->h_vlan_encapsulated_proto;
		*at = advance(tag, sizeof(*tag));
		p->l3 += sizeof(*tag);
	}
	return type;
}

static __always_inline enum parsed parse(struct xdp_md *ctx, struct packet *p)
{
	void *at;
	__be16 type = parse_ethernet(ctx, p, &at);

	if (type == bpf_htons(ETH_P_IP))
		return parse_ip4(ctx, p, at);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ip6(ctx, p, at);
	return NOT_IP;
}

/* flow is what has to be known of a packet once its frame changes. */
struct flow {
	__be32 source[4];
	__be32 destination[4];
	__be16 source_port;
	__be16 port;
	__u16 note;  /* why its source is condemned */
	__u8 family;
};

/* read_flow needs a flow of zeros. */
static __always_inline void read_flow(struct flow *f, const struct packet *p)
{
	f->family = p->family;
	f->source_port = p->source_port;
	f->port = p->port;
	if (p->family == AF_INET) {
		f->source[0] = p->ip4->saddr;
		f->destination[0] = p->ip4->daddr;
	} else {
		__builtin_memcpy(f->source, p->ip6->saddr, sizeof(f->source));
		__builtin_memcpy(f->destination, p->ip6->daddr, sizeof(f->destination));
	}
}

#endif
