package boards

import "github.com/mailtap/mailtap/dashboards/model"

func sensor() model.Dashboard {
	return model.Dashboard{
		UID: sensorUID, Title: "mailtap / Sensor", Span: "6h",
		About:       "Is mailtap itself well: does it see every packet, do streams have holes, does memory hold, are records and notifications delivered.",
		Variables:   []model.Variable{metricsSource, logsSource, instance},
		Annotations: firing,
		Rows: []model.Row{
			{Height: 4, Panels: sensorNow()},
			{Title: "Packets", Height: 7, Panels: packets()},
			{Title: "Connections and streams", Height: 7, Panels: streams()},
			{Title: "Records and notifications", Height: 7, Panels: outputs()},
			{Title: "Process", Height: 7, Panels: process()},
		},
	}
}

func sensorNow() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Stat, Title: "Version", Unit: "short", Width: 4, Names: true,
			About: "The version of each sensor."}, `sum by (instance, version) (mailtap_build_info{$sel})`, "{{version}}"),
		one(model.Panel{Kind: model.Stat, Title: "Sensors up", Unit: "short", Width: 3, Limits: model.Limits{Red: 1, Below: true},
			About: "Sensors that Prometheus can scrape."}, `sum(up{$sel})`, "up"),
		one(model.Panel{Kind: model.Stat, Title: "Running for", Unit: "s", Width: 3,
			About: "Time since the start of the sensor that started last. It is short where one restarts again and again."},
			`time() - max(process_start_time_seconds{$sel})`, "running"),
		one(model.Panel{Kind: model.Stat, Title: "Packets now", Unit: "pps", Width: 3,
			About: "Packets that the sources hand over, a second."}, `sum(rate(mailtap_capture_packets_total{$sel}[$__rate_interval]))`, "packets"),
		one(model.Panel{Kind: model.Stat, Title: "Capture loss", Unit: "percentunit", Width: 3, Limits: model.Limits{Yellow: 0.001, Red: 0.01},
			About: "Packets that were dropped before mailtap saw them, of all. Above 1 % records miss facts: more shards, a larger capture.buffer."}, captureLoss, "lost"),
		one(model.Panel{Kind: model.Stat, Title: "Lag", Unit: "s", Width: 4, Limits: model.Limits{Yellow: 60, Red: 300},
			About: "Age of the newest packet. It grows when nothing arrives: a mirror port that died looks like this."}, `max(mailtap_capture_lag_seconds{$sel})`, "lag"),
		one(model.Panel{Kind: model.Stat, Title: "Limits reached", Unit: "short", Width: 4, Limits: model.Limits{Red: 1},
			About: "Connections that were left out for want of memory or of space in the table, over the time shown: raise memory or limits.connections."},
			`sum(increase(mailtap_stream_evicted_total{reason!="idle",$sel}[$__range]))`, "left out"),
	}
}

func packets() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Packets", Unit: "pps", Width: 6,
			About: "Packets that each source hands over, a second."},
			`sum by (instance, source) (rate(mailtap_capture_packets_total{$sel}[$__rate_interval]))`, "{{instance}} {{source}}"),
		one(model.Panel{Kind: model.Series, Title: "Octets", Unit: "Bps", Width: 6,
			About: "Captured octets of each source, a second."},
			`sum by (instance, source) (rate(mailtap_capture_bytes_total{$sel}[$__rate_interval]))`, "{{instance}} {{source}}"),
		one(model.Panel{Kind: model.Series, Title: "Drops", Unit: "pps", Width: 6,
			About: "Packets never seen, a second: the kernel's buffer was full (kernel), the interface's (interface), or mailtap was too slow (queue)."},
			`sum by (source, reason) (rate(mailtap_capture_dropped_total{$sel}[$__rate_interval]))`, "{{source}} {{reason}}"),
		one(model.Panel{Kind: model.Series, Title: "Left out", Unit: "pps", Width: 6,
			About: "Packets that were seen and not read, a second, by reason: docs/metrics.md tells them. Much other_port is traffic that the mirror port need not send."},
			`sum by (reason) (rate(mailtap_capture_ignored_total{$sel}[$__rate_interval])) > 0 or sum(rate(mailtap_capture_ignored_total{$sel}[$__rate_interval])) == 0`, "{{reason}}"),
	}
}

func streams() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Connections", Unit: "short", Width: 6, Stacked: true,
			About: "Connections tracked now. Many opening ones are a flood or a scan."},
			`sum by (state) (mailtap_stream_connections{$sel})`, "{{state}}"),
		{Kind: model.Series, Title: "Holes", Unit: "ops", Width: 6,
			About: "Holes in streams, segments that contradict what came before, and connections left out, a second. Holes without drops above come from the mirror port; contradictions are somebody who wants to mislead the sensor.",
			Queries: []model.Query{
				{Expr: `sum(rate(mailtap_stream_gaps_total{$sel}[$__rate_interval]))`, Legend: "holes"},
				{Expr: `sum(rate(mailtap_stream_overlaps_total{$sel}[$__rate_interval]))`, Legend: "contradictions"},
				{Expr: `sum by (reason) (rate(mailtap_stream_evicted_total{$sel}[$__rate_interval]))`, Legend: "left out: {{reason}}"},
			}},
		{Kind: model.Series, Title: "Octets lost and sent again", Unit: "Bps", Width: 6,
			About: "Octets in holes, and octets that hosts sent again, a second. Sent again is the network's loss, lost is the sensor's.",
			Queries: []model.Query{
				{Expr: `sum(rate(mailtap_stream_lost_bytes_total{$sel}[$__rate_interval]))`, Legend: "lost"},
				{Expr: `sum(rate(mailtap_stream_retransmitted_bytes_total{$sel}[$__rate_interval]))`, Legend: "sent again"},
			}},
		one(model.Panel{Kind: model.Series, Title: "Octets that wait for a hole", Unit: "bytes", Width: 6,
			About: "Early octets held until a hole before them is filled; limits.held_total bounds them."},
			`sum by (instance) (mailtap_stream_memory_bytes{$sel})`, "{{instance}}"),
	}
}

func outputs() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Records", Unit: "ops", Width: 6,
			About: "Records that each sink wrote, dropped or tried again, a second. Dropped ones are lost."},
			`sum by (sink, result) (rate(mailtap_log_records_total{$sel}[$__rate_interval]))`, "{{sink}} {{result}}"),
		one(model.Panel{Kind: model.Series, Title: "Records that wait", Unit: "short", Width: 6,
			About: "Records that wait for each sink. A queue that only grows has a sink that is away; a full one drops."},
			`sum by (instance, sink) (mailtap_log_queue{$sel})`, "{{instance}} {{sink}}"),
		one(model.Panel{Kind: model.Series, Title: "Notifications", Unit: "ops", Width: 6,
			About: "Notifications of alerts a second, by receiver and what became of them. retried are tried again; refused and dropped ones never arrive; folded ones went out with another."},
			`sum by (receiver, result) (rate(mailtap_notifications_total{$sel}[$__rate_interval]))`, "{{receiver}} {{result}}"),
		one(model.Panel{Kind: model.Series, Title: "Notifications that wait", Unit: "short", Width: 6,
			About: "Notifications that wait for each receiver."},
			`sum by (instance, receiver) (mailtap_notification_queue{$sel})`, "{{instance}} {{receiver}}"),
	}
}

func process() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Processor", Unit: "percentunit", Width: 6,
			About: "Share of one core that the process uses; 200 % are two cores. Near the number of cores packets are dropped."},
			`sum by (instance) (rate(process_cpu_seconds_total{$sel}[$__rate_interval]))`, "{{instance}}"),
		{Kind: model.Series, Title: "Memory", Unit: "bytes", Width: 6,
			About: "Memory that the process holds, and of it Go's heap in use. memory and limits bound what traffic can hold.",
			Queries: []model.Query{
				{Expr: `sum by (instance) (process_resident_memory_bytes{$sel})`, Legend: "{{instance}} resident"},
				{Expr: `sum by (instance) (go_memstats_heap_inuse_bytes{$sel})`, Legend: "{{instance}} heap"},
			}},
		{Kind: model.Series, Title: "Goroutines and files", Unit: "short", Width: 6,
			About: "Goroutines and open files of the process. Both are flat in a healthy one.",
			Queries: []model.Query{
				{Expr: `sum by (instance) (go_goroutines{$sel})`, Legend: "{{instance}} goroutines"},
				{Expr: `sum by (instance) (process_open_fds{$sel})`, Legend: "{{instance}} files"},
			}},
		one(model.Panel{Kind: model.Series, Title: "Pauses of the collector", Unit: "s", Width: 6,
			About: "The longest pause of Go's garbage collector lately. Packets wait in the kernel's buffer meanwhile."},
			`max by (instance) (go_gc_duration_seconds{quantile=~"1|1.0",$sel})`, "{{instance}}"),
	}
}
