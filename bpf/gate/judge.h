/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Is this source condemned? */
#ifndef TIDEGATE_JUDGE
#define TIDEGATE_JUDGE

#define STALE_AFTER (60ULL * 1000000000)

static __always_inline __u64 lengths_of(void *lengths, __u32 network)
{
	__u32 slot = network * SLOT_FACTOR >> (32 - SLOT_BITS);
	__u64 *found = bpf_map_lookup_elem(lengths, &slot);

	return found ? *found : 0;
}

/* first4 and first6 are masks of the first bits of an address. */
static __always_inline __be32 first4(__u32 bits)
{
	return bpf_htonl(0xffffffff00000000 >> bits);
}

static __always_inline __u64 first6(__u32 bits)
{
	return bits < 64 ? ~(~0ULL >> bits) : ~0ULL;
}

static __always_inline __u64 pair(__be32 first, __be32 second)
{
	return first | (__u64)second << 32;
}

static __always_inline int in_force(const struct rule *r)
{
	return !r->until || clock_now() < r->until;
}

static __always_inline struct rule *rule4(__be32 source, __u32 bits)
{
	struct prefix4 key = { .bits = bits, .address = source & first4(bits) };
	struct rule *r = bpf_map_lookup_elem(&prefixes4, &key);

	return r && in_force(r) ? r : 0;
}

static __always_inline struct rule *rule6(const __be32 source[4], __u32 bits)
{
	__u64 high = first6(bits), low = bits > 64 ? first6(bits - 64) : 0;
	struct prefix6 key = { .bits = bits };
	struct rule *r;

	key.address[0] = source[0] & bpf_htonl(high >> 32);
	key.address[1] = source[1] & bpf_htonl(high);
	key.address[2] = source[2] & bpf_htonl(low >> 32);
	key.address[3] = source[3] & bpf_htonl(low);
	r = bpf_map_lookup_elem(&prefixes6, &key);
	return r && in_force(r) ? r : 0;
}

/* shorter4 returns the next of all lengths below that has a rule in force, 1
 * added. That a slot has more lengths than fit is rare. */
__noinline int shorter4(__be32 source, __u32 length)
{
	for (int i = 0; i < 32; i++) {
		if (!--length || length > 32)
			return 0;
		if (rule4(source, length - 1))
			return length;
	}
	return 0;
}

__noinline int shorter6(const struct flow *f, __u32 length)
{
	if (!f)
		return 0;
	for (int i = 0; i < 128; i++) {
		if (!--length || length > 128)
			return 0;
		if (rule6(f->source, length - 1))
			return length;
	}
	return 0;
}

/* prefix4_of returns the rule of the longest prefix in force, or none. */
static __always_inline struct rule *prefix4_of(__be32 source)
{
	__u64 lengths = lengths_of(&lengths4, bpf_ntohl(source) >> 8);
	__u32 length = 0, next;
	struct rule *r;

	for (int i = 0; lengths && i < 8; i++) {
		next = lengths & 0xff;
		lengths >>= 8;
		length = next == SHORTER ? shorter4(source, length) : next;
		if (!length || length > 1 + 32)
			return 0;
		r = rule4(source, length - 1);
		if (r)
			return r;
	}
	return 0;
}

static __always_inline struct rule *prefix6_of(const struct flow *f)
{
	__u64 lengths = lengths_of(&lengths6, bpf_ntohl(f->source[0]));
	__u32 length = 0, next;
	struct rule *r;

	for (int i = 0; lengths && i < 8; i++) {
		next = lengths & 0xff;
		lengths >>= 8;
		length = next == SHORTER ? shorter6(f, length) : next;
		if (!length || length > 1 + 128)
			return 0;
		r = rule6(f->source, length - 1);
		if (r)
			return r;
	}
	return 0;
}

static __always_inline struct rule *sentence_of(const struct flow *f)
{
	struct source key = {};

	if (f->family == AF_INET)
		key.words[1] = f->source[0];
	else
		__builtin_memcpy(key.words, f->source, sizeof(key.words));
	return bpf_map_lookup_elem(&sentences, &key);
}

/* A judgement is by what a source is condemned, or, below 0, why it passes. */
enum { BY_RULE, BY_SENTENCE };
#define PASSES(reason) (~(int)(reason))
#define PASS_REASON(judgement) (~(judgement))

/* judge returns a judgement, and copies the rule if there is one. */
__noinline int judge(const struct flow *f, struct rule *copy)
{
	struct rule *r;
	__u64 now;

	if (!f || !copy)
		return PASSES(PASS_CLEAN);
	r = f->family == AF_INET ? prefix4_of(f->source[0]) : prefix6_of(f);
	if (r) {
		*copy = *r;
		return r->allow ? PASSES(PASS_ALLOWED) : BY_RULE;
	}
	r = sentence_of(f);
	if (!r)
		return PASSES(PASS_CLEAN);
	*copy = *r;
	now = clock_now();
	if (now >= r->until)
		return PASSES(PASS_CLEAN);
	/* Nobody is left to pardon the source. */
	return now > control.beat + STALE_AFTER ? PASSES(PASS_STALE) : BY_SENTENCE;
}

/* look_closer judges the source of a frame, which is read anew: to keep more of it
 * at hand would slow down all the packets that a glance is enough for. It returns
 * the word of the rule too. */
__noinline int look_closer(struct xdp_md *ctx, __u64 *word)
{
	struct packet p = {};
	struct rule rule = {};
	struct flow f = {};
	int judgement;

	parse(ctx, &p);
	if (!p.family || !word)
		return PASSES(PASS_MALFORMED);
	read_flow(&f, &p);
	judgement = judge(&f, &rule);
	*word = word_of(&rule);
	return judgement;
}

#endif
