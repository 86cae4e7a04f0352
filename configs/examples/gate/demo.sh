#!/bin/sh
# Shows the kernel gate at work: a client in a network namespace uses up its
# quota and goes on; the kernel takes over refusing it, and lets it in again. All
# of it happens in two namespaces and a temporary folder that are gone when the
# script ends. "make demo-gate" calls this, as root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$here/../../.." && pwd)/bin
PATH=$PATH:/usr/sbin:/sbin
if [ "$(id -u)" -ne 0 ]; then
	echo "the demonstration makes network namespaces and loads a program into the kernel: run it as root" >&2
	exit 1
fi
for tool in ip curl mount; do
	command -v "$tool" >/dev/null || { echo "the demonstration needs $tool" >&2; exit 1; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/tidegate-gate.XXXXXX")
host=tgdemo-host-$$ client=tgdemo-client-$$
export TIDEGATE_SOCKET="$work/control.sock"
gateway="" tracer="" flood=""

stop() {
	status=$?
	trap '' INT TERM HUP
	trap - EXIT
	for pid in $flood $tracer $gateway; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	ip netns del "$host" 2>/dev/null || true
	ip netns del "$client" 2>/dev/null || true
	umount "$work/bpf" 2>/dev/null || true
	rm -rf "$work"
	exit "$status"
}
trap stop EXIT
trap 'exit 0' INT TERM HUP

bold="" plain=""
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# A host and a client, with a cable between them.
ip netns add "$host"
ip netns add "$client"
ip -n "$host" link add tgdemo0 type veth peer name tgdemo1 netns "$client"
ip -n "$host" addr add 198.18.0.1/30 dev tgdemo0
ip -n "$client" addr add 198.18.0.2/30 dev tgdemo1
for n in "$host" "$client"; do ip -n "$n" link set lo up; done
ip -n "$host" link set tgdemo0 up
ip -n "$client" link set tgdemo1 up

mkdir "$work/bpf"
mount -t bpf bpf "$work/bpf"
cp "$here/tidegate.yaml" "$work/tidegate.yaml"
ip netns exec "$host" "$bin/tidegate" run --config "$work/tidegate.yaml" 2>"$work/log" &
gateway=$!
tries=100
until "$bin/tidegate" status >/dev/null 2>&1; do
	tries=$((tries - 1))
	if ! kill -0 "$gateway" 2>/dev/null || [ "$tries" -eq 0 ]; then
		cat "$work/log" >&2
		exit 1
	fi
	sleep 0.1
done
"$bin/tidegate" deploy "$here/limited.yaml" --stage prod >/dev/null
"$bin/tidegate" plans create demo --quota 5/day --stage limited:prod >/dev/null
key=$("$bin/tidegate" keys create demo --plan demo -q)

# ask does one request from the client and says who answered: only the gateway's
# own answers have an id.
ask() {
	ip netns exec "$client" curl -s -m 3 -o /dev/null -H "x-api-key: $key" \
		-w '%{http_code} %header{retry-after} %header{x-amzn-requestid}\n' "http://198.18.0.1:8080/prod/$1" |
		awk '{ by = NF > 2 || ($1 == 200 && NF > 1) ? "the gateway" : "the kernel"; after = $1 == 429 ? ", come back in " $2 " s" : ""; print "  " $1 " by " by after }'
}

say "The gate is on the host's end of the cable:"
"$bin/tidegate" gate

say "A client with a quota of 5 requests a day sends 40, each on a connection of its own:"
"$bin/tidegate" gate trace >"$work/trace" 2>/dev/null &
tracer=$!
i=0
while [ "$i" -lt 40 ]; do
	ask quote
	i=$((i + 1))
done | uniq -c

say "It is shut out, in the kernel, until its sentence is over:"
"$bin/tidegate" gate list

say "What the kernel saw and did (tidegate gate trace):"
tail -n 4 "$work/trace"

say "The client goes on; the counters of three seconds (tidegate gate stats --watch):"
while :; do ask quote; done >/dev/null 2>&1 &
flood=$!
timeout 3 "$bin/tidegate" gate stats --watch | cat # which is no terminal, so nothing is wiped
kill "$flood" 2>/dev/null || true
wait "$flood" 2>/dev/null || true
flood=""

say "When the sentence is over, the client is served again:"
tries=30
until ask health | tee "$work/answer" | grep -q '200'; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || exit 1
	sleep 0.5
done
cat "$work/answer"

say "Done. The namespaces, the program and the folder are removed."
