/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Most packets need no more than a glance: nothing is known of their source, or it
 * is condemned beyond doubt. It never contradicts judge(). */
#ifndef TIDEGATE_GLANCE
#define TIDEGATE_GLANCE

#define LOOK_CLOSER 2 /* or a judgement */

/* beyond_doubt returns what a mark says, if that is the last word. */
static __always_inline int beyond_doubt(__u64 word, int condemned)
{
	__u64 until = word >> MARK_UNTIL;

	if (unlikely(!(word & MARK_KIND) || word & MARK_ALLOW))
		return LOOK_CLOSER;
	return likely(until == MARK_FOREVER || clock_now() >> MARK_UNIT < until) ? condemned : LOOK_CLOSER;
}

/* glance_rules4 and 6 return a judgement, and the word of the mark it is by. */
static __always_inline int glance_rules4(__be32 source, __u64 *word)
{
	__u64 lengths = lengths_of(&lengths4, bpf_ntohl(source) >> 8);
	__u32 length;

	for (int i = 0; unlikely(lengths) && i < 8; i++) {
		length = lengths & 0xff;
		if (length > 1 + 32)
			return LOOK_CLOSER;
		*word = mark_of(&prefix_marks, source & first4(length - 1), MARK_PREFIX4 + length - 1);
		if (*word)
			return beyond_doubt(*word, BY_RULE);
		lengths >>= 8;
	}
	return PASSES(PASS_CLEAN);
}

static __always_inline int glance_rules6(const __be32 source[4], __u64 *word)
{
	__u64 mask, lengths = lengths_of(&lengths6, bpf_ntohl(source[0]));
	__u32 length;

	for (int i = 0; unlikely(lengths) && i < 8; i++) {
		length = lengths & 0xff;
		if (length > 1 + 64)
			return LOOK_CLOSER;
		mask = first6(length - 1);
		*word = mark_of(&prefix_marks, pair(source[0] & bpf_htonl(mask >> 32), source[1] & bpf_htonl(mask)), MARK_PREFIX6 + length - 1);
		if (*word)
			return beyond_doubt(*word, BY_RULE);
		lengths >>= 8;
	}
	return PASSES(PASS_CLEAN);
}

static __always_inline int glance(const struct packet *p, __u64 *word)
{
	int seen = p->family == AF_INET ? glance_rules4(p->ip4->saddr, word) : glance_rules6(p->ip6->saddr, word);

	if (seen >= 0)
		return seen;
	*word = mark_of(&sentence_marks, p->family == AF_INET ? pair(0, p->ip4->saddr) : pair(p->ip6->saddr[0], p->ip6->saddr[1]),
			MARK_SENTENCE);
	if (!*word)
		return PASSES(PASS_CLEAN);
	return unlikely(clock_now() > control.beat + STALE_AFTER) ? LOOK_CLOSER : beyond_doubt(*word, BY_SENTENCE);
}

#endif
