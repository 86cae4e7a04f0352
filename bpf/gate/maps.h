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
	__u8 unused[2];
};

/* A prefix is looked up by its length and its bits, all others being 0: a trie is
 * a walk of some twenty steps instead, which is what floods are made for. */
struct prefix4 {
	__u32 bits;
	__be32 address;
};

struct prefix6 {
	__u32 bits;
	__be32 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 20);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix4);
	__type(value, struct rule);
} prefixes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 20);
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

/* Which lengths of prefixes there are on a network, an IPv4 /24 or an IPv6 /32, so
 * that most packets look nothing up, and the others what may be there. Networks
 * that share a slot share its lengths: one too many costs time, one too few would
 * cost a rule, so the daemon adds it before the prefix. */
#define SLOT_BITS 19
#define SLOT_FACTOR 0x9e3779b1u /* 2^32 / the golden ratio */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << SLOT_BITS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64); /* a byte for each length, and 1 more, the longest the lowest; 0 ends */
} lengths4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << SLOT_BITS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} lengths6 SEC(".maps");

#define SHORTER 255 /* instead of a length: each that is shorter than the one before */

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
