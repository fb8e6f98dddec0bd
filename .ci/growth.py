#!/usr/bin/env python3
"""CPU time a packet over connections and over time: a table and a plot. growth.sh makes the captures and calls it.

The time is that of the whole process, user and system, less that of one which reads a capture of one packet.
"""
import argparse, os, sys

import measure
import plot

MEMORY = '8GiB'  # the same for all points: the default lets a million talking connections go


def points(a, kind, numbers):
    """[number, packets, ns of mailtap, ns of tcpdump, MiB] of each capture."""
    files = {n: os.path.join(a.folder, f'{kind}-{n}.pcap') for n in numbers}
    commands, captures = {}, {}
    for name, path in [('start', os.path.join(a.folder, 'start.pcap'))] + list(files.items()):
        commands['mailtap', name] = measure.mailtap(os.path.join(a.folder, 'mailtap'), path, MEMORY=MEMORY)
        commands['tcpdump', name] = measure.tcpdump(path)
        captures['mailtap', name] = path
    got = measure.in_turn(commands, a.runs, captures)
    rows = []
    for n in numbers:
        packets = a.packets[files[n]]
        ns = [(got[p, n][0] - got[p, 'start'][0]) / packets * 1e9 for p in ('mailtap', 'tcpdump')]
        rows.append([n, packets, *ns, got['mailtap', n][2]])
    return rows


def table(head, rows):
    lines = [f'| {head} | packets | ns a packet | to the first | tcpdump ns | MiB resident |', '|---:' * 6 + '|']
    for n, packets, ns, peer, mib in rows:
        lines.append(f'| {n:,} | {packets:,} | {ns:.0f} | {ns / rows[0][2]:.2f} | {peer:.0f} | {mib:.0f} |')
    return lines


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('folder')
    ap.add_argument('--runs', type=int)
    ap.add_argument('--connections')
    ap.add_argument('--rate', type=int)
    ap.add_argument('--speed', type=int)
    ap.add_argument('--command')
    ap.add_argument('--svg')
    ap.add_argument('--update')
    a = ap.parse_args()
    a.packets = {}
    for name in [f'connections-{n}' for n in a.connections.split()] + ['minutes']:
        path = os.path.join(a.folder, name + '.packets')
        if os.path.exists(path):
            with open(path) as f:
                a.packets.update((l.rsplit(' ', 1)[0], int(l.rsplit(' ', 1)[1])) for l in f)
    many = [int(n) for n in a.connections.split() if os.path.join(a.folder, f'connections-{n}.pcap') in a.packets]
    connections = points(a, 'connections', many)
    minutes = points(a, 'minutes', [1, 10, 60])
    text = [f'Measured by `{a.command}` on {measure.machine()}; one shard, `memory: {MEMORY}`, medians of {a.runs} runs.', '',
            f'Connections at once, {a.speed:,} packets a second of packet time:', '', *table('connections', connections), '',
            f'Minutes of packet time, {a.rate:,} packets a second, 1,000 connections at once:', '', *table('minutes', minutes)]
    print('\n'.join(text))
    with open(a.svg, 'w') as f:
        f.write(plot.svg([('concurrent connections', connections), ('minutes of traffic', minutes)]))
    measure.replace(a.update, 'growth', '\n'.join(text))


if __name__ == '__main__':
    sys.exit(main())
