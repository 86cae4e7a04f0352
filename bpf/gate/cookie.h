/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's own SYN cookies, so that a refusal only follows a handshake and
 * nobody is refused, or flooded, on behalf of a forged source. */
#ifndef TIDEGATE_COOKIE
#define TIDEGATE_COOKIE

/* make_cookie returns the initial sequence number to answer a SYN with, or a
 * negative number. Of the SYN only its numbers count: no answer is longer than
 * the least segment that everybody takes. */
static __always_inline long make_cookie(const struct segment *s)
{
	struct tcphdr tcp = { .source = s->flow.source_port, .dest = s->flow.port, .seq = bpf_htonl(s->seq), .doff_res = 5 << 4 };
	__s64 made;

	if (s->flow.family == AF_INET) {
		struct iphdr ip = { .saddr = s->flow.source[0], .daddr = s->flow.destination[0] };

		made = bpf_tcp_raw_gen_syncookie_ipv4(&ip, &tcp, sizeof(tcp));
	} else {
		struct ipv6hdr ip = {};

		__builtin_memcpy(ip.saddr, s->flow.source, sizeof(ip.saddr));
		__builtin_memcpy(ip.daddr, s->flow.destination, sizeof(ip.daddr));
		made = bpf_tcp_raw_gen_syncookie_ipv6(&ip, &tcp, sizeof(tcp));
	}
	return made < 0 ? made : made & 0xffffffff; /* above it is the MSS */
}

/* has_cookie tells whether the segment is the first after a cookie of ours, or
 * of the host's stack. */
static __always_inline int has_cookie(const struct segment *s)
{
	struct tcphdr tcp = {
		.source = s->flow.source_port, .dest = s->flow.port, .seq = bpf_htonl(s->seq), .ack_seq = bpf_htonl(s->ack), .flags = TCP_ACK,
	};

	if (s->flow.family == AF_INET) {
		struct iphdr ip = { .saddr = s->flow.source[0], .daddr = s->flow.destination[0] };

		return !bpf_tcp_raw_check_syncookie_ipv4(&ip, &tcp);
	} else {
		struct ipv6hdr ip = {};

		__builtin_memcpy(ip.saddr, s->flow.source, sizeof(ip.saddr));
		__builtin_memcpy(ip.daddr, s->flow.destination, sizeof(ip.daddr));
		return !bpf_tcp_raw_check_syncookie_ipv6(&ip, &tcp);
	}
}

#endif
