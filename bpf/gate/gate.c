//go:build ignore

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The gate: packets of condemned sources to the gateway's ports are dropped,
 * reset or answered before the host spends a socket on them. Everything else
 * passes untouched. */
#include "kernel.h"

#include "bpf_endian.h"
#include "bpf_helpers.h"

#include "reasons.h"
#include "clock.h"
#include "parse.h"
#include "count.h"

#include "maps.h"
#include "marks.h"
#include "judge.h"
#include "glance.h"
#include "report.h"
#include "segment.h"
#include "cookie.h"
#include "visitor.h"
#include "answer.h"
#include "reply.h"
#include "refuse.h"

static __always_inline int passed(enum reason reason, __u32 length)
{
	count(reason, length);
	return XDP_PASS;
}

static __always_inline int dropped(struct xdp_md *ctx, enum reason reason, __u32 length)
{
	if (unlikely(count(reason, length)))
		report_frame(ctx, length, reason);
	return XDP_DROP;
}

static __always_inline int unreadable(struct xdp_md *ctx, __u32 length)
{
	__u64 word = 0;
	int judgement = look_closer(ctx, &word);

	if (judgement >= 0)
		return dropped(ctx, DROP_UNREADABLE, length);
	return passed(judgement == PASSES(PASS_CLEAN) ? PASS_UNREADABLE : PASS_REASON(judgement), length);
}

static __always_inline int decide(struct xdp_md *ctx, const struct packet *p, enum parsed parsed, __u32 length)
{
	int judgement, bare;
	struct visitor *v;
	__u64 word = 0;
	__u8 port;

	if (unlikely(parsed == MALFORMED))
		return passed(PASS_MALFORMED, length);
	if (unlikely(parsed == NOT_TCP))
		return passed(PASS_NOT_TCP, length);
	if (unlikely(parsed == UNREADABLE))
		return unreadable(ctx, length);
	port = port_of(p->port);
	if (unlikely(!port))
		return passed(PASS_OTHER_PORT, length);
	if (may_respond(port) && !opens(p->flags)) {
		v = visitor_of(p, &bare);
		if (v)
			return bare ? dropped(ctx, DROP_SILENT, length) : refuse(ctx, length, v->sentenced, v->word, v);
	}
	judgement = glance(p, &word);
	if (unlikely(judgement == LOOK_CLOSER))
		judgement = look_closer(ctx, &word);
	if (judgement < 0)
		return passed(PASS_REASON(judgement), length);
	if (port == 1 + DROP && opens(p->flags)) /* as refuse would, but at once */
		return dropped(ctx, judgement == BY_RULE ? DROP_RULE : DROP_SENTENCE, length);
	return refuse(ctx, length, judgement == BY_SENTENCE, word, 0);
}

SEC("xdp.frags")
int gate(struct xdp_md *ctx)
{
	__u32 length = bpf_xdp_get_buff_len(ctx);
	struct packet p = {};
	void *at;
	__be16 type = parse_ethernet(ctx, &p, &at);

	if (type == bpf_htons(ETH_P_IP))
		return decide(ctx, &p, parse_ip4(ctx, &p, at), length);
	if (type == bpf_htons(ETH_P_IPV6))
		return decide(ctx, &p, parse_ip6(ctx, &p, at), length);
	return passed(PASS_NOT_IP, length);
}

char _license[] SEC("license") = "Dual BSD/GPL";
