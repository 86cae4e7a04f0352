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

/* headers are IP's and TCP's, IPv4's at the end of the room for IPv6's. */
struct headers {
	union {
		struct ipv6hdr six;
		struct {
			__be32 room[5];
			struct iphdr four;
		};
		__be32 words[10];
	};
	struct tcp tcp;
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

/* write_ip adds to sum what TCP's checksum takes of the header. */
static __always_inline void write_ip(struct headers *h, const struct flow *f, __u32 payload, __u64 *sum)
{
	*sum += bpf_htonl(payload + IPPROTO_TCP);
	if (f->family == AF_INET) {
		h->four.version_ihl = 0x45;
		h->four.tot_len = bpf_htons(sizeof(h->four) + payload);
		h->four.frag_off = bpf_htons(0x4000); /* do not fragment */
		h->four.ttl = 64;
		h->four.protocol = IPPROTO_TCP;
		h->four.saddr = f->destination[0];
		h->four.daddr = f->source[0];
		h->four.check = fold(sum_words(h->words + 5, 5));
		*sum += sum_words(h->words + 8, 2);
		return;
	}
	h->six.version_class = 0x60;
	h->six.payload_len = bpf_htons(payload);
	h->six.nexthdr = IPPROTO_TCP;
	h->six.hop_limit = 64;
	__builtin_memcpy(h->six.saddr, f->destination, sizeof(h->six.saddr));
	__builtin_memcpy(h->six.daddr, f->source, sizeof(h->six.daddr));
	*sum += sum_words(h->words + 2, 8);
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
		return bpf_xdp_store_bytes(ctx, s->l3, &h->four, sizeof(h->four) + tcp_size);
	return bpf_xdp_store_bytes(ctx, s->l3, &h->six, sizeof(h->six) + tcp_size);
}

/* reply returns 0, or -1 for a frame that cannot become one. */
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
	tcp_size = write_tcp(&h.tcp, s, r);
	write_ip(&h, &s->flow, tcp_size + text, &sum);
	sum += sum_words((__be32 *)&h.tcp, sizeof(h.tcp) / 4);
	h.tcp.header.check = fold(sum);

	size = s->l3 + (s->flow.family == AF_INET ? sizeof(h.four) : sizeof(h.six)) + tcp_size;
	more = (int)(size + text) - (int)s->length;
	if (more && bpf_xdp_adjust_tail(ctx, more) && resize_at_start(ctx, more))
		return -1;
	if (turn_around(ctx) || store_headers(ctx, s, &h, tcp_size))
		return -1;
	if (!a)
		return 0;
	if (bpf_xdp_store_bytes(ctx, size, a->text, text))
		return -1;
	return a->seconds ? bpf_xdp_store_bytes(ctx, size + a->seconds, &digits, sizeof(digits)) : 0;
}

#endif
