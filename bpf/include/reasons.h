/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Why a packet left the gate as it did. Append only: counters are pinned, and
 * another version of the daemon may read them. gate/reason.go names the same. */
#ifndef TIDEGATE_REASONS
#define TIDEGATE_REASONS

enum reason {
	/* passed */
	PASS_NOT_IP,
	PASS_MALFORMED,    /* no whole IP header, so no source to judge */
	PASS_NOT_TCP,
	PASS_OTHER_PORT,
	PASS_UNREADABLE,   /* no TCP header to read; the source is free */
	PASS_CLEAN,
	PASS_ALLOWED,      /* by an allow rule */
	PASS_STALE,        /* sentenced, but the daemon's heartbeat is too old */
	PASS_OPEN,         /* condemned; connection older than that */
	PASS_NO_LISTENER,  /* condemned; nothing here listens, so the host answers */
	/* dropped */
	DROP_UNREADABLE,   /* condemned, and no TCP header to read */
	DROP_RULE,
	DROP_SENTENCE,
	DROP_SILENT,       /* of a refused connection: nothing to say to it */
	DROP_FAILED,       /* no answer could be made */
	/* answered */
	RESET_RULE,
	RESET_SENTENCE,
	COOKIE_RULE,       /* a SYN cookie, so that the refusal can follow */
	COOKIE_SENTENCE,
	ANSWER_RULE,       /* the refusal */
	ANSWER_SENTENCE,
	CLOSE,             /* of a refused connection: acknowledged and closed */
	REASONS,
};

#endif
