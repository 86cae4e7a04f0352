/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a condemned segment says, copied out of its frame, which the reply to it
 * will overwrite. */
#ifndef TIDEGATE_SEGMENT
#define TIDEGATE_SEGMENT

#define MAX_OPTIONS 10 /* the stacks in use send timestamps as the sixth, NOPs counted */

struct segment {
	struct flow flow;
	__u32 length;     /* of the frame */
	__u32 seq, ack;   /* host order */
	__u32 payload;    /* bytes */
	__u32 l3, l4;     /* offsets in the frame */
	__u32 header;     /* bytes of the TCP header */
	__be32 timestamps[2]; /* the sender's clock and its echo of ours, if timed */
	__u8 timed;
	__u8 flags;
	__u8 port;        /* what ports says of it */
	__u8 sentenced;   /* else it is a rule that condemns the source */
};

/* read_segment needs a TCP packet. Its length is that of the frame, where IP does
 * not say how long the segment is: in merged ones over 64 KiB. */
static __always_inline int read_segment(struct xdp_md *ctx, struct segment *s, const struct packet *p)
{
	__u32 total = bpf_ntohs(p->family == AF_INET ? p->ip4->tot_len : p->ip6->payload_len);
	struct tcphdr tcp;
	__u32 before;

	read_flow(&s->flow, p);
	if (bpf_xdp_load_bytes(ctx, p->l4, &tcp, sizeof(tcp)))
		return -1;
	s->l3 = p->l3;
	s->l4 = p->l4;
	s->header = (tcp.doff_res >> 4) * 4;
	s->seq = bpf_ntohl(tcp.seq);
	s->ack = bpf_ntohl(tcp.ack_seq);
	s->flags = tcp.flags;
	if (!total)
		total = s->length - p->l3;
	else if (p->family == AF_INET6)
		total += sizeof(struct ipv6hdr);
	before = p->l4 - p->l3 + s->header;
	s->payload = total > before ? total - before : 0;
	return 0;
}

/* read_timestamp looks for the option of RFC 7323 3. Like every function here
 * that is not static, it is verified by itself, for any segment: together they
 * would have more paths than the verifier walks. */
__noinline int read_timestamp(struct xdp_md *ctx, struct segment *s)
{
	__u32 at = sizeof(struct tcphdr);
	__u8 option[2];

	if (!s)
		return 0;
	for (int i = 0; i < MAX_OPTIONS; i++) {
		if (at + 2 > s->header || bpf_xdp_load_bytes(ctx, s->l4 + at, option, 2) || option[0] == TCPOPT_EOL)
			return 0;
		if (option[0] == TCPOPT_NOP) {
			at++;
			continue;
		}
		if (option[0] == TCPOPT_TIMESTAMP) {
			s->timed = option[1] == TCPOLEN_TIMESTAMP && at + TCPOLEN_TIMESTAMP <= s->header &&
				   !bpf_xdp_load_bytes(ctx, s->l4 + at + 2, s->timestamps, sizeof(s->timestamps));
			return 0;
		}
		if (option[1] < 2)
			return 0;
		at += option[1];
	}
	return 0;
}

/* after is the sequence number after the segment. */
static __always_inline __u32 after(const struct segment *s)
{
	return s->seq + s->payload + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
}

#endif
