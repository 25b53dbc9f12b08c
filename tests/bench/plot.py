"""A figure as an SVG: both axes logarithmic, a line for each way, its name at its end."""
import math
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 460, 80, 250, 50, 50
COLOURS = ("#0b6e4f", "#c8553d", "#2f5d8c", "#8e5ea2", "#b8860b", "#555555", "#d1495b", "#1b998b", "#7a5c3e", "#4b6cb7",
           "#999933", "#aa4499")


def decades(values):
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def spread(places, gap=14):
    """Moves labels apart that would cover each other."""
    placed, last = {}, -math.inf
    for place, name in sorted((place, name) for name, place in places.items()):
        last = placed[name] = max(place, last + gap)
    return placed


def bars(figure):
    """Where there is one number of links only: a bar for each way."""
    values = [(f"{way}" if len({c for _, c in figure.samples}) == 1 else f"{way}, {count}", figure.median(way, count))
              for way, count in figure.samples]
    height = TOP + 22 * len(values) + 20
    top = max(value for _, value in values) or 1
    parts = [f'<text x="20" y="28" font-size="16" font-weight="600">{escape(figure.title)} [{escape(figure.unit)}]</text>']
    for index, (name, value) in enumerate(values):
        y, width = TOP + 22 * index, max(1, 440 * value / top)
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<text x="270" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
                     f'<rect x="280" y="{y}" width="{width:.1f}" height="16" fill="{colour}"/>'
                     f'<text x="{286 + width:.1f}" y="{y + 13}">{value:,.4g}</text>')
    return wrap(parts, height)


def wrap(parts, height=HEIGHT):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n')


def svg(figure):
    counts = sorted({count for _, count in figure.samples if count > 0})
    if len(counts) < 2:
        return bars(figure)
    medians = {key: figure.median(*key) for key in figure.samples}
    x_low, x_high = decades(counts)
    y_low, y_high = decades([value for value in medians.values() if value > 0])
    x = lambda count: LEFT + (math.log10(count) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)
    y = lambda value: HEIGHT - BOTTOM - (math.log10(value) - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)
    parts = [f'<text x="20" y="28" font-size="16" font-weight="600">{escape(figure.title)} [{escape(figure.unit)}]</text>']
    for power in range(x_low, x_high + 1):
        parts.append(f'<line x1="{x(10 ** power):.1f}" x2="{x(10 ** power):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" '
                     f'stroke="#ddd"/><text x="{x(10 ** power):.1f}" y="{HEIGHT - BOTTOM + 18}" '
                     f'text-anchor="middle">{10 ** power:,}</text>')
    for power in range(y_low, y_high + 1):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(10.0 ** power):.1f}" y2="{y(10.0 ** power):.1f}" '
                     f'stroke="#ddd"/><text x="{LEFT - 8}" y="{y(10.0 ** power) + 4:.1f}" '
                     f'text-anchor="end">{10.0 ** power:,.6g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{figure.across}</text>')
    ways = list(dict.fromkeys(way for way, _ in figure.samples))
    lines = {way: [(count, medians[way, count]) for count in counts if medians.get((way, count))] for way in ways}
    ends = spread({way: y(line[-1][1]) for way, line in lines.items() if line})
    for index, way in enumerate(way for way in ways if lines[way]):
        colour = COLOURS[index % len(COLOURS)]
        points = " ".join(f"{x(count):.1f},{y(value):.1f}" for count, value in lines[way])
        dash = ' stroke-dasharray="5 4"' if way == figure.floor else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        parts += [f'<circle cx="{x(count):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>' for count, value in lines[way]]
        parts.append(f'<text x="{WIDTH - RIGHT + 12}" y="{ends[way] + 4:.1f}" fill="{colour}">{escape(way)}</text>')
    return wrap(parts)
