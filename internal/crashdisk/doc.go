// Package crashdisk finds out what a program leaves on disk when the power goes
// at any moment. For tests alone.
//
// [Record] runs a program under strace and keeps every call that changes a file
// or a folder, in order. [Recording.Crashes] then goes through the moments of that
// run and makes the folders that a crash at each of them may have left.
//
// # What a crash leaves
//
// What was synced is there. Of what was written since, each write may be there,
// not at all, or in part, by sectors of 512 bytes, and in any order; a file that
// grew may have zeros where its bytes should be. A new, renamed or removed name is
// certain once its folder was synced, and may be there or not before, each for
// itself. This is what POSIX promises, and less than ext4, XFS or btrfs do.
//
// What a failed sync was to make durable may be there or not for ever, also after
// syncs that succeed: that is how Linux has it.
//
// A call that was under way counts as one that may have had effect. A sync covers
// only what had returned before it began.
package crashdisk
