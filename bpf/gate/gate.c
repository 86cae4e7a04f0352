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
#include "leave.h"

#include "maps.h"
#include "judge.h"
#include "segment.h"
#include "cookie.h"
#include "answer.h"
#include "reply.h"
#include "refuse.h"

static __always_inline __u8 port_of(__be16 port)
{
	__u32 number = bpf_ntohs(port), index = number / 16;
	__u64 *entry = bpf_map_lookup_elem(&ports, &index);

	return entry ? *entry >> number % 16 * 4 & 15 : 0;
}

SEC("xdp.frags")
int gate(struct xdp_md *ctx)
{
	__u32 length = bpf_xdp_get_buff_len(ctx);
	struct packet p = {};
	enum parsed parsed = parse(ctx, &p);
	struct segment s;
	struct rule *rule;
	enum reason pass;
	int sentenced, verdict;
	__u8 port = 0;

	if (parsed == NOT_IP)
		return leave(ctx, XDP_PASS, PASS_NOT_IP, length, 0, 0);
	if (parsed == MALFORMED)
		return leave(ctx, XDP_PASS, PASS_MALFORMED, length, 0, 0);
	if (parsed == NOT_TCP)
		return leave(ctx, XDP_PASS, PASS_NOT_TCP, length, 0, 0);
	if (parsed == TCP) {
		port = port_of(p.port);
		if (!port)
			return leave(ctx, XDP_PASS, PASS_OTHER_PORT, length, 0, 0);
	}

	rule = judge(&p, &sentenced, &pass);
	if (!rule)
		return leave(ctx, XDP_PASS, parsed == UNREADABLE && pass == PASS_CLEAN ? PASS_UNREADABLE : pass, length, 0, 0);

	p.note = rule->note;
	if (parsed == UNREADABLE)
		return leave(ctx, XDP_DROP, DROP_UNREADABLE, length, &p, 0);
	if (port == 1 + DROP && opens(p.flags)) /* as refuse would, but at once */
		return leave(ctx, XDP_DROP, sentenced ? DROP_SENTENCE : DROP_RULE, length, &p, 0);

	__builtin_memset(&s, 0, sizeof(s));
	s.length = length;
	s.port = port;
	s.sentenced = sentenced;
	if (read_segment(ctx, &s, &p))
		return leave(ctx, XDP_DROP, DROP_FAILED, length, &p, 0);
	verdict = refuse(ctx, &s, rule);
	return leave(ctx, verdict >> 8, verdict & 0xff, length, 0, &s.flow);
}

char _license[] SEC("license") = "Dual BSD/GPL";
