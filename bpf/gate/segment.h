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
	__u8 timed;       /* or SEARCH for read_timestamp to find out */
	__u8 flags;
	__u8 sentenced;   /* else it is a rule that condemns the source */
};

#define SEARCH 2

static __always_inline void read_header(struct segment *s, const struct tcphdr *tcp)
{
	s->header = (tcp->doff_res >> 4) * 4;
	s->seq = bpf_ntohl(tcp->seq);
	s->ack = bpf_ntohl(tcp->ack_seq);
	s->flags = tcp->flags;
	s->timed = s->header > sizeof(*tcp) ? SEARCH : 0;
}

/* read_plain reads a header that follows IP's at once, and its timestamps where
 * nearly all stacks have them: behind two NOPs, or in a SYN as the third option. */
static __always_inline int read_plain(struct segment *s, const struct tcphdr *tcp, const void *end)
{
	const __be32 *options = (void *)(tcp + 1);

	if ((void *)(tcp + 1) > end)
		return -1;
	read_header(s, tcp);
	if (s->header >= 32 && (void *)(options + 3) <= end &&
	    options[0] == bpf_htonl(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 | TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP)) {
		s->timed = 1;
		s->timestamps[0] = options[1];
		s->timestamps[1] = options[2];
	} else if (s->header >= 36 && (void *)(options + 4) <= end &&
		   (options[0] & bpf_htonl(0xffff0000)) == bpf_htonl(TCPOPT_MSS << 24 | TCPOLEN_MSS << 16) &&
		   options[1] == bpf_htonl(TCPOPT_SACK_PERM << 24 | TCPOLEN_SACK_PERM << 16 | TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP)) {
		s->timed = 1;
		s->timestamps[0] = options[2];
		s->timestamps[1] = options[3];
	}
	return 0;
}

static __always_inline int read_copy(struct xdp_md *ctx, struct segment *s, __u32 at)
{
	struct tcphdr tcp;

	if (bpf_xdp_load_bytes(ctx, at, &tcp, sizeof(tcp)))
		return -1;
	read_header(s, &tcp);
	return 0;
}

/* read_segment reads a frame of so many bytes anew, as its fate is rare enough. It
 * returns 0 for a TCP segment. The frame's length counts where IP does not say how
 * long the segment is: in merged ones over 64 KiB. Like every function here that
 * is not static, it is verified by itself: together they would have more paths
 * than the verifier walks. */
__noinline int read_segment(struct xdp_md *ctx, struct segment *s)
{
	struct packet p = {};
	__u32 total, before;
	int failed;

	if (!s || parse(ctx, &p) != TCP)
		return -1;
	read_flow(&s->flow, &p);
	s->l3 = p.l3;
	s->l4 = p.l4;
	if (p.family == AF_INET) {
		total = bpf_ntohs(p.ip4->tot_len);
		failed = p.l4 == p.l3 + sizeof(*p.ip4) ? read_plain(s, (void *)(p.ip4 + 1), p.end) : read_copy(ctx, s, p.l4);
	} else {
		total = bpf_ntohs(p.ip6->payload_len);
		if (total)
			total += sizeof(*p.ip6);
		failed = p.l4 == p.l3 + sizeof(*p.ip6) ? read_plain(s, (void *)(p.ip6 + 1), p.end) : read_copy(ctx, s, p.l4);
	}
	if (failed)
		return -1;
	if (!total)
		total = s->length - p.l3;
	before = p.l4 - p.l3 + s->header;
	s->payload = total > before ? total - before : 0;
	return 0;
}

/* read_timestamp looks for the option of RFC 7323 3. */
__noinline int read_timestamp(struct xdp_md *ctx, struct segment *s)
{
	__u32 at = sizeof(struct tcphdr);
	__u8 option[2];

	if (!s)
		return 0;
	s->timed = 0;
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
