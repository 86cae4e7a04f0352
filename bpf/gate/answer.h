/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The canned HTTP answers. gate/answer.go writes them when it loads the program. */
#ifndef TIDEGATE_ANSWER
#define TIDEGATE_ANSWER

#define ANSWERS 5
#define MAX_ANSWER 400
#define DIGITS 8
#define MAX_SECONDS 99999999

struct answer {
	__u32 length;
	__u32 seconds; /* offset of the DIGITS bytes of Retry-After, even; 0 none */
	__u64 sum;     /* of the text as 16-bit words, those DIGITS as zeros */
	char text[MAX_ANSWER];
};

/* Not constant: helpers of kernels before 6.2 refuse to read constants. */
struct answer answers[ANSWERS] SEC(".data.answers");

/* write_seconds writes until when, in whole seconds from now, rounded up but for
 * what the clock lags behind, at least 1, and padded with spaces on the left,
 * which HTTP allows there (RFC 9110 5.5). */
static __always_inline void write_seconds(char text[DIGITS], __u64 until)
{
	__u64 now = clock_now();
	__u64 tenth, left = until > now ? (until - now + 1000000000 - CLOCK_LAG) / 1000000000 : 1;

	if (!left)
		left = 1;
	if (left > MAX_SECONDS)
		left = MAX_SECONDS;
#pragma unroll
	for (int i = DIGITS - 1; i >= 0; i--) {
		tenth = (left * 0xcccccccd) >> 35; /* left / 10, of 32 bits */
		text[i] = left ? '0' + left - tenth * 10 : ' ';
		left = tenth;
	}
}

#endif
