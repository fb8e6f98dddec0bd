"""What whole processes cost: CPU and wall seconds, resident memory; used by bench-table.py and growth.py."""
import os, re, statistics, subprocess, sys, time

FILTER = 'tcp port 25 or tcp port 465 or tcp port 587'


def mailtap(program, capture, shards=1, **settings):
    """A command and its environment: mailtap reads a capture and its records are thrown away."""
    env = dict(os.environ, MAILTAP_SHARDS=str(shards), MAILTAP_LOG_LEVEL='error')
    env.update({'MAILTAP_' + k: v for k, v in settings.items()})
    return [program, 'read', '--format', 'json', capture], env


def tcpdump(capture):
    return ['tcpdump', '-n', '-r', capture, '-w', '/dev/null', FILTER], None


def once(argv, env):
    """CPU seconds, wall seconds, resident MiB at most."""
    start = time.monotonic()
    p = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    err = p.stderr.read()
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    p.stderr.close()
    if p.returncode:
        sys.exit(f'{argv[0]} ended with {p.returncode}: {err.decode(errors="replace")[-300:]}')
    return used.ru_utime + used.ru_stime, time.monotonic() - start, used.ru_maxrss / 1024


def in_turn(commands, runs, captures={}):
    """Medians of each command, run in turn, so that a slow minute of the machine hits all of them."""
    got = {name: [] for name in commands}
    for _ in range(runs):
        for name, (argv, env) in commands.items():
            touch(captures.get(name))
            got[name].append(once(argv, env))
    return {name: [statistics.median(column) for column in zip(*rows)] for name, rows in got.items()}


def touch(path):
    """Reads a file, so that it lies in the page cache."""
    if path:
        with open(path, 'rb') as f:
            while f.read(1 << 20):
                pass


def machine():
    with open('/proc/cpuinfo') as f:
        model = re.search(r'model name\s*: (.*)', f.read())
    with open('/proc/meminfo') as f:
        kib = int(re.search(r'MemTotal:\s*(\d+)', f.read()).group(1))
    return f'{len(os.sched_getaffinity(0))} vCPU {model.group(1) if model else "of an unknown kind"}, {round(kib / 2**20)} GiB'


def replace(path, mark, text):
    """Puts text between <!-- mark: begin ... --> and <!-- mark: end --> of a file."""
    with open(path) as f:
        old = f.read()
    new, n = re.subn(rf'(<!-- {mark}: begin[^\n]*-->\n).*?(<!-- {mark}: end -->)', lambda m: m[1] + text.rstrip('\n') + '\n' + m[2], old, flags=re.S)
    if n != 1:
        sys.exit(f'{path} has no place for {mark}')
    with open(path, 'w') as f:
        f.write(new)
