"""Draws what growth.py measured: a panel each, x in powers of ten, y from 0."""
import math

WIDTH, HEIGHT, LEFT, TOP, GAP, BOTTOM = 380, 240, 64, 48, 70, 62

HEAD = '''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" font-family="sans-serif" font-size="12" role="img" aria-label="{title}">
<title>{title}</title>
<style>
  .back {{ fill: #ffffff }} .text {{ fill: #24292f }} .grid {{ stroke: #d0d7de }} .axis {{ stroke: #57606a }}
  .mailtap {{ stroke: #0969da; fill: none }} .mailtap-dot {{ fill: #0969da }} .tcpdump {{ stroke: #8250df; fill: none }} .tcpdump-dot {{ fill: #8250df }}
  .bound {{ stroke: #cf222e; fill: none }}
  @media (prefers-color-scheme: dark) {{
    .back {{ fill: #0d1117 }} .text {{ fill: #e6edf3 }} .grid {{ stroke: #30363d }} .axis {{ stroke: #8b949e }}
    .mailtap {{ stroke: #58a6ff }} .mailtap-dot {{ fill: #58a6ff }} .tcpdump {{ stroke: #bc8cff }} .tcpdump-dot {{ fill: #bc8cff }}
    .bound {{ stroke: #ff7b72 }}
  }}
</style>
<rect class="back" width="{w}" height="{h}"/>
'''


def step_of(top):
    """A round distance of grid lines, some five of them."""
    raw = top / 5
    ten = 10 ** math.floor(math.log10(raw))
    return next(m * ten for m in (1, 2, 5, 10) if m * ten >= raw)


def words(n):
    return f'{n // 1_000_000} M' if n >= 1_000_000 else f'{n // 1000} k' if n >= 1000 else str(n)


def panel(at, label, rows, top, step):
    low, high = math.log10(rows[0][0]), math.log10(rows[-1][0])
    x = lambda n: at + 20 + (WIDTH - 40) * (math.log10(n) - low) / max(high - low, 1e-9)
    y = lambda ns: TOP + HEIGHT * (1 - ns / top)
    out = []
    for i in range(int(top / step) + 1):
        out.append(f'<line class="grid" x1="{at}" x2="{at + WIDTH}" y1="{y(i * step):.1f}" y2="{y(i * step):.1f}"/>')
        out.append(f'<text class="text" x="{at - 8}" y="{y(i * step) + 4:.1f}" text-anchor="end">{i * step:.0f}</text>')
    out.append(f'<path class="axis" fill="none" d="M{at} {TOP} V{TOP + HEIGHT} H{at + WIDTH}"/>')
    bound = 1.3 * rows[0][2]
    out.append(f'<path class="bound" stroke-dasharray="5 4" d="M{at} {y(bound):.1f} H{at + WIDTH}"/>')
    out.append(f'<text class="text" x="{at + 6}" y="{y(bound) - 5:.1f}">1.3 × the first</text>')
    for name, column, below in (('mailtap', 2, 17), ('tcpdump', 3, -9)):
        line = ' L'.join(f'{x(r[0]):.1f} {y(r[column]):.1f}' for r in rows)
        out.append(f'<path class="{name}" stroke-width="2" d="M{line}"/>')
        out += [f'<circle class="{name}-dot" cx="{x(r[0]):.1f}" cy="{y(r[column]):.1f}" r="3.5"/>' for r in rows]
        out += [f'<text class="text" x="{x(r[0]):.1f}" y="{y(r[column]) + below:.1f}" text-anchor="middle" font-size="11">{r[column]:.0f}</text>' for r in rows]
    out += [f'<text class="text" x="{x(r[0]):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{words(r[0])}</text>' for r in rows]
    out.append(f'<text class="text" x="{at + WIDTH / 2}" y="{TOP + HEIGHT + 42}" text-anchor="middle">{label}</text>')
    return out


def svg(panels):
    """panels: (label of x, rows of [x, packets, ns of mailtap, ns of tcpdump, ...])."""
    top = 1.15 * max(max(1.3 * rows[0][2], *(r[2] for r in rows), *(r[3] for r in rows)) for _, rows in panels)
    step = step_of(top)
    top = math.ceil(top / step) * step
    w, h = LEFT + len(panels) * (WIDTH + GAP) - GAP + 24, TOP + HEIGHT + BOTTOM
    out = [HEAD.format(w=w, h=h, title='CPU time a packet by concurrent connections and by minutes of traffic')]
    out.append(f'<text class="text" x="12" y="22">CPU time a packet, ns</text>')
    out.append(f'<rect class="mailtap-dot" x="{LEFT + 130}" y="15" width="16" height="4"/><text class="text" x="{LEFT + 152}" y="22">mailtap, one shard</text>')
    out.append(f'<rect class="tcpdump-dot" x="{LEFT + 282}" y="15" width="16" height="4"/><text class="text" x="{LEFT + 304}" y="22">tcpdump with a port filter, for reference</text>')
    for i, (label, rows) in enumerate(panels):
        out += panel(LEFT + i * (WIDTH + GAP), label, rows, top, step)
    return '\n'.join(out) + '\n</svg>\n'
