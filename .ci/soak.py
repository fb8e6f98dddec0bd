"""What mailtap does for long under everything at once; run by soak.sh in a namespace with tx0 and rx0."""
import csv, json, math, os, re, shutil, signal, struct, subprocess, sys, time, urllib.request

PAGE, TAKERS = '127.0.0.1:9025', '127.0.0.1:3100'
MINUTES = float(os.environ.get('SOAK_MINUTES', 30))
RATE = int(os.environ.get('SOAK_RATE', 20000))
MEMORY = os.environ.get('SOAK_MEMORY', '128MiB')
SECONDS = MINUTES * 60

# What happens when, as parts of the time: begin, end, what is away.
PHASES = [(.12, .22, 'disk'), (.30, .40, 'loki'), (.40, .50, 'webhook'), (.50, .60, 'alertmanager'),
          (.66, .74, 'loki'), (.66, .74, 'webhook'), (.66, .74, 'alertmanager'), (.78, .84, 'disk')]
HANGUPS = [.26, .62, .88]  # reloads, each of another configuration

CONFIG = '''
sensor: soak
state_dir: {dir}/state
memory: {memory}
log: {{records: {{file: {dir}/disk/records.json, rotate_size: 4MiB, max_files: 2, compress: false}}}}
loki: {{url: "http://{takers}/loki/api/v1/push", spool_size: 4GiB}}
alerts:
  receivers:
    - {{name: hook, webhook: {{url: "http://{takers}/hook"}}}}
    - {{name: am, alertmanager: {{urls: ["http://{takers}"]}}}}
  evidence: {{directory: {dir}/disk/evidence, max_size: 4MiB, memory: 16MiB}}
  rules: {{override: [{{name: AuthBruteForce, threshold: {threshold}}}]}}
stop_timeout: 120s
'''


def get(url, data=None):
    with urllib.request.urlopen(url, data=data, timeout=30) as answer:
        return answer.read().decode()


def scrape():
    """Sums of the counters by name, and of each series."""
    sums = {}
    for name, labels, value in re.findall(r'^(\w+)(\{.*\})? (\S+)$', get(f'http://{PAGE}/metrics'), re.M):
        sums[name] = sums.get(name, 0) + float(value)
        sums[name + labels] = float(value)
    return sums


def resident(pid):
    with open(f'/proc/{pid}/status') as f:
        return int(re.search(r'VmRSS:\s*(\d+)', f.read())[1]) / 1024


def checksum(b):
    n = sum(struct.unpack(f'!{len(b) // 2}H', b))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff


def foreign(source, target):
    """The same packets, of addresses that begin with 100: their checksums are put right by what changed."""
    data = bytearray(open(source, 'rb').read())
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack_from('<I', data, at + 8)[0]
        ip = at + 16 + 14
        if data[ip - 2:ip] == b'\x08\x00':
            tcp = ip + 4 * (data[ip] & 15)
            sums = [ip + 10] + ([tcp + 16] if data[ip + 9] == 6 else [])
            for address in (ip + 12, ip + 16):
                old = data[address]
                data[address] = 100
                for place in sums:
                    n = (~struct.unpack_from('!H', data, place)[0] & 0xffff) + (~(old << 8) & 0xffff) + (100 << 8)
                    n = (n & 0xffff) + (n >> 16)
                    n = (n & 0xffff) + (n >> 16)
                    struct.pack_into('!H', data, place, ~n & 0xffff)
        at += 16 + size
    open(target, 'wb').write(data)


def attack(target, packets=20000):
    """SYNs, and what is no SMTP, to port 25."""
    out = [struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)]
    for i in range(packets):
        text = b'' if i % 3 else os.urandom(200)
        flags = 2 if not text else 0x18
        head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 40 + len(text), i & 0xffff, 0, 64, 6, 0, bytes([11, i >> 16 & 255, i >> 8 & 255, i & 255]), bytes([100, 64, 2, 25]))
        head = head[:10] + struct.pack('!H', checksum(head)) + head[12:]
        tcp = struct.pack('!HHIIBBHHH', 1024 + i % 60000, 25, i, 1, 0x50, flags, 65535, 0, 0)
        sum_ = checksum(head[12:20] + struct.pack('!HH', 6, 20 + len(text)) + tcp + text)
        frame = b'\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0' + head + tcp[:16] + struct.pack('!H', sum_) + tcp[18:] + text
        out.append(struct.pack('<IIII', 0, 0, len(frame), len(frame)) + frame)
    open(target, 'wb').write(b''.join(out))


def packets_of(name):
    data, at, n = open(name, 'rb').read(), 24, 0
    while at + 16 <= len(data):
        at += 16 + struct.unpack_from('<I', data, at + 8)[0]
        n += 1
    return n


class Disk:
    def __init__(self, folder):
        self.file = os.path.join(folder, 'filler')

    def fill(self):
        with open(self.file, 'ab', buffering=0) as f:
            try:
                while True:
                    f.write(bytes(65536))
            except OSError:
                pass

    def free(self):
        if os.path.exists(self.file):
            os.remove(self.file)


def slope(rows, column):
    """Change over the whole time of a line through the samples of its last two thirds, and their mean."""
    rows = rows[len(rows) // 3:]
    x, y = [r['second'] for r in rows], [r[column] for r in rows]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    k = sum((a - mx) * (b - my) for a, b in zip(x, y)) / max(sum((a - mx) ** 2 for a in x), 1e-9)
    return k * SECONDS, my


def sample(p, began):
    m = scrape()
    return {'second': round(time.monotonic() - began, 1), 'resident_mib': round(resident(p.pid), 1),
            'heap_mib': round(m['go_memstats_heap_inuse_bytes'] / 2**20, 1), 'goroutines': int(m['go_goroutines']),
            'packets': int(m['mailtap_capture_packets_total']), 'dropped': int(m['mailtap_capture_dropped_total']),
            'connections': int(m['mailtap_stream_connections']), 'loki_queue': int(m['mailtap_log_queue{sink="loki"}']),
            'notifications': int(m['mailtap_notification_queue']), 'failing': int(m['mailtap_storage_failing'])}


def main():
    folder, out = sys.argv[1:]
    path = lambda name: os.path.join(folder, name)
    foreign(path('dirty.pcap'), path('hostile.pcap'))
    attack(path('attack.pcap'))
    shutil.rmtree(path('state'), ignore_errors=True)
    def configure(threshold):
        with open(path('soak.yaml'), 'w') as f:
            f.write(CONFIG.format(dir=folder, memory=MEMORY, takers=TAKERS, threshold=threshold))

    configure(5)
    truth = json.load(open(path('mail.json')))['all']
    n = packets_of(path('mail.pcap'))
    passes = max(1, int(SECONDS * RATE / n))
    print(f'{n:,} packets of mail {passes} times at {RATE:,} a second', flush=True)
    takers = subprocess.Popen([path('takers'), TAKERS])
    log = open(path('mailtap.log'), 'w')
    p = subprocess.Popen([path('mailtap'), 'run', '--interface', 'rx0', '--config', path('soak.yaml')], stderr=log,
                         env={**os.environ, 'MAILTAP_SANDBOX_ALLOW_ROOT': 'true'})
    for _ in range(300):
        try:
            get(f'http://{PAGE}/-/ready')
            break
        except OSError:
            time.sleep(.1)
    began = time.monotonic()
    senders = [subprocess.Popen([path('replay'), '-interface', 'tx0', '-passes', str(passes), '-rate', str(RATE), path('mail.pcap')], stdout=subprocess.PIPE, text=True)]
    for name, rate in (('hostile', RATE // 10), ('attack', RATE // 20)):
        senders.append(subprocess.Popen([path('replay'), '-interface', 'tx0', '-passes', '1000000', '-rate', str(rate), path(name + '.pcap')], stdout=subprocess.DEVNULL))
    disk, rows, done, hung = Disk(path('disk')), [], set(), 0
    every = min(10, max(1, SECONDS / 60))
    while senders[0].poll() is None and p.poll() is None:
        part = (time.monotonic() - began) / SECONDS
        for i, (begin, end, what) in enumerate(PHASES):
            for when, away in ((begin, 1), (end, 0)):
                if part >= when and (i, away) not in done:
                    done.add((i, away))
                    if what == 'disk':
                        (disk.fill if away else disk.free)()
                    else:
                        get(f'http://{TAKERS}/set?what={what}&away={away}', b'')
            if what == 'disk' and begin <= part < end:
                disk.fill()
        while hung < len(HANGUPS) and part >= HANGUPS[hung]:
            hung += 1
            configure(5 + hung)
            p.send_signal(signal.SIGHUP)
        rows.append(sample(p, began))
        time.sleep(every)
    for s in senders[1:]:
        s.terminate()
    sent = senders[0].communicate()[0]
    disk.free()
    for what in ('loki', 'webhook', 'alertmanager'):
        get(f'http://{TAKERS}/set?what={what}&away=0', b'')
    time.sleep(15)  # what fails is said to be over
    rows.append(sample(p, began))
    last = scrape()
    p.send_signal(signal.SIGTERM)
    status = p.wait(300)
    got = json.loads(get(f'http://{TAKERS}/counts'))
    takers.terminate()
    with open(os.path.join(out, 'soak.csv'), 'w', newline='') as f:
        w = csv.DictWriter(f, rows[0])
        w.writeheader()
        w.writerows(rows)
    with open(os.path.join(out, 'soak.svg'), 'w') as f:
        f.write(svg(rows))
    sys.exit(judge(rows, last, got, truth, passes, status, sent, path('mailtap.log')))


def judge(rows, last, got, truth, passes, status, sent, log):
    failed, missing = 0, got['Missing'] or []

    def check(name, ok, text):
        nonlocal failed
        failed += not ok
        print(f'{"ok    " if ok else "FAILED"} {name}: {text}', flush=True)

    dropped = int(last['mailtap_capture_dropped_total'])
    check('packets', dropped == 0, f'{int(last["mailtap_capture_packets_total"]):,} came, {dropped} dropped; sent {sent.strip()}')
    for name, key in (('sessions', 'Sessions'), ('mails_accepted', 'Accepted'), ('recipients_accepted', 'Recipients')):
        want = truth[name] * passes
        check(name, dropped > 0 or got[key] == want, f'{got[key]:,} told, truly {want:,}')
    check('alerts', not missing, f'{got["Alerts"]} told, webhook got {got["Webhook"]}, Alertmanager {got["Alertmanager"]}; missing {missing[:5]}')
    check('lines', True, f'{got["Lines"]:,} different ones came to Loki, {got["Twice"]:,} once more; {got["Hostile"]:,} sessions of hostile addresses')
    check('healed', last['mailtap_storage_failing'] == 0 and last['mailtap_storage_errors_total{store="records"}'] > 0,
          f'{int(last["mailtap_storage_errors_total"])} writes failed, {int(last["mailtap_storage_failing"])} stores fail at the end')
    lost = last.get('mailtap_log_records_total{result="dropped",sink="loki"}', 0)
    check('loki', lost == 0, f'{int(lost)} records dropped')
    check('status', status == 0 or last['mailtap_log_records_total{result="dropped",sink="file"}'] > 0 and status == 1, f'{status}')
    with open(log) as f:
        text = f.readlines()
    lines, reloads = len(text), sum('the configuration was reloaded' in line for line in text)
    check('reloads', reloads == len(HANGUPS) and last['mailtap_config_last_reload_successful'] == 1, f'{reloads}')
    check('log', lines < 200, f'{lines} lines')
    for column, room in (('resident_mib', 16), ('heap_mib', 16), ('goroutines', 20)):
        more, mean = slope(rows, column)
        check(column, MINUTES < 10 or more < max(room, mean / 10), f'{mean:.0f} at the mean, a line through them rises by {more:+.1f} over the run' + (' (too short to judge)' if MINUTES < 10 else ''))
    return 1 if failed else 0


def svg(rows):
    import plot
    width, height, left, top = 900, 150, 64, 40
    columns = ('resident_mib', 'heap_mib', 'goroutines', 'dropped', 'loki_queue')
    out = [plot.HEAD.format(w=left + width + 24, h=top + len(columns) * (height + 40) + 30, title='mailtap over the minutes of a soak')]
    most = max(rows[-1]['second'], 1)
    x = lambda s: left + width * s / most
    for i, column in enumerate(columns):
        at = top + i * (height + 40)
        high = max(max(r[column] for r in rows), 1) * 1.1
        step = plot.step_of(high)
        for k in range(int(high / step) + 1):
            y = at + height * (1 - k * step / high)
            out.append(f'<line class="grid" x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}"/><text class="text" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{k * step:g}</text>')
        for begin, end, what in PHASES:
            out.append(f'<rect x="{x(begin * SECONDS):.1f}" y="{at}" width="{width * (end - begin) * SECONDS / most:.1f}" height="{height}" fill="#d29922" opacity=".12"><title>{what} away</title></rect>')
        line = ' L'.join(f'{x(r["second"]):.1f} {at + height * (1 - r[column] / high):.1f}' for r in rows)
        out.append(f'<path class="axis" fill="none" d="M{left} {at} V{at + height} H{left + width}"/><path class="mailtap" stroke-width="1.5" d="M{line}"/>')
        out.append(f'<text class="text" x="{left}" y="{at - 8}">{column.replace("_mib", ", MiB").replace("_", " ")}</text>')
    for k in range(int(most / 60) + 1):
        if k % max(1, math.ceil(most / 60 / 10)) == 0:
            out.append(f'<text class="text" x="{x(k * 60):.1f}" y="{top + len(columns) * (height + 40) - 20}" text-anchor="middle">{k} min</text>')
    return '\n'.join(out) + '\n</svg>\n'


main()
