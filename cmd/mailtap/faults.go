//go:build faults

package main

import (
	"bytes"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/stream"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// faults make go wrong, by chance, what goes wrong once in years: packets, memory
// and disks. Rates are from 0 to 1; the same seed gives the same faults where one
// goroutine asks.
type faults struct {
	seed                                uint64
	drop, corrupt, delay, pages, writes float64
	asked                               atomic.Uint64
	dropped, corrupted, delayed, noPage atomic.Uint64
	unwritten                           atomic.Uint64
}

func (f *faults) flags(flags *pflag.FlagSet) {
	flags.Uint64Var(&f.seed, "faults.seed", 1, "of the faults' chance")
	for name, rate := range map[string]*float64{
		"packet-drop": &f.drop, "packet-corrupt": &f.corrupt, "packet-delay": &f.delay, "page-alloc": &f.pages, "write": &f.writes,
	} {
		flags.Float64Var(rate, "faults."+name, 0, "rate of it, 0 to 1")
	}
	flags.VisitAll(func(f *pflag.Flag) { f.Hidden = f.Hidden || len(f.Name) > 7 && f.Name[:7] == "faults." })
}

// start is called once the flags are read.
func (f *faults) start() {
	if f.pages > 0 {
		stream.FailPages(func() bool { return f.chance(f.pages, &f.noPage) })
	}
}

// roll is a number by chance (splitmix64).
func (f *faults) roll() uint64 {
	n := (f.seed + f.asked.Add(1)) * 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

func (f *faults) chance(rate float64, count *atomic.Uint64) bool {
	if rate <= 0 || float64(f.roll()>>11)/(1<<53) >= rate {
		return false
	}
	count.Add(1)
	return true
}

// write says why the next write fails.
func (f *faults) write() func() error {
	return func() error {
		if f.chance(f.writes, &f.unwritten) {
			return &fs.PathError{Op: "write", Path: "fault", Err: syscall.ENOSPC}
		}
		return nil
	}
}

func (f *faults) tell(log *slog.Logger) {
	log.Warn("faults were made", "packets_dropped", f.dropped.Load(), "packets_corrupted", f.corrupted.Load(), "packets_delayed", f.delayed.Load(),
		"pages", f.noPage.Load(), "writes", f.unwritten.Load())
}

// faultyFile is a file of records on a bad disk: a write may leave a part.
type faultyFile struct {
	*recordlog.LogFile
	faults *faults
}

func (f *faults) file(file *recordlog.LogFile) logFiles { return &faultyFile{file, f} }

func (f *faultyFile) Write(p []byte) (int, error) {
	err := f.faults.write()()
	if err == nil {
		return f.LogFile.Write(p)
	}
	n, _ := f.LogFile.Write(p[:f.faults.roll()%uint64(len(p)+1)])
	return n, err
}

// packets are the faults of one source.
func (f *faults) packets(int) packetFaults { return packetFaults{faults: f} }

type packetFaults struct {
	faults *faults
	late   []capture.Packet
	due    []int // packets until late comes
	out    []capture.Packet
}

// maxDelay is how many packets may overtake one.
const maxDelay = 100

// pass gives what comes of packets. What is late has the time at which it comes.
func (p *packetFaults) pass(list []capture.Packet) []capture.Packet {
	f := p.faults
	p.out = p.out[:0]
	for i := range list {
		k := list[i]
		switch {
		case f.chance(f.drop, &f.dropped):
			continue
		case len(k.Data) > 0 && f.chance(f.corrupt, &f.corrupted):
			k.Data = bytes.Clone(k.Data)
			at := f.roll() % uint64(8*len(k.Data))
			k.Data[at/8] ^= 1 << (at % 8)
		}
		if f.chance(f.delay, &f.delayed) {
			k.Data = bytes.Clone(k.Data)
			p.late, p.due = append(p.late, k), append(p.due, 1+int(f.roll()%maxDelay))
			continue
		}
		p.out = append(p.out, k)
		p.arrive(k.Time)
	}
	return p.out
}

func (p *packetFaults) arrive(now int64) {
	left := 0
	for i := range p.late {
		if p.due[i]--; p.due[i] > 0 {
			p.late[left], p.due[left] = p.late[i], p.due[i]
			left++
			continue
		}
		p.late[i].Time = now
		p.out = append(p.out, p.late[i])
	}
	p.late, p.due = p.late[:left], p.due[:left]
}
