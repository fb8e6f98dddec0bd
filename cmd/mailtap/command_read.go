package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/capture"
)

// maxStepBack is how much earlier than the last packet of one file the next
// file may begin and still be its continuation.
const maxStepBack = int64(5 * time.Minute)

func (p *program) readCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "read FILE...",
		Short: "Read captures: a report, or records as JSON",
		Long: `read takes pcap and pcapng files, gzip or zstd of them, or - for standard input,
as fast as the machine can, on packet time. Several files are one capture in the
order given, as a capture in pieces is; a file that begins more than five
minutes before the end of the one before it begins anew.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error { return p.read(c, files, format) },
	}
	c.Flags().StringVar(&format, "format", "text", "`form` of the output: text (a report) or json (records)")
	return c
}

// reading is one run of the command read.
type reading struct {
	program  *program
	ctx      context.Context
	pipeline *pipeline
	outputs  *outputs
	report   *report
	unread   []error
}

func (p *program) read(c *cobra.Command, files []string, format string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("flag --format: %q is no form of the output, allowed is text, json", format)
	}
	cfg, err := p.config(c)
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log, p.stderr)
	secrets, err := cfg.secrets()
	if err != nil {
		return failed(err)
	}
	w := wiring{cfg: &cfg, log: log, lines: p.stderr, offline: true}
	if format == "json" {
		w.records = p.stdout
	}
	out, err := w.outputs()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r := &reading{program: p, ctx: ctx, outputs: out, report: newReport()}
	if format == "text" {
		out.report = r.report
	}
	r.pipeline = newPipeline(&cfg, out, secrets)
	return failed(r.run(files, format == "text"))
}

// run reads all files, delivers what is left, and gives every error: records
// that were written before one stay written.
func (r *reading) run(files []string, text bool) error {
	for _, name := range files {
		if err := r.file(name); err != nil {
			r.unread = append(r.unread, err)
		}
		if r.ctx.Err() != nil {
			break
		}
	}
	r.pipeline.close()
	r.outputs.engine.Flush(time.Unix(0, r.report.last).UTC())
	errs := append([]error(nil), r.unread...)
	if text {
		errs = append(errs, r.report.print(r.program.stdout, r.pipeline.left(), r.unread))
	}
	return errors.Join(append(errs, r.outputs.close())...)
}

func (r *reading) file(name string) error {
	in, err := r.open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	packets := make([]capture.Packet, batchPackets)
	for first := true; ; first = false {
		n, err := in.NextBatch(packets)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if first && packets[0].Time < r.pipeline.newest-maxStepBack {
			r.pipeline.restart()
		}
		for i := range packets[:n] {
			r.report.packet(packets[i].Time)
		}
		r.pipeline.take(packets[:n])
		if err := r.interrupted(name); err != nil {
			return err
		}
	}
}

func (r *reading) open(name string) (*capture.File, error) {
	if name == "-" {
		return capture.NewFile(r.program.stdin, "standard input", capture.FileOptions{})
	}
	return capture.Open(name, capture.FileOptions{})
}

// interrupted looks, now and then, whether going on makes sense.
func (r *reading) interrupted(name string) error {
	if r.ctx.Err() != nil {
		return fmt.Errorf("%s: interrupted after %d packets", name, r.report.packets)
	}
	if r.outputs.file != nil {
		return r.outputs.file.Err()
	}
	return nil
}
