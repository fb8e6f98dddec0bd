#!/usr/bin/env python3
"""What each built-in rule costs, out of Go's benchmarks, as a Markdown table: the least of all runs, which
other work on the machine disturbed least.

    go test ./alerts -bench 'BenchmarkRule$' ... | rule-table.py [--command TEXT] [--update FILE]
"""
import argparse, collections, re, sys

import measure


def read(lines):
    """{(rule, kind of event): {miss or match: {unit: [values]}}}, in the order of the rules"""
    got = {}
    for line in lines:
        sys.stderr.write(line)
        m = re.match(r'BenchmarkRule/(\w+)/(\w+)/(miss|match)(?:-\d+)?\s+\d+\s+(.*)', line)
        if m:
            cell = got.setdefault((m[1], m[2]), {}).setdefault(m[3], collections.defaultdict(list))
            for value, unit in re.findall(r'([\d.]+) (\S+)', m[4]):
                cell[unit].append(float(value))
    return got


def cells(units):
    return f'{min(units["ns/op"]):,.0f} | {min(units["allocs/op"]):.0f}'


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--command', default='.ci/bench.sh rules')
    ap.add_argument('--update')
    a = ap.parse_args()
    got = read(sys.stdin)
    lines = [f'Measured by `{a.command}` on {measure.machine()}.', '',
             '| rule | event | ordinary, ns | allocations | its own, ns | allocations |', '|---|---|---:|---:|---:|---:|']
    lines += [f'| {rule} | {kind} | {cells(c["miss"])} | {cells(c["match"])} |' for (rule, kind), c in got.items()]
    print('\n'.join([''] + lines))
    if a.update:
        measure.replace(a.update, 'rules', '\n'.join(lines))


if __name__ == '__main__':
    main()
