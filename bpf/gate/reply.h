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

/* headers are IP's, IPv4's at the end of the room for IPv6's, and TCP's with room for
 * timestamps, a segment size and padding. They are made word by word: a word that is read
 * just after its bytes were written one by one makes the CPU wait. */
struct headers {
	__be32 ip[10];
	__be32 tcp[10];
};

#define IP4 5 /* where IPv4's begins in ip */

/* fold makes an Internet checksum (RFC 1071) of a sum of 32-bit words. */
static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* write_tcp returns the size of the header, and adds to sum what its checksum takes
 * of it, which is left out. */
static __always_inline __u32 write_tcp(__be32 tcp[10], const struct segment *s, const struct reply *r, __u64 *sum)
{
	__be32 size = bpf_htonl(TCPOPT_MSS << 24 | TCPOLEN_MSS << 16 | WINDOW);
	__u32 words = 5, window = r->flags & TCP_RST ? 0 : WINDOW;

	if (s->timed && !(r->flags & TCP_RST)) {
		tcp[5] = bpf_htonl(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 | TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP);
		tcp[6] = bpf_htonl((__u32)(clock_now() / 1000000));
		tcp[7] = s->timestamps[0];
		*sum += (__u64)tcp[5] + tcp[6] + tcp[7];
		words += 3;
		if (r->flags & TCP_SYN) { /* as long as most SYNs, so that the frame keeps its size */
			tcp[8] = size;
			tcp[9] = bpf_htonl(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 | TCPOPT_NOP << 8 | TCPOPT_NOP);
			*sum += (__u64)size + tcp[9];
			words += 2;
		}
	} else if (r->flags & TCP_SYN) {
		tcp[5] = size;
		*sum += size;
		words++;
	}
	tcp[0] = bpf_htonl(bpf_ntohs(s->flow.port) << 16 | bpf_ntohs(s->flow.source_port));
	tcp[1] = bpf_htonl(r->seq);
	tcp[2] = bpf_htonl(r->ack);
	tcp[3] = bpf_htonl(words << 28 | r->flags << 16 | window);
	*sum += (__u64)tcp[0] + tcp[1] + tcp[2] + tcp[3];
	return words * 4;
}

/* write_ip adds to sum what TCP's checksum takes of the header. */
static __always_inline void write_ip(__be32 ip[10], const struct flow *f, __u32 payload, __u64 *sum)
{
	*sum += bpf_htonl(payload + IPPROTO_TCP);
	if (f->family == AF_INET) {
		ip[IP4] = bpf_htonl(0x45 << 24 | (20 + payload));
		ip[IP4 + 1] = bpf_htonl(0x4000); /* do not fragment */
		ip[IP4 + 2] = bpf_htonl(64 << 24 | IPPROTO_TCP << 16);
		ip[IP4 + 3] = f->destination[0];
		ip[IP4 + 4] = f->source[0];
		ip[IP4 + 2] |= bpf_htonl(bpf_ntohs(fold((__u64)ip[IP4] + ip[IP4 + 1] + ip[IP4 + 2] + ip[IP4 + 3] + ip[IP4 + 4])));
		*sum += (__u64)ip[IP4 + 3] + ip[IP4 + 4];
		return;
	}
	ip[0] = bpf_htonl(6u << 28);
	ip[1] = bpf_htonl(payload << 16 | IPPROTO_TCP << 8 | 64);
#pragma unroll
	for (int i = 0; i < 4; i++) {
		ip[2 + i] = f->destination[i];
		ip[6 + i] = f->source[i];
		*sum += (__u64)ip[2 + i] + ip[6 + i];
	}
}

/* resize_at_start is for where a driver left no room at the end. It brings Ethernet
 * and its VLAN tags along, or more than those, which will be overwritten. */
__noinline int resize_at_start(struct xdp_md *ctx, int more)
{
	__u8 l2[MAX_L2];

	if (bpf_xdp_load_bytes(ctx, 0, l2, sizeof(l2)) || bpf_xdp_adjust_head(ctx, -more))
		return -1;
	return bpf_xdp_store_bytes(ctx, 0, l2, sizeof(l2));
}

/* turn_around swaps the Ethernet addresses. */
static __always_inline int turn_around(struct xdp_md *ctx)
{
	__be16 *at = (void *)(long)ctx->data, swap;

	if ((void *)(at + ETH_ALEN) > (void *)(long)ctx->data_end)
		return -1;
#pragma unroll
	for (int i = 0; i < ETH_ALEN / 2; i++) {
		swap = at[i];
		at[i] = at[ETH_ALEN / 2 + i];
		at[ETH_ALEN / 2 + i] = swap;
	}
	return 0;
}

static __always_inline int store_headers(struct xdp_md *ctx, const struct segment *s, struct headers *h, __u32 tcp_size)
{
	if (s->flow.family == AF_INET)
		return bpf_xdp_store_bytes(ctx, s->l3, h->ip + IP4, 20 + tcp_size);
	return bpf_xdp_store_bytes(ctx, s->l3, h->ip, 40 + tcp_size);
}

/* reply returns the size of the answer in it, or -1 for a frame that cannot become
 * a reply. */
__noinline int reply(struct xdp_md *ctx, const struct segment *s, const struct reply *r)
{
	__u32 tcp_size, size, text = 0;
	__u64 digits = 0, sum = 0;
	struct headers h = {};
	struct answer *a = 0;
	int more;

	if (!s || !r)
		return -1;
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
	tcp_size = write_tcp(h.tcp, s, r, &sum);
	write_ip(h.ip, &s->flow, tcp_size + text, &sum);
	h.tcp[4] = bpf_htonl(bpf_ntohs(fold(sum)) << 16);

	size = s->l3 + (s->flow.family == AF_INET ? 20 : 40) + tcp_size;
	more = (int)(size + text) - (int)s->length;
	if (more && bpf_xdp_adjust_tail(ctx, more) && resize_at_start(ctx, more))
		return -1;
	if (turn_around(ctx) || store_headers(ctx, s, &h, tcp_size))
		return -1;
	if (!a)
		return 0;
	if (bpf_xdp_store_bytes(ctx, size, a->text, text))
		return -1;
	if (a->seconds && bpf_xdp_store_bytes(ctx, size + a->seconds, &digits, sizeof(digits)))
		return -1;
	return text;
}

#endif
