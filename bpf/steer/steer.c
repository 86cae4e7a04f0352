//go:build ignore

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// Which socket a new TCP connection gets, by the interface its SYN came in by.
// Runs whenever the kernel looks for a listening socket in the namespace.

#include "kernel.h"
#include "bpf_helpers.h"
#include "bpf_endian.h"

char _license[] SEC("license") = "Dual BSD/GPL";

// What became of a lookup at a private address. Append only: Go reads them by
// number.
enum verdict {
	STEERED,  // to a private socket
	REFUSED,  // the interface is not listed
	UNSERVED, // the interface is listed, but no socket is left
	PASSED,   // the interface is not listed, and public listeners share the address
	VERDICTS,
};

// An address as IPv6; IPv4 is mapped (::ffff:0:0/96), and so is its wildcard.
struct address {
	__be32 ip[4];
	__u32 port;
};

struct way {
	struct address to;
	__u32 ingress; // interface index
};

// The sockets of one binding lie beside each other.
struct target {
	__u32 counter;
	__u32 first;
	__u32 count;
};

struct door {
	__u32 counter;
	__u32 shared; // by public listeners
};

struct counts {
	__u64 of[VERDICTS];
};

#define MAX_SOCKETS 256 // of one binding

// Every map is filled before its program is attached, and has the size that
// its table needs: Go sets max_entries.

// A bit for each port with private listeners, so that all others cost nothing.
const volatile __u64 ports[1024];

// Addresses that have private listeners.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct address);
	__type(value, struct door);
} doors SEC(".maps");

// The interfaces that lead to them. The only map that changes in place, as
// interfaces come and go.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct way);
	__type(value, struct target);
} ways SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

// Bindings count what is steered and unserved, doors what is refused and passed.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} counters SEC(".maps");

// The one door out of a lookup that concerns a private address.
static __always_inline int leave(__u32 counter, enum verdict verdict)
{
	struct counts *counts = bpf_map_lookup_elem(&counters, &counter);

	if (counts)
		counts->of[verdict]++;
	return verdict == STEERED || verdict == PASSED ? SK_PASS : SK_DROP;
}

// The first socket that is still open stands for its SO_REUSEPORT group: the
// kernel picks the member, since BPF_SK_LOOKUP_F_NO_REUSEPORT is not given.
static __always_inline int serve(struct bpf_sk_lookup *ctx, const struct target *target)
{
	for (__u32 i = 0; i < MAX_SOCKETS && i < target->count; i++) {
		__u32 slot = target->first + i;
		struct bpf_sock *sk = bpf_map_lookup_elem(&sockets, &slot);
		long err;

		if (!sk)
			continue;
		// Replaces what a program attached before ours may have chosen.
		err = bpf_sk_assign(ctx, sk, BPF_SK_LOOKUP_F_REPLACE);
		bpf_sk_release(sk);
		if (!err)
			return leave(target->counter, STEERED);
	}
	return leave(target->counter, UNSERVED);
}

#define LOOPBACK_IFINDEX 1 // in every namespace

// Where the packet came in. The kernel says that a packet of this host to its
// own address came by the interface that has the address; it came by the
// loopback. That shows where the addresses are the same, as they are unless the
// process chose otherwise; what does not show meets the filter of the socket.
static __always_inline __u32 ingress(const struct bpf_sk_lookup *ctx)
{
	if (ctx->family == AF_INET ? ctx->remote_ip4 == ctx->local_ip4 :
	    ctx->remote_ip6[0] == ctx->local_ip6[0] && ctx->remote_ip6[1] == ctx->local_ip6[1] &&
	    ctx->remote_ip6[2] == ctx->local_ip6[2] && ctx->remote_ip6[3] == ctx->local_ip6[3])
		return LOOPBACK_IFINDEX;
	return ctx->ingress_ifindex;
}

SEC("sk_lookup")
int steer(struct bpf_sk_lookup *ctx)
{
	struct way way = { .to.port = ctx->local_port };
	__s64 passed = -1;

	if (ctx->protocol != IPPROTO_TCP)
		return SK_PASS;
	if (!(ports[way.to.port >> 6 & 1023] >> (way.to.port & 63) & 1))
		return SK_PASS;
	if (ctx->family == AF_INET) {
		way.to.ip[2] = bpf_htonl(0xffff);
		way.to.ip[3] = ctx->local_ip4;
	} else {
		way.to.ip[0] = ctx->local_ip6[0];
		way.to.ip[1] = ctx->local_ip6[1];
		way.to.ip[2] = ctx->local_ip6[2];
		way.to.ip[3] = ctx->local_ip6[3];
	}
	way.ingress = ingress(ctx);

	// The address itself first, then the wildcard of its family.
	for (int wild = 0; wild < 2; wild++) {
		struct target *target;
		struct door *door;

		if (wild) {
			way.to.ip[0] = way.to.ip[1] = way.to.ip[3] = 0;
			way.to.ip[2] = ctx->family == AF_INET ? bpf_htonl(0xffff) : 0;
		}
		door = bpf_map_lookup_elem(&doors, &way.to);
		if (!door)
			continue;
		target = bpf_map_lookup_elem(&ways, &way);
		if (target)
			return serve(ctx, target);
		if (!door->shared)
			return leave(door->counter, REFUSED);
		passed = door->counter;
	}
	return passed < 0 ? SK_PASS : leave(passed, PASSED);
}
