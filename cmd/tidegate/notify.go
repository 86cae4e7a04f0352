package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// notifier tells systemd about the daemon's state with the protocol of
// sd_notify(3). The zero notifier tells nobody.
type notifier struct {
	address string // of a datagram socket; "@name" is an abstract one
}

func newNotifier(getenv func(string) string) notifier {
	return notifier{getenv("NOTIFY_SOCKET")}
}

// send is best effort: a service manager that does not listen, or is too busy to,
// is no reason to stop serving.
func (n notifier) send(lines ...string) {
	if n.address == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.address, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetWriteDeadline(time.Now().Add(notifyTimeout))
	_, _ = conn.Write([]byte(strings.Join(lines, "\n")))
}

const notifyTimeout = time.Second

func (n notifier) ready(status string)  { n.send("READY=1", "STATUS="+status) }
func (n notifier) status(status string) { n.send("STATUS=" + status) }

// mainPID tells which process is the service's from now on.
func (n notifier) mainPID(pid int) { n.send("MAINPID=" + strconv.Itoa(pid)) }

func (n notifier) watchdog() { n.send("WATCHDOG=1") }

// reloading carries the monotonic time that systemd 253 asks for.
func (n notifier) reloading() {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	n.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
}

// stopping asks for as much time as the drain may take.
func (n notifier) stopping(drain time.Duration) {
	n.send("STOPPING=1", "STATUS=draining", fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", (drain+5*time.Second).Microseconds()))
}

// watchdogInterval returns how often systemd wants a sign of life, halved as
// sd_watchdog_enabled(3) advises, or 0 if it wants none.
func watchdogInterval(getenv func(string) string) time.Duration {
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || usec <= 0 {
		return 0
	}
	return time.Duration(usec) * time.Microsecond / 2
}
