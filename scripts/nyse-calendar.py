#!/usr/bin/env python3
"""Makes and checks domain/market/nyse.json, the table of NYSE sessions from 2000-01-01 to 2028-12-31.

    pip install exchange_calendars==4.13.2
    python3 scripts/nyse-calendar.py            writes the table
    python3 scripts/nyse-calendar.py --check    compares it; exits with 1 on any difference

The source is the calendar XNYS of exchange_calendars, asked for exactly this range. Its sessions of future years
follow the published rules: run the check again with each new release, and add what the exchange announces meanwhile
as operator overrides.

Form of the table: `hours` gives open and close in UTC under a letter; `years` lists the sessions of a year as
month, day and letter ("0703e"). The closings and half days of the exchange's own release for 2026, and the
unplanned closings since 2000, are asserted here by hand so that a wrong source can not pass unseen.
"""
import json
import sys
from pathlib import Path

import exchange_calendars

FIRST, LAST = "2000-01-01", "2028-12-31"
TARGET = Path(__file__).resolve().parent.parent / "domain" / "market" / "nyse.json"
HOURS = {
    "s": {"open": "13:30", "close": "20:00", "early": False},
    "w": {"open": "14:30", "close": "21:00", "early": False},
    "e": {"open": "13:30", "close": "17:00", "early": True},
    "f": {"open": "14:30", "close": "18:00", "early": True},
}
SHUT = """2001-09-11 2001-09-12 2001-09-13 2001-09-14 2004-06-11 2007-01-02 2012-10-29 2012-10-30 2018-12-05 2025-01-09
2026-01-01 2026-01-19 2026-02-16 2026-04-03 2026-05-25 2026-06-19 2026-07-03 2026-09-07 2026-11-26 2026-12-25""".split()
EARLY = "2025-07-03 2025-11-28 2025-12-24 2026-11-27 2026-12-24".split()


def build():
    schedule = exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST).schedule
    letters = {(hours["open"], hours["close"]): letter for letter, hours in HOURS.items()}
    years = {}
    for day, row in schedule.iterrows():
        opens, closes = row["open"], row["close"]
        if opens.date() != day.date() or closes.date() != day.date():
            raise SystemExit(f"{day.date()}: open or close falls on another UTC date; the table can not say that")
        key = (opens.strftime("%H:%M"), closes.strftime("%H:%M"))
        if key not in letters:
            raise SystemExit(f"{day.date()}: hours {key} have no letter; add one to HOURS")
        years.setdefault(f"{day.year}", []).append(day.strftime("%m%d") + letters[key])
    table = {"first": FIRST, "last": LAST, "hours": HOURS, "years": {y: " ".join(s) for y, s in years.items()}}
    assert_known_days(table)
    return table


def assert_known_days(table):
    days = {f"{y}-{s[:2]}-{s[2:4]}": s[4] for y, line in table["years"].items() for s in line.split()}
    wrong = [day for day in SHUT if day in days]
    wrong += [day for day in EARLY if day not in days or not table["hours"][days[day]]["early"]]
    if wrong:
        raise SystemExit(f"the source contradicts what the exchange published for: {', '.join(wrong)}")


def differences(committed, fresh):
    if {k: v for k, v in committed.items() if k != "years"} != {k: v for k, v in fresh.items() if k != "years"}:
        yield "the range or the hours differ"
    for year in sorted({*committed["years"], *fresh["years"]}):
        ours = set(committed["years"].get(year, "").split())
        theirs = set(fresh["years"].get(year, "").split())
        for entry in sorted(ours ^ theirs):
            where = "only in the committed table" if entry in ours else "only in exchange_calendars"
            yield f"{year}-{entry[:2]}-{entry[2:4]} ({entry[4:]}) is {where}"
        if ours == theirs and committed["years"].get(year) != fresh["years"].get(year):
            yield f"{year} lists its sessions in another order"


def main():
    fresh = build()
    count = sum(len(line.split()) for line in fresh["years"].values())
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(json.dumps(fresh, indent=1) + "\n")
        print(f"wrote {count} sessions to {TARGET.name}")
        return 0
    found = list(differences(json.loads(TARGET.read_text()), fresh))
    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(found)} differences in {count} sessions (exchange_calendars {exchange_calendars.__version__})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
