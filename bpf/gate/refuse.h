/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How a condemned source is told, by the style of the listener it came to. */
#ifndef TIDEGATE_REFUSE
#define TIDEGATE_REFUSE

static __always_inline __u8 port_of(__be16 port)
{
	__u32 number = bpf_ntohs(port), index = number / 16;
	__u64 *entry = bpf_map_lookup_elem(&ports, &index);

	return entry ? *entry >> number % 16 * 4 & 15 : 0;
}

/* may_respond tells whether a listener on such a port may have that style. */
static __always_inline int may_respond(__u8 port)
{
	return port & PORT_ASK || port == 1 + RESPOND;
}

/* style_of returns the style of the listener that the packet came to, or -1. */
static __always_inline int style_of(const struct segment *s)
{
	struct listener key = { .port = s->flow.port, .family = s->flow.family };
	__u8 port = port_of(s->flow.port);
	enum style *style;

	if (port & PORT_ASK) {
		__builtin_memcpy(key.address, s->flow.destination, sizeof(key.address));
		style = bpf_map_lookup_elem(&listeners, &key);
		if (style)
			return *style;
	}
	return (port & PORT_STYLE) - 1;
}

enum owner { NOBODY, CONNECTION, LISTENER };

/* owner_of asks the host who would get the segment. A connection was open before
 * its source was condemned, since none was let in after. One that only waits for
 * its last segments (TIME_WAIT) owns nothing: its client may use the port again,
 * and the host would send the new connection's segments astray. */
static __always_inline enum owner owner_of(struct xdp_md *ctx, const struct flow *f)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sock;
	__u32 state;

	if (f->family == AF_INET) {
		tuple.ipv4.saddr = f->source[0];
		tuple.ipv4.daddr = f->destination[0];
		tuple.ipv4.sport = f->source_port;
		tuple.ipv4.dport = f->port;
		sock = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, f->source, sizeof(f->source));
		__builtin_memcpy(tuple.ipv6.daddr, f->destination, sizeof(f->destination));
		tuple.ipv6.sport = f->source_port;
		tuple.ipv6.dport = f->port;
		sock = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	if (!sock)
		return NOBODY;
	state = sock->state;
	bpf_sk_release(sock);
	return state == BPF_TCP_LISTEN || state == BPF_TCP_TIME_WAIT ? LISTENER : CONNECTION;
}

/* A verdict is what becomes of the packet, and why. */
#define VERDICT(action, reason) ((action) << 8 | (reason))

static __always_inline int sent(int size, enum reason reason)
{
	return size < 0 ? VERDICT(XDP_DROP, DROP_FAILED) : VERDICT(XDP_TX, reason);
}

static __always_inline int reset(struct xdp_md *ctx, const struct segment *s, enum reason reason)
{
	struct reply r = { .flags = TCP_RST };

	/* As RFC 9293 3.5.2 has it. */
	if (s->flags & TCP_ACK) {
		r.seq = s->ack;
	} else {
		r.ack = after(s);
		r.flags |= TCP_ACK;
	}
	return sent(reply(ctx, s, &r), reason);
}

/* refuse_open is for a SYN. The cookie is of its numbers alone: no answer is longer
 * than the least segment that everybody takes. */
static __always_inline int refuse_open(struct xdp_md *ctx, struct segment *s, __u64 word)
{
	struct reply r = { .flags = TCP_SYN | TCP_ACK, .ack = s->seq + 1 };

	if (s->l4 + s->header > s->length)
		return VERDICT(XDP_DROP, DROP_FAILED);
	r.seq = make_cookie(s);
	remember(s, r.seq, word);
	if (s->timed == SEARCH)
		read_timestamp(ctx, s);
	return sent(reply(ctx, s, &r), s->sentenced ? COOKIE_SENTENCE : COOKIE_RULE);
}

/* refuse_stray is for a later segment that no connection here owns, and of a visitor
 * if he is remembered. To what fills no sequence space there is nothing to say: the
 * last step of a handshake, or the acknowledgement of an answer. Anything else that is
 * not the first data after a cookie has seen the answer already, WINDOW being what it
 * is. */
static __always_inline int refuse_stray(struct xdp_md *ctx, struct segment *s, struct visitor *v, __u64 word)
{
	struct reply r = { .seq = s->ack, .ack = after(s), .flags = TCP_ACK | TCP_FIN };
	enum reason reason = CLOSE;
	int size;

	if (!(s->flags & TCP_ACK) || after(s) == s->seq)
		return VERDICT(XDP_DROP, DROP_SILENT);
	if (s->payload && (v ? !v->answered : has_cookie(s))) {
		r.flags |= TCP_PSH;
		r.answer = 1 + (word >> MARK_ANSWER & 63);
		r.until = word >> MARK_UNTIL << MARK_UNIT;
		reason = s->sentenced ? ANSWER_SENTENCE : ANSWER_RULE;
	}
	if (s->timed == SEARCH)
		read_timestamp(ctx, s);
	size = reply(ctx, s, &r);
	if (v && size > 0) {
		v->seq = r.ack;
		v->ack = r.seq + size + 1; /* FIN */
		v->answered = 1;
	}
	return sent(size, reason);
}

/* refused returns the verdict on a segment of a condemned source. */
static __always_inline int refused(struct xdp_md *ctx, struct segment *s, struct visitor *v, __u64 word)
{
	int style = v ? RESPOND : style_of(s);
	enum owner owner;

	if (style < 0)
		return VERDICT(XDP_PASS, PASS_OTHER_PORT);
	if (!opens(s->flags)) {
		owner = v ? LISTENER : owner_of(ctx, &s->flow);
		if (owner != LISTENER)
			return VERDICT(XDP_PASS, owner == CONNECTION ? PASS_OPEN : PASS_NO_LISTENER);
		if (s->flags & TCP_RST)
			return VERDICT(XDP_DROP, DROP_SILENT);
	}
	if (style == RESET)
		return reset(ctx, s, s->sentenced ? RESET_SENTENCE : RESET_RULE);
	if (style != RESPOND)
		return VERDICT(XDP_DROP, s->sentenced ? DROP_SENTENCE : DROP_RULE);
	return opens(s->flags) ? refuse_open(ctx, s, word) : refuse_stray(ctx, s, v, word);
}

/* refuse is for a TCP packet of so many bytes, of a source that is condemned by what
 * has the word, or of a visitor. */
__noinline int refuse(struct xdp_md *ctx, __u32 length, __u32 sentenced, __u64 word, struct visitor *v)
{
	struct segment s = { .length = length, .sentenced = sentenced };
	int verdict = VERDICT(XDP_DROP, DROP_FAILED);

	if (!read_segment(ctx, &s))
		verdict = refused(ctx, &s, v, word);
	if (count(verdict & 0xff, length))
		report_source(ctx, &s.flow, length, verdict & 0xff);
	return verdict >> 8;
}

#endif
