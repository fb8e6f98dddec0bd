// Command retime gives the packets of a capture other times, at an even rate, and
// writes the first of them to files.
//
//	smtpgen -o - | go run ./.ci/retime -rate 1000 minute.pcap:60000 hour.pcap:3600000 all.pcap
//
// It reads a pcap of microseconds, of this machine's byte order as smtpgen
// writes it, from standard input. It prints a line for each file: its name and
// its packets.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

type output struct {
	name    string
	limit   int
	packets int
	file    *os.File
	w       *bufio.Writer
}

func main() {
	rate := flag.Int("rate", 1000, "packets a second")
	flag.Parse()
	if err := run(os.Stdin, *rate, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "retime:", err)
		os.Exit(1)
	}
}

func run(stdin io.Reader, rate int, names []string) error {
	var outs []*output
	for _, name := range names {
		o, err := create(name)
		if err != nil {
			return err
		}
		outs = append(outs, o)
	}
	in := bufio.NewReaderSize(stdin, 1<<20)
	header := make([]byte, 24)
	if _, err := io.ReadFull(in, header); err != nil || binary.LittleEndian.Uint32(header) != 0xa1b2c3d4 {
		return fmt.Errorf("standard input is no pcap of microseconds: %v", err)
	}
	for _, o := range outs {
		o.w.Write(header)
	}
	record := make([]byte, 16, 1<<18)
	for n := 0; ; n++ {
		if _, err := io.ReadFull(in, record[:16]); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		length := int(binary.LittleEndian.Uint32(record[8:]))
		if length > cap(record)-16 {
			return fmt.Errorf("a packet of %d octets", length)
		}
		if _, err := io.ReadFull(in, record[16:16+length]); err != nil {
			return err
		}
		const start = 1767261600 // 2026-01-01 10:00 UTC
		binary.LittleEndian.PutUint32(record, uint32(start+n/rate))
		binary.LittleEndian.PutUint32(record[4:], uint32(n%rate*1_000_000/rate))
		for _, o := range outs {
			if o.packets < o.limit {
				o.w.Write(record[:16+length])
				o.packets++
			}
		}
	}
	for _, o := range outs {
		if err := o.w.Flush(); err != nil { // and what Write had to say
			return err
		}
		if err := o.file.Close(); err != nil {
			return err
		}
		fmt.Println(o.name, o.packets)
	}
	return nil
}

func create(name string) (*output, error) {
	o := &output{name: name, limit: math.MaxInt}
	if name, limit, ok := strings.Cut(name, ":"); ok {
		var err error
		if o.limit, err = strconv.Atoi(limit); err != nil {
			return nil, err
		}
		o.name = name
	}
	var err error
	if o.file, err = os.Create(o.name); err != nil {
		return nil, err
	}
	o.w = bufio.NewWriterSize(o.file, 1<<20)
	return o, nil
}
