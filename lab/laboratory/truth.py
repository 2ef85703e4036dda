"""The truth of a run, as JSON Lines: what was done to the world and when, to the millisecond, and
what each deed must and must not be taken for.

    run     which scenario, seed and title
    action  one deed
    fault   something that was really broken, from `began` until `ended`: the causes that are a right
            reading of it from outside, and those that would be wrong. What bites or heals gradually
            has a `began_latest` or `ended_latest` too.
    quiet   something done that is nobody's outage; `notice`: what may be said of the observer
    end     the run is over
"""

import datetime
import json

from .box import Failed


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def text_of(time):
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Truth:
    def __init__(self, scenario, seed, title, tell):
        self.lines = []
        self.tell = tell
        self._add(type="run", time=text_of(now()), scenario=scenario, seed=seed, title=title)

    def _add(self, **line):
        self.lines.append(line)
        return line

    def act(self, what):
        self._add(type="action", time=text_of(now()), what=what)
        self.tell(what)

    def begin(self, name, causes, wrong=(), **more):
        """A fault begins now; over() ends it. With undetermined=True no call is right either."""
        return self._add(type="fault", name=name, began=text_of(now()), ended=None, causes=list(causes),
                         **{"not": list(wrong)}, **more)

    def begin_quiet(self, name, because, **more):
        return self._add(type="quiet", name=name, began=text_of(now()), ended=None, because=because, **more)

    def over(self, line, time=None):
        ended = text_of(time or now())
        if ended < line["began"]:     # the texts are of one form, so they compare as times do
            raise Failed(f"the truth of {line['name']}: it would have ended at {ended}, before it began "
                         f"at {line['began']}")
        line["ended"] = ended

    def end(self):
        for line in self.lines:
            if line.get("ended", "") is None:
                self.over(line)
        self._add(type="end", time=text_of(now()))

    def text(self):
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines)
