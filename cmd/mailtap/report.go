package main

import (
	"errors"
	"io"
	"os"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/dashboards/report"
)

// reports says where the report of a reading goes.
type reports struct {
	text     bool     // to standard output
	html     *os.File // nil: no page is wanted
	gathered *report.Report
}

// openReports makes the page's file before anything is read: hours of reading
// must not end in a folder that is not there.
func openReports(text bool, html string) (*reports, error) {
	r := &reports{text: text}
	if html != "" {
		// It names users and addresses, as records do.
		f, err := os.OpenFile(html, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o640)
		if err != nil {
			return nil, err
		}
		r.html = f
	}
	if text || r.html != nil {
		r.gathered = new(report.Report)
	}
	return r, nil
}

// write tells what was gathered.
func (r *reports) write(to io.Writer, in report.Input) error {
	if r.gathered == nil {
		return nil
	}
	page := r.gathered.Build(in)
	var errs []error
	if r.text {
		errs = append(errs, page.Text(to))
	}
	if r.html != nil {
		errs = append(errs, page.HTML(r.html), r.html.Close())
	}
	return errors.Join(errs...)
}

// reportInput is what the reading itself knows.
func (r *reading) reportInput() report.Input {
	in := report.Input{
		Files: r.names, Packets: r.span.packets, Octets: r.span.octets, First: r.span.first, Last: r.span.last,
		Retransmitted: r.pipeline.total().RetransmittedBytes, LeftOut: leftRows(r.pipeline.left()),
	}
	for _, err := range r.unread {
		in.Unread = append(in.Unread, err.Error())
	}
	return in
}

// leftRows names the packets that were left out.
func leftRows(counts []uint64) (rows []report.Row) {
	for i, name := range packet.Reasons() {
		if counts[i] > 0 {
			rows = append(rows, report.Row{Name: name, N: int(counts[i])})
		}
	}
	return rows
}
