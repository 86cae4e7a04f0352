#!/bin/sh
# Serves the quick start: the example backend and the gateway, with API
# petstore deployed at stage prod. State is kept in a temporary folder that is
# gone when the script ends; Ctrl-C or SIGTERM ends it. "make run" calls this.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$here/../../.." && pwd)/bin
work=$(mktemp -d "${TMPDIR:-/tmp}/tidegate-quickstart.XXXXXX")
export TIDEGATE_SOCKET="$work/control.sock"
backend="" gateway=""

# Background processes of a script ignore Ctrl-C, so only this stops them: the
# gateway first, that its requests in flight still find the backend.
stop() {
	status=$?
	trap '' INT TERM HUP
	trap - EXIT
	for pid in $gateway $backend; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
	exit "$status"
}
trap stop EXIT
trap 'exit 0' INT TERM HUP

# until_ready NAME PID COMMAND... waits at most 10 s for COMMAND to succeed.
until_ready() {
	name=$1 pid=$2 tries=100
	shift 2
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -eq 0 ]; then
			echo "quick start: the $name did not start; its messages are above" >&2
			exit 1
		fi
		sleep 0.1
	done
}

"$bin/example-backend" -listen 127.0.0.1:8081 >"$work/backend.log" &
backend=$!
until_ready "example backend" "$backend" grep -q "example backend on" "$work/backend.log"

cp "$here/tidegate.yaml" "$work/tidegate.yaml"
"$bin/tidegate" run --config "$work/tidegate.yaml" &
gateway=$!
until_ready gateway "$gateway" "$bin/tidegate" status

"$bin/tidegate" deploy "$here/petstore.yaml" --stage prod --description "quick start"

cat <<EOF

Tidegate serves the petstore. Try, in another terminal:

  curl localhost:8080/prod/pets
  curl localhost:8080/prod/pets/2
  curl localhost:8080/prod/health
  curl localhost:9090/metrics

and look at it with the CLI:

  export TIDEGATE_SOCKET=$TIDEGATE_SOCKET
  bin/tidegate stages petstore

Ctrl-C stops it.
EOF
wait "$gateway"
