/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What most packets have to know of a rule or a sentence, in one cache line: a look
 * into the maps is several, and a dozen function calls. The daemon keeps a mark for
 * each, until a bucket is crowded; then it says so, and the maps are asked. Rules on
 * more than 64 bits have none. */
#ifndef TIDEGATE_MARKS
#define TIDEGATE_MARKS

struct mark {
	__u64 key;  /* of IPv4 its 32 bits, of IPv6 the first 64 */
	__u64 word; /* its kind, the flags, the answer, and when it ends */
};

#define MARK_KIND 0xff  /* 0: nothing */
#define MARK_SENTENCE 1
#define MARK_PREFIX4 1  /* and the length */
#define MARK_PREFIX6 64 /* and the length */
#define MARK_ALLOW 0x100
#define MARK_CROWDED 0x200 /* in the first of a bucket, and about all of it */
#define MARK_ANSWER 10     /* which of the answers, in 6 bits */
#define MARK_UNTIL 16
#define MARK_UNIT 14       /* an end is in units of 2^14 ns */
#define MARK_FOREVER 0xffffffffffff

#define MARKS 4 /* 64 bytes */
#define BUCKET_BITS 16
#define MARK_FACTOR 0x9e3779b97f4a7c15 /* 2^64 / the golden ratio */

struct bucket {
	struct mark marks[MARKS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << BUCKET_BITS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bucket);
} prefix_marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << BUCKET_BITS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bucket);
} sentence_marks SEC(".maps");

/* word_of is the word of a rule, without its kind. */
static __always_inline __u64 word_of(const struct rule *r)
{
	__u64 until = r->until ? r->until >> MARK_UNIT : MARK_FOREVER;

	return until << MARK_UNTIL | (__u64)r->answer << MARK_ANSWER;
}

/* mark_of returns the word of a mark, 0 if there is none, or MARK_CROWDED if it
 * takes a look into the maps to know. */
static __always_inline __u64 mark_of(void *marks, __u64 key, __u64 kind)
{
	__u32 index = (key ^ kind << 32) * MARK_FACTOR >> (64 - BUCKET_BITS);
	struct bucket *b = bpf_map_lookup_elem(marks, &index);

	if (unlikely(!b))
		return MARK_CROWDED;
#pragma unroll
	for (int i = 0; i < MARKS; i++) {
		if (b->marks[i].key == key && (b->marks[i].word & MARK_KIND) == kind)
			return b->marks[i].word;
	}
	return b->marks[0].word & MARK_CROWDED;
}

#endif
