/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Is this source condemned? */
#ifndef TIDEGATE_JUDGE
#define TIDEGATE_JUDGE

#define STALE_AFTER (60ULL * 1000000000)
#define MAX_NESTED 8

/* lookup finds the longest prefix in force. An expired one hides a shorter one
 * that may not be, hence the search among shorter ones, as deep as MAX_NESTED. */
static __always_inline struct rule *lookup(void *trie, void *key, __u32 *bits)
{
	struct rule *r;

	for (int i = 0; i < MAX_NESTED; i++) {
		r = bpf_map_lookup_elem(trie, key);
		if (!r || !r->until || clock_now() < r->until)
			return r;
		if (!r->bits)
			return 0;
		*bits = r->bits - 1;
	}
	return 0;
}

static __always_inline int filtered(void *filter, __u32 bit)
{
	__u32 index = bit / 64;
	__u64 *bits = bpf_map_lookup_elem(filter, &index);

	return bits && *bits >> bit % 64 & 1;
}

static __always_inline struct rule *prefix4_of(__be32 source)
{
	struct prefix4 key = { .bits = 32, .address = source };

	if (!filtered(&filter4, bpf_ntohl(source) >> 8))
		return 0;
	return lookup(&prefixes4, &key, &key.bits);
}

static __always_inline struct rule *prefix6_of(const __be32 source[4])
{
	struct prefix6 key;

	if (!filtered(&filter6, bpf_ntohl(source[0]) * FILTER6_FACTOR >> (32 - FILTER6_BITS)))
		return 0;
	key.bits = 128;
	__builtin_memcpy(key.address, source, sizeof(key.address));
	return lookup(&prefixes6, &key, &key.bits);
}

static __always_inline struct rule *sentence_of(const struct packet *p)
{
	struct source key = {};

	if (p->family == AF_INET)
		key.words[1] = p->ip4->saddr;
	else
		__builtin_memcpy(key.words, p->ip6->saddr, sizeof(key.words));
	return bpf_map_lookup_elem(&sentences, &key);
}

/* judge returns the rule that condemns the source, or none and why it passes. */
static __always_inline struct rule *judge(const struct packet *p, int *sentenced, enum reason *pass)
{
	struct rule *r = p->family == AF_INET ? prefix4_of(p->ip4->saddr) : prefix6_of(p->ip6->saddr);
	struct control *c;
	__u32 zero = 0;
	__u64 now;

	*sentenced = 0;
	if (r) {
		*pass = PASS_ALLOWED;
		return r->allow ? 0 : r;
	}
	*pass = PASS_CLEAN;
	r = sentence_of(p);
	if (!r)
		return 0;
	now = clock_now();
	if (now >= r->until)
		return 0;
	c = bpf_map_lookup_elem(&control, &zero);
	/* Nobody is left to pardon the source. */
	if (!c || now > c->beat + STALE_AFTER) {
		*pass = PASS_STALE;
		return 0;
	}
	*sentenced = 1;
	return r;
}

#endif
