package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/capture"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// maxStepBack is how much earlier than the last packet of one file the next
// file may begin and still be its continuation.
const maxStepBack = int64(5 * time.Minute)

func (p *program) readCommand() *cobra.Command {
	var format, html string
	c := &cobra.Command{
		Use:   "read FILE...",
		Short: "Read captures: a report, or records as JSON",
		Long: `read takes pcap and pcapng files, gzip or zstd of them, or - for standard input,
as fast as the machine can, on packet time. Several files are one capture in the
order given, as a capture in pieces is; a file that begins more than five
minutes before the end of the one before it begins anew.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error { return p.read(c, files, format, html) },
	}
	c.Flags().StringVar(&format, "format", formatText, "`form` of the output: text (a report), or records: "+strings.Join(recordlog.Formats[:], ", "))
	c.Flags().StringVar(&html, "html", "", "write the report as a page to `FILE` too, whatever --format says")
	return c
}

// reading is one run of the command read.
type reading struct {
	program  *program
	ctx      context.Context
	pipeline *pipeline
	outputs  *outputs
	reports  *reports

	mu     sync.Mutex // of who reads
	files  []string   // still to be read
	in     *capture.File
	name   string   // of in
	begins bool     // nothing of in was read
	names  []string // of all files
	span   span

	sizes  []int64 // of all files, where a progress bar is shown
	done   int64   // octets of the files that were read
	read   func()  // told when all was read; nil: nobody asks
	faults packetFaults
	unread []error
}

func (p *program) read(c *cobra.Command, files []string, format, html string) error {
	cfg, err := p.config(c)
	if err != nil {
		return err
	}
	if err := checkFormat(format, &cfg); err != nil {
		return err
	}
	cfg.Capture.AllPorts = true // what is in a file is there to be read
	var bar *progress
	if format == formatText || !isTerminal(p.stdout) { // records and a bar do not share a screen
		if bar = newProgress(p.stderr); bar != nil {
			p.stderr = bar
		}
	}
	log := newLogger(cfg.Log, p.stderr)
	cfg.budgetMemory(memoryCeiling(os.DirFS("/")), log)
	secrets, err := cfg.secrets()
	if err != nil {
		return failed(err)
	}
	w := wiring{cfg: &cfg, log: log, lines: p.stderr, offline: true, faults: &p.faults}
	defer p.faults.tell(log)
	if format != formatText {
		w.records, w.format = p.stdout, format
	}
	reports, err := openReports(format == formatText, html)
	if err != nil {
		return failed(fmt.Errorf("flag --html: %w", err))
	}
	out, err := w.outputs()
	if err != nil {
		return err
	}
	if err := p.confineReading(&cfg, log, files); err != nil {
		return errors.Join(err, out.close())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r := &reading{program: p, ctx: ctx, outputs: out, reports: reports, faults: p.faults.packets(0)}
	out.report = reports.gathered
	r.pipeline = newPipeline(&cfg, out, secrets, cfg.Shards.number())
	r.pipeline.sievedFirst(&cfg)
	if bar != nil {
		r.sizes = sizesOf(files)
		bar.run(r.progress)
		r.read = bar.end
	}
	return failed(r.run(files))
}

// run reads all files, delivers what is left, and gives every error: records
// that were written before one stay written.
func (r *reading) run(files []string) error {
	r.files, r.names = files, files
	r.carry()
	r.pipeline.close()
	if r.read != nil {
		r.read()
	}
	r.outputs.engine.Flush(time.Unix(0, r.span.last).UTC())
	errs := append([]error(nil), r.unread...)
	errs = append(errs, r.reports.write(r.program.stdout, r.reportInput()))
	return errors.Join(append(errs, r.outputs.close())...)
}

// spareCarriers go on while others wait for a stage.
const spareCarriers = 2

// carry reads in a few more goroutines than there are shards: each reads a load
// and carries it through the stages.
func (r *reading) carry() {
	shards := len(r.pipeline.shards)
	if shards == 1 {
		r.carryOn(newLoad(1, r.outputs.encoders()))
		return
	}
	var carriers sync.WaitGroup
	for range shards + spareCarriers {
		l := newLoad(shards, r.outputs.encoders())
		l.packets, l.room = make([]capture.Packet, sharedBatch), make([]byte, sharedRoom)
		carriers.Go(func() { r.carryOn(l) })
	}
	carriers.Wait()
}

func (r *reading) carryOn(l *load) {
	for r.next(l) {
		r.pipeline.carry(l)
	}
}

// next fills a load with packets that follow; false where there are no more.
func (r *reading) next(l *load) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.in == nil && !r.open() {
			return false
		}
		n, err := r.batch(l)
		switch {
		case err == io.EOF:
			r.close(nil)
			continue
		case err != nil:
			r.close(err)
			continue
		}
		packets := r.faults.pass(l.packets[:n])
		if len(packets) == 0 {
			continue
		}
		r.fill(l, packets)
		if err := r.interrupted(); err != nil {
			r.close(err)
			r.files = nil
		}
		return true
	}
}

func (r *reading) batch(l *load) (n int, err error) {
	if l.room == nil {
		return r.in.NextBatch(l.packets)
	}
	n, l.room, err = r.in.NextBatchIn(l.room, l.packets)
	return n, err
}

func (r *reading) fill(l *load, packets []capture.Packet) {
	intake := &r.pipeline.intake
	l.reset()
	if r.begins && packets[0].Time < intake.newest-maxStepBack {
		r.pipeline.closeOpen() // all in one load would be in memory together
		intake.anew(l)
	}
	r.begins = false
	r.span.take(packets)
	intake.fill(l, packets)
	r.pipeline.ticket(l)
}

// open begins with the next file that can be read; false where there is none.
func (r *reading) open() bool {
	for len(r.files) > 0 {
		r.name, r.files = r.files[0], r.files[1:]
		in, err := r.program.openCapture(r.name)
		if err == nil {
			r.in, r.begins = in, true
			return true
		}
		r.unread = append(r.unread, err)
	}
	return false
}

func (r *reading) close(err error) {
	if err != nil {
		r.unread = append(r.unread, err)
	}
	r.done += r.in.Offset()
	r.in.Close()
	r.in = nil
}

func (p *program) openCapture(name string) (*capture.File, error) {
	if name == "-" {
		return capture.NewFile(p.stdin, "standard input", capture.FileOptions{})
	}
	return capture.Open(name, capture.FileOptions{})
}

// interrupted looks, now and then, whether going on makes sense.
func (r *reading) interrupted() error {
	if r.ctx.Err() != nil {
		return fmt.Errorf("%s: interrupted after %d packets", r.name, r.span.packets)
	}
	if r.outputs.sinks.file != nil {
		return r.outputs.sinks.file.Err()
	}
	return nil
}

// progress tells which file is read, and how far all of them are.
func (r *reading) progress() (file string, done, total int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	done = r.done
	if r.in != nil {
		done += r.in.Offset()
	}
	for _, size := range r.sizes {
		if size == 0 {
			return r.name, done, 0
		}
		total += size
	}
	return r.name, done, total
}

// sizesOf gives the lengths of files, 0 where one is unknown.
func sizesOf(files []string) []int64 {
	out := make([]int64, len(files))
	for i, name := range files {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			out[i] = info.Size()
		}
	}
	return out
}
