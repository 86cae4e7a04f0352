/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Turns the frame of a segment into a reply to it: headers anew, without IP
 * options and extension headers, the same VLAN tags, checksums computed. */
#ifndef TIDEGATE_REPLY
#define TIDEGATE_REPLY

#define MAX_L2 (sizeof(struct ethhdr) + MAX_VLAN_TAGS * sizeof(struct vlan_hdr))

/* So little that a client has one segment in flight, before its answer, and at
 * least this is what every TCP sends at once (RFC 9293 3.7.1). Linux takes half
 * of any larger window. */
#define WINDOW 536

struct reply {
	__u32 seq, ack;
	__u64 until; /* what the answer's Retry-After says */
	__u32 answer; /* 1 + which of the answers; 0: none */
	__u32 flags;
};

/* tcp is a TCP header with room for timestamps and a segment size. */
struct tcp {
	struct tcphdr header;
	__be32 options[4];
};

union ip {
	struct iphdr four;
	struct ipv6hdr six;
	__be32 words[10];
};

/* fold makes an Internet checksum (RFC 1071) of a sum of 32-bit words. */
static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline __u64 sum_words(const __be32 *words, int count)
{
	__u64 sum = 0;

	for (int i = 0; i < count; i++)
		sum += words[i];
	return sum;
}

/* write_tcp returns the size of the header, without its checksum. */
static __always_inline __u32 write_tcp(struct tcp *t, const struct segment *s, const struct reply *r)
{
	__be32 size = bpf_htonl(TCPOPT_MSS << 24 | 4 << 16 | WINDOW);
	__u32 words = 5;

	t->header.source = s->flow.port;
	t->header.dest = s->flow.source_port;
	t->header.seq = bpf_htonl(r->seq);
	t->header.ack_seq = bpf_htonl(r->ack);
	t->header.flags = r->flags;
	t->header.window = r->flags & TCP_RST ? 0 : bpf_htons(WINDOW);
	if (s->timed && !(r->flags & TCP_RST)) {
		t->options[0] = bpf_htonl(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 | TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP);
		t->options[1] = bpf_htonl((__u32)(clock_now() / 1000000));
		t->options[2] = s->timestamps[0];
		words += 3;
		if (r->flags & TCP_SYN) {
			t->options[3] = size;
			words++;
		}
	} else if (r->flags & TCP_SYN) {
		t->options[0] = size;
		words++;
	}
	t->header.doff_res = words << 4;
	return words * 4;
}

/* write_ip returns the size of the header and adds to sum what TCP's checksum
 * takes of it. */
static __always_inline __u32 write_ip(union ip *ip, const struct flow *f, __u32 payload, __u64 *sum)
{
	*sum += bpf_htonl(payload + IPPROTO_TCP);
	if (f->family == AF_INET) {
		ip->four.version_ihl = 0x45;
		ip->four.tot_len = bpf_htons(sizeof(ip->four) + payload);
		ip->four.frag_off = bpf_htons(0x4000); /* do not fragment */
		ip->four.ttl = 64;
		ip->four.protocol = IPPROTO_TCP;
		ip->four.saddr = f->destination[0];
		ip->four.daddr = f->source[0];
		ip->four.check = fold(sum_words(ip->words, 5));
		*sum += sum_words(ip->words + 3, 2);
		return sizeof(ip->four);
	}
	ip->six.version_class = 0x60;
	ip->six.payload_len = bpf_htons(payload);
	ip->six.nexthdr = IPPROTO_TCP;
	ip->six.hop_limit = 64;
	__builtin_memcpy(ip->six.saddr, f->destination, sizeof(ip->six.saddr));
	__builtin_memcpy(ip->six.daddr, f->source, sizeof(ip->six.daddr));
	*sum += sum_words(ip->words + 2, 8);
	return sizeof(ip->six);
}

/* read_l2 copies Ethernet and its VLAN tags, for the way back. */
static __always_inline int read_l2(struct xdp_md *ctx, __u8 l2[MAX_L2], __u32 size)
{
	__u8 swap;

	if (size < sizeof(struct ethhdr) || size > MAX_L2 || bpf_xdp_load_bytes(ctx, 0, l2, size))
		return -1;
	for (int i = 0; i < ETH_ALEN; i++) {
		swap = l2[i];
		l2[i] = l2[ETH_ALEN + i];
		l2[ETH_ALEN + i] = swap;
	}
	return 0;
}

/* resize makes the frame so long, at its end or, where a driver left no room
 * there, at its start. */
static __always_inline long resize(struct xdp_md *ctx, __u32 from, __u32 to)
{
	int more = (int)to - (int)from;

	return more && bpf_xdp_adjust_tail(ctx, more) && bpf_xdp_adjust_head(ctx, -more);
}

/* reply returns 0, or -1 for a frame that cannot become one. */
__noinline int reply(struct xdp_md *ctx, const struct segment *s, const struct reply *r)
{
	__u32 tcp_size, ip_size, size, text = 0;
	__u64 digits = 0, sum = 0;
	struct answer *a = 0;
	__u8 l2[MAX_L2] = {};
	struct tcp tcp = {};
	union ip ip = {};

	if (!s || !r)
		return -1;
	size = s->l3;
	if (r->answer) {
		if (r->answer > ANSWERS)
			return -1;
		a = &answers[r->answer - 1];
		text = a->length;
		if (!text || text > MAX_ANSWER)
			return -1;
		sum += a->sum;
		if (a->seconds) {
			write_seconds((char *)&digits, r->until);
			sum += (digits & 0xffffffff) + (digits >> 32);
		}
	}
	tcp_size = write_tcp(&tcp, s, r);
	ip_size = write_ip(&ip, &s->flow, tcp_size + text, &sum);
	sum += sum_words((__be32 *)&tcp, sizeof(tcp) / 4);
	tcp.header.check = fold(sum);

	if (read_l2(ctx, l2, size) || resize(ctx, s->length, size + ip_size + tcp_size + text) ||
	    bpf_xdp_store_bytes(ctx, 0, l2, size) ||
	    bpf_xdp_store_bytes(ctx, size, &ip, ip_size) ||
	    bpf_xdp_store_bytes(ctx, size + ip_size, &tcp, tcp_size))
		return -1;
	if (!a)
		return 0;
	size += ip_size + tcp_size;
	if (bpf_xdp_store_bytes(ctx, size, a->text, text))
		return -1;
	return a->seconds ? bpf_xdp_store_bytes(ctx, size + a->seconds, &digits, sizeof(digits)) : 0;
}

#endif
