//go:build linux

// Command replay puts the frames of a capture on an interface, as fast as it
// goes, or at a given rate. It needs root, and sends to nobody but who is at the
// other end: use it on a pair of virtual interfaces.
//
//	replay -interface tx0 -passes 5 mixed.pcap
//
// It reads a pcap of this machine's byte order into memory first. In each pass the
// addresses are others, so that connections are others too; checksums stay
// right. When all is sent it prints one line: packets, octets, seconds.
package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	name := flag.String("interface", "", "where to send")
	passes := flag.Int("passes", 1, "how often to send all of it")
	rate := flag.Int("rate", 0, "packets a second; 0: as fast as it goes")
	cpu := flag.Int("cpu", -1, "the only processor to run on; -1: any")
	flag.Parse()
	if err := run(*name, flag.Arg(0), *passes, *rate, *cpu); err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

func run(name, file string, passes, rate, cpu int) error {
	list, octets, err := load(file)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if cpu >= 0 {
		var set unix.CPUSet
		set.Set(cpu)
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			return fmt.Errorf("processor %d: %w", cpu, err)
		}
	}
	fd, err := open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	begin := time.Now()
	for n := range passes {
		if err := send(fd, list, rate, n > 0); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Printf("%d %d %.6f\n", passes*len(list), passes*octets, time.Since(begin).Seconds())
	return nil
}

// message is struct mmsghdr.
type message struct {
	head unix.Msghdr
	sent uint32
	_    uint32
}

// load makes a message of each frame of a capture.
func load(file string) (list []message, octets int, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, 0, err
	}
	const fileHeader, recordHeader = 24, 16
	if len(data) < fileHeader || binary.NativeEndian.Uint32(data) != 0xa1b2c3d4 && binary.NativeEndian.Uint32(data) != 0xa1b23c4d {
		return nil, 0, fmt.Errorf("%s: no pcap of this machine's byte order", file)
	}
	for at := fileHeader; at+recordHeader <= len(data); {
		n := int(binary.NativeEndian.Uint32(data[at+8:]))
		at += recordHeader
		if n == 0 || at+n > len(data) {
			return nil, 0, fmt.Errorf("%s: record %d is damaged", file, len(list)+1)
		}
		vector := &unix.Iovec{Base: &data[at]}
		vector.SetLen(n)
		m := message{head: unix.Msghdr{Iov: vector}}
		m.head.SetIovlen(1)
		list = append(list, m)
		at += n
		octets += n
	}
	return list, octets, nil
}

func open(name string) (int, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		return 0, err
	}
	const qdiscBypass = 20 // PACKET_QDISC_BYPASS: no queue between, so that nothing is lost in one
	err = unix.SetsockoptInt(fd, unix.SOL_PACKET, qdiscBypass, 1)
	return fd, errors.Join(err, unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: i.Index}))
}

// together is how many frames go with one system call (sendmmsg(2)).
const together = 64

// send sends all frames, of other addresses than the last time if they are to be.
func send(fd int, list []message, rate int, others bool) error {
	begin, sent, moved := time.Now(), 0, 0
	for sent < len(list) {
		if rate > 0 {
			time.Sleep(time.Until(begin.Add(time.Duration(float64(sent) / float64(rate) * 1e9))))
		}
		end := min(sent+together, len(list))
		for ; others && moved < end; moved++ {
			move(list[moved].frame())
		}
		n, _, err := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&list[sent])), uintptr(end-sent), 0, 0, 0)
		switch {
		case err == 0:
			sent += int(n)
		case err != unix.ENOBUFS && err != unix.EINTR && err != unix.EAGAIN: // those are tried again
			return fmt.Errorf("frame %d: %w", sent+1, err)
		}
	}
	return nil
}

func (m *message) frame() []byte { return unsafe.Slice(m.head.Iov.Base, m.head.Iov.Len) }

// move changes both addresses of an IP packet behind any tags, both in the same
// way, so that the directions of a connection still meet.
func move(frame []byte) {
	const tag = 4
	at := 12
	for at+tag <= len(frame) && (frame[at] == 0x81 || frame[at] == 0x88 && frame[at+1] == 0xa8) {
		at += tag
	}
	if at+2 > len(frame) {
		return
	}
	ip := frame[at+2:]
	switch kind := binary.BigEndian.Uint16(frame[at:]); {
	case kind == 0x0800 && len(ip) >= 20:
		shift(ip[12:16])
		shift(ip[16:20])
	case kind == 0x86dd && len(ip) >= 40:
		shift(ip[20:24])
		shift(ip[36:40])
	}
}

// shift moves one from a word to the one before: the sum of both stays, and with it
// every checksum over them. It is ones' complement (RFC 1071): behind 0xffff comes
// 1, before 0 stands 0xfffe. So every pass has other addresses, the lowest too.
func shift(b []byte) {
	high, low := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	if high++; high == 0 {
		high = 1
	}
	if low--; low == 0xffff {
		low = 0xfffe
	}
	binary.BigEndian.PutUint16(b, high)
	binary.BigEndian.PutUint16(b[2:], low)
}
