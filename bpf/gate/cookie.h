/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's own SYN cookies, so that a refusal only follows a handshake and
 * nobody is refused, or flooded, on behalf of a forged source. */
#ifndef TIDEGATE_COOKIE
#define TIDEGATE_COOKIE

/* make_cookie returns the initial sequence number to answer a SYN with, or a
 * negative number. */
__noinline long make_cookie(struct xdp_md *ctx, const struct segment *s)
{
	__u8 tcp[60] = {};
	struct iphdr four;
	struct ipv6hdr six;
	__u32 size;
	__s64 made;

	if (!s)
		return -1;
	size = s->header;
	if (size < sizeof(struct tcphdr) || size > sizeof(tcp) || bpf_xdp_load_bytes(ctx, s->l4, tcp, size))
		return -1;
	if (s->flow.family == AF_INET) {
		if (bpf_xdp_load_bytes(ctx, s->l3, &four, sizeof(four)))
			return -1;
		made = bpf_tcp_raw_gen_syncookie_ipv4(&four, (struct tcphdr *)tcp, size);
	} else {
		if (bpf_xdp_load_bytes(ctx, s->l3, &six, sizeof(six)))
			return -1;
		made = bpf_tcp_raw_gen_syncookie_ipv6(&six, (struct tcphdr *)tcp, size);
	}
	return made < 0 ? made : made & 0xffffffff; /* above it is the MSS */
}

/* has_cookie tells whether the segment is the first after a cookie of ours, or
 * of the host's stack. */
__noinline int has_cookie(struct xdp_md *ctx, const struct segment *s)
{
	struct tcphdr tcp;
	struct iphdr four;
	struct ipv6hdr six;

	if (!s || !(s->flags & TCP_ACK) || bpf_xdp_load_bytes(ctx, s->l4, &tcp, sizeof(tcp)))
		return 0;
	if (s->flow.family == AF_INET)
		return !bpf_xdp_load_bytes(ctx, s->l3, &four, sizeof(four)) &&
		       !bpf_tcp_raw_check_syncookie_ipv4(&four, &tcp);
	return !bpf_xdp_load_bytes(ctx, s->l3, &six, sizeof(six)) &&
	       !bpf_tcp_raw_check_syncookie_ipv6(&six, &tcp);
}

#endif
