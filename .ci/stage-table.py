#!/usr/bin/env python3
"""The stages of a packet's life out of Go's benchmarks, as a Markdown table: medians of all runs.

    go test -bench ... | stage-table.py [--command TEXT] [--update FILE]
"""
import argparse, collections, re, statistics, sys

import measure

# stage, package, benchmark, what one operation is
STAGES = [
    ('headers, IPv4', 'capture/packet', 'Decode/ipv4', 'packet'),
    ('headers, VLAN', 'capture/packet', 'Decode/vlan_ipv4', 'packet'),
    ('headers, VXLAN', 'capture/packet', 'Decode/vxlan_ipv4', 'packet'),
    ('headers, another port', 'capture/packet', 'Decode/other_port', 'packet'),
    ('reassembly, in order', 'capture/stream', 'Take', 'packet of 1,448'),
    ('reassembly, pairs swapped', 'capture/stream', 'OutOfOrder/pairs', 'packet of 1,448'),
    ('commands and replies of a small mail', 'decode/smtp', 'Dialog/small', 'session'),
    ('replies', 'decode/smtp', 'Replies', 'group of 7 lines'),
    ('content, text', 'decode/smtp', 'Content/text/segments', 'MiB'),
    ('content, base64', 'decode/smtp', 'Content/base64/segments', 'MiB'),
    ('message, header and text', 'decode/mail', 'Mail/plain1500', 'mail'),
    ('message, PDF of 150 kB', 'decode/mail', 'Mail/pdf150k', 'mail'),
    ('TLS hello, with fingerprints', 'decode/tls', 'Hello/whole', 'hello'),
    ('TLS records', 'decode/tls', 'ApplicationData', 'record of 16 kB'),
    ('established: acknowledgements', 'sessions', 'Established/acks', None),
    ('established: text', 'sessions', 'Established/text', None),
    ('established: attachment', 'sessions', 'Established/attachment', None),
    ('established: TLS', 'sessions', 'Established/tls', None),
    ('small mails, 1 open', 'sessions', 'SmallMail/open=1', None),
    ('small mails, 1,000 open', 'sessions', 'SmallMail/open=1000', None),
    ('small mails, 20,000 open', 'sessions', 'SmallMail/open=20000', None),
    ('records of a small session', 'sessions/log', 'Small/session_and_mail', 'session'),
    ('metrics of a small session', 'metrics', 'Session', 'session'),
    ('rules over a small session', 'alerts', 'Session/mail', 'session'),
    ('all: files, small mails, read', 'cmd/mailtap', 'Stages/1_read', None),
    ('... and headers', 'cmd/mailtap', 'Stages/2_decode', None),
    ('... and sessions', 'cmd/mailtap', 'Stages/3_sessions', None),
    ('... and metrics', 'cmd/mailtap', 'Stages/4_metrics', None),
    ('... and records', 'cmd/mailtap', 'Stages/5_records', None),
    ('... and rules', 'cmd/mailtap', 'Stages/6_rules', None),
    ('the same, as the program runs it', 'cmd/mailtap', 'Stages/7_pipeline', None),
]


def read(lines):
    """{(package, name): {unit: [values]}}"""
    got, package = collections.defaultdict(lambda: collections.defaultdict(list)), ''
    for line in lines:
        sys.stderr.write(line)
        if line.startswith('pkg: '):
            package = line.split('mailtap/mailtap/')[-1].strip()
        m = re.match(r'Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.*)', line)
        if m:
            for value, unit in re.findall(r'([\d.]+) (\S+)', m[2]):
                got[package, m[1]][unit].append(float(value))
    return got


def row(stage, of, units):
    mid = {u: statistics.median(v) for u, v in units.items()}
    ns, what = (mid['ns/packet'], 'packet') if of is None else (mid['ns/op'], of)
    speed = f'{mid["MB/s"]:,.0f}' if 'MB/s' in mid else '-'
    number = f'{ns:,.0f}' if ns >= 10 else f'{ns:.1f}'
    allocations = mid.get('allocs/op', 0) * ns / mid['ns/op']  # an operation may be many packets
    return f'| {stage} | {number} ns a {what} | {speed} | {f"{allocations:.1f}" if allocations else "0"} |'


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--command', default='.ci/bench.sh go')
    ap.add_argument('--update')
    a = ap.parse_args()
    got = read(sys.stdin)
    lines = [f'Measured by `{a.command}` on {measure.machine()}.', '', '| stage | time | MB/s | allocations |', '|---|---:|---:|---:|']
    lines += [row(s, of, got[p, n]) for s, p, n, of in STAGES if (p, n) in got]
    print('\n'.join([''] + lines))
    if a.update and len(lines) > 4:
        measure.replace(a.update, 'stages', '\n'.join(lines))


if __name__ == '__main__':
    main()
