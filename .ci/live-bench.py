"""What live capture costs and whether it loses packets; run by live-bench.sh in a namespace with tx0 and rx0."""
import collections, json, os, re, signal, statistics, subprocess, sys, time, urllib.request

from measure import machine, mailtap as command, once as measure, touch

PAGE = '127.0.0.1:9025'
TICKS = os.sysconf('SC_CLK_TCK')

passes = int(os.environ.get('LIVE_PASSES', 5))
rate = os.environ.get('LIVE_RATE', '0')
first = ['chrt', '-r', '1'] if os.environ.get('LIVE_REALTIME') else []
send_cpu, read_cpu = os.environ.get('LIVE_SEND_CPU', '0'), os.environ.get('LIVE_READ_CPU', '1')


def scrape():
    """Sums of mailtap's counters by name, and of drops by reason."""
    with urllib.request.urlopen(f'http://{PAGE}/metrics', timeout=10) as answer:
        text = answer.read().decode()
    sums = collections.Counter()
    for name, labels, value in re.findall(r'^mailtap_(\w+?)(?:\{(.*)\})? (\S+)$', text, re.M):
        sums[name] += float(value)
        for label in re.findall(r'(?:reason|result)="\w+"', labels):
            sums[name + ' ' + label] += float(value)
    return sums


def cpu_seconds(pid):
    """Time of all threads in user and system mode."""
    with open(f'/proc/{pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return int(fields[11]) / TICKS, int(fields[12]) / TICKS


def resident(pid):
    with open(f'/proc/{pid}/status') as f:
        return int(re.search(r'VmHWM:\s*(\d+)', f.read())[1]) / 1024


def start(mailtap):
    argv = [*first, 'taskset', '-c', read_cpu, mailtap, 'run', '--interface', 'rx0', '--log.level', 'warn',
            '--capture.method', os.environ.get('LIVE_METHOD', 'ring'), '--capture.buffer', os.environ.get('LIVE_BUFFER', '64MiB')]
    p = subprocess.Popen(argv + os.environ.get('LIVE_ARGS', '').split(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         env={**os.environ, 'MAILTAP_SANDBOX_ALLOW_ROOT': 'true'})
    for _ in range(200):
        try:
            urllib.request.urlopen(f'http://{PAGE}/-/ready', timeout=1).close()
            return p
        except OSError:
            if p.poll() is not None:
                break
            time.sleep(.1)
    sys.exit(f'mailtap does not answer: {p.stderr.read().decode()}')


def settled(pid):
    """What is counted when nothing more comes, and the CPU time by then. mailtap tells once a second, and events some seconds late."""
    since, before, used = time.monotonic(), scrape(), cpu_seconds(pid)
    while time.monotonic() - since < 5:
        time.sleep(1)
        now = scrape()
        if now['capture_packets_total'] != before['capture_packets_total']:
            since, used = time.monotonic(), cpu_seconds(pid)
        before = now
    return before, used


def once(mailtap, replay, capture):
    p = start(mailtap)
    try:
        time.sleep(1)
        user, system = cpu_seconds(p.pid)
        sent = subprocess.run([*first, replay, '-interface', 'tx0', '-cpu', send_cpu, '-passes', str(passes), '-rate', rate, capture], check=True, capture_output=True, text=True)
        packets, octets, seconds = (float(x) for x in sent.stdout.split())
        told, (u, s) = settled(p.pid)
        return {'sent': packets, 'octets': octets, 'seconds': seconds, 'user': u - user, 'system': s - system, 'resident': resident(p.pid), 'told': told, 'read': reading(mailtap, capture), 'load': os.getloadavg()[0]}
    finally:
        p.send_signal(signal.SIGTERM)
        if p.wait(30) != 0:
            sys.stderr.write(p.stderr.read().decode())


def accepted(capture):
    """Mails that the servers of one pass accepted, where the generator told the truth beside the capture."""
    try:
        with open(capture.removesuffix('.pcap') + '.json') as f:
            return json.load(f)['all']['mails_accepted']
    except (OSError, KeyError):
        return None


def reading(mailtap, capture):
    """CPU seconds of `mailtap read` on the same processor: what the machine is worth just now."""
    argv, env = command(mailtap, capture)
    return measure([*first, 'taskset', '-c', read_cpu, *argv], env)[0]


def line(name, r, mails):
    told, came = r['told'], r['told']['capture_packets_total']
    lost = {k: int(told[f'capture_dropped_total reason="{k}"']) for k in ('kernel', 'interface', 'queue')}
    cpu = r['user'] + r['system']
    text = (f'{name:8} sent {r["sent"]:>9,.0f} packets at {r["sent"] / r["seconds"] / 1e3:4.0f} kpps, {r["octets"] * 8 / r["seconds"] / 1e9:4.2f} Gbit/s; '
            f'passed the filter {came:>9,.0f}; lost: kernel {lost["kernel"]}, interface {lost["interface"]}, queue {lost["queue"]}, octets of streams {told["stream_lost_bytes_total"]:,.0f}; '
            f'CPU {r["user"]:.2f} s user, {r["system"]:.2f} s system: {cpu * 1e9 / came:4.0f} ns a packet passed, {cpu * 1e9 / r["sent"]:4.0f} ns a packet sent; '
            f'at most {r["resident"]:.0f} MiB; mails accepted {told["messages_total result=" + chr(34) + "accepted" + chr(34)]:,.0f}')
    if mails is not None:
        text += f' of {mails * passes:,}'
    text += f'; mailtap read of it {r["read"] * 1e9 * passes / r["sent"]:.0f} ns a packet sent'
    return text + f'; load average {r["load"]:.1f}', sum(lost.values()), cpu * 1e9 / came, r['sent'] / r['seconds']


def main():
    mailtap, replay, *captures = sys.argv[1:]
    print(f'{machine()}; sender on processor {send_cpu}, mailtap on {read_cpu}; each capture {passes} times in a run')
    results = collections.defaultdict(list)
    for _ in range(int(os.environ.get('LIVE_RUNS', 3))):
        for capture in captures:
            touch(capture)
            name = os.path.basename(capture).removesuffix('.pcap')
            text, *figures = line(name, once(mailtap, replay, capture), accepted(capture))
            print(text, flush=True)
            results[name].append(figures)
    for name, rows in results.items():
        lost, cpu, rate = (statistics.median(column) for column in zip(*rows))
        print(f'{name}: medians of {len(rows)} runs: {rate / 1e3:.0f} kpps sent, {lost:.0f} lost (at most {max(r[0] for r in rows)}), {cpu:.0f} ns of CPU a packet')


main()
