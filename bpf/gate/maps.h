/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the gate knows. The daemon writes, the program reads: no packet ever
 * makes an entry, so that no flood of them can push one out. */
#ifndef TIDEGATE_MAPS
#define TIDEGATE_MAPS

/* rule is what befalls a source: an operator's rule or a sentence. */
struct rule {
	__u64 until;  /* nanoseconds of CLOCK_MONOTONIC, 0 for ever */
	__u16 note;   /* why: an index into notes */
	__u16 set;    /* whose prefix: an index into notes, 0 the operator's */
	__u8 answer;  /* which of the answers */
	__u8 allow;
	__u8 bits;    /* prefix length */
	__u8 unused;
};

struct prefix4 {
	__u32 bits;
	__be32 address;
};

struct prefix6 {
	__u32 bits;
	__be32 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 21);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix4);
	__type(value, struct rule);
} prefixes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 21);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix6);
	__type(value, struct rule);
} prefixes6 SEC(".maps");

/* The key is the /64 of an IPv6 source. An IPv4 source is the last 32 of its 64
 * bits, the others being 0, which no IPv6 unicast network has (RFC 4291 2.4). */
struct source {
	__be32 words[2];
};

/* A plain hash: an LRU would evict the very sentences a flood is made of. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 18);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct source);
	__type(value, struct rule);
} sentences SEC(".maps");

/* Which networks the tries have anything on, so that packets of all others need
 * not walk them: a bit for each IPv4 /24, and for the hash of each IPv6 /32. A bit
 * too many costs time, a bit too few a rule: the daemon sets them before it adds a
 * prefix. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << (24 - 6));
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} filter4 SEC(".maps");

#define FILTER6_BITS 22
#define FILTER6_FACTOR 0x9e3779b1u /* 2^32 / the golden ratio */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << (FILTER6_BITS - 6));
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} filter6 SEC(".maps");

enum style { DROP, RESET, RESPOND };

/* Four bits a port, since every packet of the host asks. */
#define PORT_STYLE 7 /* 1 + the style of its listener of any address, 0 for none */
#define PORT_ASK 8   /* an address has a listener of its own, in listeners */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536 / 16);
	__type(key, __u32);
	__type(value, __u64);
} ports SEC(".maps");

struct listener {
	__be32 address[4];
	__be16 port;
	__u16 family;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct listener);
	__type(value, enum style);
} listeners SEC(".maps");

/* Only the daemon reads these: reasons and names of sets, in words. */
struct note {
	char text[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct note);
} notes SEC(".maps");

#endif
