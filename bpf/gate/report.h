/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Tells people which source was refused, and why. Hardly any packet is told of, so
 * that what it takes is found out anew. */
#ifndef TIDEGATE_REPORT
#define TIDEGATE_REPORT

/* report_source reports a packet of a condemned source, and why it is. */
__noinline int report_source(struct xdp_md *ctx, struct flow *f, __u32 length, enum reason reason)
{
	struct rule rule = {};

	if (!f)
		return 0;
	judge(f, &rule);
	f->note = rule.note;
	return report(ctx, f, length, reason);
}

/* report_frame is report_source before the frame has been changed. */
__noinline int report_frame(struct xdp_md *ctx, __u32 length, enum reason reason)
{
	struct packet p = {};
	struct flow f = {};

	parse(ctx, &p);
	if (!p.family)
		return 0;
	read_flow(&f, &p);
	return report_source(ctx, &f, length, reason);
}

#endif
