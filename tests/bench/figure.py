"""A figure: what was measured, beside its floor and its rivals, and what it is to show."""
import statistics

from place import summary


class Figure:
    def __init__(self, name, title, unit, floor=None, across="links"):
        self.name, self.title, self.unit, self.floor, self.across = name, title, unit, floor, across
        self.samples = {}  # by way and number of links
        self.targets = []
        self.left_out = set()  # what could not be measured here

    def add(self, way, count, values):
        self.samples.setdefault((way, count), []).extend(values)

    def median(self, way, count):
        samples = self.samples.get((way, count))
        return summary(samples)["median"] if samples else None

    def target(self, text, value, limit):
        """`value` is to be at most `limit`; None: it wasn't measured."""
        if value is not None:
            self.targets.append({"text": text, "value": value, "limit": limit, "met": value <= limit})

    def ratio(self, way, count, other, other_count=None):
        one, two = self.median(way, count), self.median(other, count if other_count is None else other_count)
        return one / two if one and two else None

    def paired(self, way, count, other, other_count):
        """The median ratio of what was measured in the same round, in which the machine was as fast for both."""
        pairs = zip(self.samples.get((way, count), []), self.samples.get((other, other_count), []))
        ratios = [one / two for one, two in pairs]
        return statistics.median(ratios) if ratios else None

    def record(self):
        return {"title": self.title, "unit": self.unit, "floor": self.floor, "targets": self.targets,
                "values": [{"way": way, self.across: count, **summary(samples)}
                           for (way, count), samples in self.samples.items()]}

    def table(self):
        lines = [f"\n{self.title}  [{self.unit}]"]
        lines.append(f"  {self.across:>8}  {'way':<34} {'median':>11} {'quartiles':>23} {'p99':>10} {'to floor':>9}")
        for (way, count), samples in self.samples.items():
            found = summary(samples)
            floor = self.median(self.floor, count) if self.floor else None
            ratio = f"{found['median'] / floor:9.2f}" if floor else ""
            lines.append(f"  {count:>8}  {way:<34} {number(found['median']):>11} "
                         f"{number(found['low']) + ' to ' + number(found['high']):>23} {number(found['p99']):>10} {ratio}")
        lines += [f"  {what}: it fails here" for what in sorted(self.left_out)]
        for target in self.targets:
            lines.append(f"  {'met   ' if target['met'] else 'MISSED'}  {target['text']}: "
                         f"{number(target['value'], 4)}, at most {number(target['limit'])}")
        return "\n".join(lines)


def number(value, digits=3):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}" if value < 100 else f"{value:.1f}"
