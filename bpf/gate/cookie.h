/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* SYN cookies, so that a refusal only follows a handshake and nobody is refused, or
 * flooded, on behalf of a forged source. Not the kernel's own: those take longer, are
 * not exact since they hold a segment size too, and nobody but the gate has to know
 * the cookies of what it refuses. */
#ifndef TIDEGATE_COOKIE
#define TIDEGATE_COOKIE

#define COOKIE_UNIT 36 /* a cookie holds for one to two times 2^36 ns, 69 s */

struct cookie_key {
	__u64 words[2];
};

/* Random numbers of the daemon's, which outlive it as the connections do. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cookie_key);
} cookie_keys SEC(".maps");

/* SipHash-2-4 of 64-bit words (Aumasson and Bernstein, 2012). */
struct sip {
	__u64 a, b, c, d;
};

static __always_inline __u64 rotate(__u64 word, __u32 bits)
{
	return word << bits | word >> (64 - bits);
}

static __always_inline void sip_round(struct sip *v)
{
	v->a += v->b;
	v->b = rotate(v->b, 13) ^ v->a;
	v->a = rotate(v->a, 32);
	v->c += v->d;
	v->d = rotate(v->d, 16) ^ v->c;
	v->a += v->d;
	v->d = rotate(v->d, 21) ^ v->a;
	v->c += v->b;
	v->b = rotate(v->b, 17) ^ v->c;
	v->c = rotate(v->c, 32);
}

static __always_inline void sip_add(struct sip *v, __u64 word)
{
	v->d ^= word;
	sip_round(v);
	sip_round(v);
	v->a ^= word;
}

/* cookie_of returns the sequence number to answer a SYN with that has seq, at a
 * time in units. */
static __always_inline __u32 cookie_of(const struct cookie_key *k, const struct flow *f, __u32 seq, __u32 time)
{
	struct sip v = {
		k->words[0] ^ 0x736f6d6570736575, k->words[1] ^ 0x646f72616e646f6d,
		k->words[0] ^ 0x6c7967656e657261, k->words[1] ^ 0x7465646279746573,
	};

	if (f->family == AF_INET6) {
		sip_add(&v, pair(f->source[0], f->source[1]));
		sip_add(&v, pair(f->source[2], f->source[3]));
		sip_add(&v, pair(f->destination[0], f->destination[1]));
		sip_add(&v, pair(f->destination[2], f->destination[3]));
	} else {
		sip_add(&v, pair(f->source[0], f->destination[0]));
	}
	sip_add(&v, (__u64)f->source_port << 48 | (__u64)f->port << 32 | seq);
	sip_add(&v, (__u64)f->family << 32 | time); /* instead of the length, which the family says */
	v.c ^= 0xff;
	sip_round(&v);
	sip_round(&v);
	sip_round(&v);
	sip_round(&v);
	return v.a ^ v.b ^ v.c ^ v.d;
}

static __always_inline const struct cookie_key *key_of_cookies(void)
{
	__u32 index = 0;

	return bpf_map_lookup_elem(&cookie_keys, &index);
}

/* make_cookie returns the initial sequence number to answer a SYN with. */
static __always_inline __u32 make_cookie(const struct segment *s)
{
	const struct cookie_key *k = key_of_cookies();

	return k ? cookie_of(k, &s->flow, s->seq, clock_now() >> COOKIE_UNIT) : 0;
}

/* has_cookie tells whether the segment is the first after a cookie. */
__noinline int has_cookie(const struct segment *s)
{
	const struct cookie_key *k = key_of_cookies();
	__u32 time = clock_now() >> COOKIE_UNIT;

	if (!s || !k)
		return 0;
	return s->ack - 1 == cookie_of(k, &s->flow, s->seq - 1, time) || s->ack - 1 == cookie_of(k, &s->flow, s->seq - 1, time - 1);
}

#endif
