#!/usr/bin/env python3
"""Whole processes over generated captures: one table, as Markdown.

    bench-table.py MAILTAP BENCH_FOLDER CAPTURES [--runs N] [--update FILE]

BENCH_FOLDER holds bench.py (CPU beside tcpdump) and totals.py (records beside the truth). CAPTURES holds NAME.pcap and NAME.json, the
generator's truth. --update puts the table between the marks of FILE as well.
"""
import argparse, glob, json, math, os, re, shutil, subprocess, sys

import measure

CLEAN = ('mixed', 'small', 'many')  # totals match exactly where nothing was lost
ORDER = CLEAN + ('dirty', 'idle')


def beside_tcpdump(folder, mailtap, capture, runs, peers):
    """CPU seconds by program, by bench.py."""
    out = subprocess.run([sys.executable, '-B', os.path.join(folder, 'bench.py'), '-n', str(runs), '--peers', peers, '--mailtap', mailtap, capture],
                         env=dict(os.environ, MAILTAP_SHARDS='1', MAILTAP_LOG_LEVEL='error'), stdout=subprocess.PIPE, text=True, check=True).stdout
    return {m[1]: float(m[2]) for m in re.finditer(r'^ +(\w+) +cpu +([\d.]+) s', out, re.M)}


def truth_of(folder, mailtap, name, capture):
    if name not in CLEAN:
        return '-'
    out = subprocess.run([sys.executable, '-B', os.path.join(folder, 'totals.py'), '--mailtap', mailtap, capture, capture[:-5] + '.json'],
                         env=dict(os.environ, MAILTAP_LOG_LEVEL='error'), stdout=subprocess.PIPE, text=True).stdout
    return out.strip().split('\n')[-1]


def row(a, capture):
    name = os.path.basename(capture)[:-5]
    with open(capture[:-5] + '.json') as f:
        packets = json.load(f)['packets']['packets']
    measure.touch(capture)
    peers = 'tcpdump' if shutil.which('tcpdump') else ''
    cpu = beside_tcpdump(a.folder, a.mailtap, capture, a.runs, peers)
    got = measure.in_turn({n: measure.mailtap(a.mailtap, capture, shards=n) for n in (1, 2)}, a.runs)
    one, two = got[1], got[2]
    peer = cpu.get('tcpdump')
    a.measured[name] = (os.path.getsize(capture) / packets - 16, cpu['mailtap'] / packets * 1e9)
    return [name, f'{os.path.getsize(capture) / 1e6:.0f}', f'{packets:,}', f'{cpu["mailtap"]:.2f}', f'{cpu["mailtap"] / packets * 1e9:.0f}',
            f'{peer / packets * 1e9:.0f}' if peer else '-', f'{cpu["mailtap"] / peer:.2f}' if peer else '-',
            f'{packets / one[1] / 1e6:.2f}', f'{packets / two[1] / 1e6:.2f}', f'{one[1] / two[1]:.2f}',
            f'{one[2]:.0f}', f'{two[2]:.0f}', truth_of(a.folder, a.mailtap, name, capture)]


CAPACITY = ('mixed', 'small')
OVERHEAD = 24  # octets of a frame on the wire that no capture shows: preamble, checksum, gap
RING = 128     # octets of the ring beside a packet's own: its header and alignment
LOAD = 0.7     # what a core is planned to be busy


def capacity(measured):
    """The sums of docs/performance.md for links full of mail."""
    head = ['Gbit/s of mail', 'like', 'octets a packet', 'packets/s', 'ns a packet', 'cores', 'ring for 100 ms', 'ring for 1 s']
    lines = ['| ' + ' | '.join(head) + ' |', '|---:|---' + '|---:' * 6 + '|']
    for gbit in (1, 10, 40, 100):
        for name in CAPACITY:
            if name not in measured:
                continue
            size, ns = measured[name]
            rate = gbit * 1e9 / 8 / (size + OVERHEAD)
            ring = rate * (size + RING) / 2**20
            lines.append(f'| {gbit} | {name} | {size:.0f} | {rate:,.0f} | {ns:.0f} | {math.ceil(rate * ns / 1e9 / LOAD)} | {0.1 * ring:,.0f} MiB | {ring:,.0f} MiB |')
    return lines


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('mailtap')
    ap.add_argument('folder')
    ap.add_argument('captures')
    ap.add_argument('--runs', type=int, default=3)
    ap.add_argument('--command', default='make bench')
    ap.add_argument('--update')
    a = ap.parse_args()
    a.measured = {}
    head = ['profile', 'MB', 'packets', 'CPU s', 'ns a packet', 'tcpdump ns', 'mailtap / tcpdump', 'M packets/s, 1 shard', '2 shards', 'gain',
            'MiB resident, 1 shard', '2 shards', 'totals']
    lines = [f'Measured by `{a.command}` on {measure.machine()}; medians of {a.runs} runs.', '',
             '| ' + ' | '.join(head) + ' |', '|---' + '|---:' * (len(head) - 2) + '|---|']
    for name in ORDER:
        for capture in glob.glob(os.path.join(a.captures, name + '.pcap')):
            lines.append('| ' + ' | '.join(row(a, capture)) + ' |')
            print(lines[-1], file=sys.stderr)
    sums = capacity(a.measured)
    print('\n'.join(lines + [''] + sums))
    if a.update:
        measure.replace(a.update, 'bench', '\n'.join(lines))
        measure.replace(a.update, 'capacity', '\n'.join(sums))
    return 0 if all(' 0 failed' in l for l in lines if 'failed' in l) else 1


if __name__ == '__main__':
    sys.exit(main())
