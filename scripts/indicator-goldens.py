#!/usr/bin/env python3
"""Makes domain/indicators/goldens/*.json, the values that our indicators must agree with.

    pip install TA-Lib==0.8.2 pynesys-pynecore==6.11.0 numpy       (Python 3.11 or later; `npm ci` before)
    python3 scripts/indicator-goldens.py

The oracle of SMA, EMA, RSI, MACD, Bollinger Bands, ATR, the volume average and ADX with its +DI and -DI is TA-Lib 0.8.1
(C), called through TA-Lib 0.8.2 of PyPI. TA-Lib has no SuperTrend: its reference is `ta.supertrend` of PyneCore 6.11.0, an independent
implementation of TradingView's Pine Script checked by its authors against TradingView. Its own ATR starts at the first
bar, so `ta.atr` is replaced by the values of TA-Lib's ATR; the rest of its SuperTrend runs as published. Pine writes
the direction as 1 for falling; here the sign is turned, so that 1 means that the price is above the line.

A golden holds, for each set of parameters and each series, TA-Lib's lookback and the values after it, with 13
significant digits: all of them, or every `stride`-th. Bars come from two npm packages, or are made here by a small
generator of our own, so that no version of numpy changes them.
"""
import csv
import json
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pynecore.lib.ta as pine
import talib
from pynecore.core.script_runner import ScriptRunner
from pynecore.core.syminfo import SymInfo
from pynecore.types.ohlcv import OHLCV
from talib import abstract

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "domain" / "indicators" / "goldens"
COLUMNS = ("open", "high", "low", "close", "volume")
FILES = {
    "aapl": "node_modules/@observablehq/sample-datasets/aapl.csv",
    "sp500": "node_modules/vega-datasets/data/sp500-2000.csv",
}
DEFAULT = {
    "sma": [20, 50, 200], "ema": [12, 26], "rsi": 14, "macd": {"fast": 12, "slow": 26, "signal": 9},
    "bollinger": {"period": 20, "deviations": 2}, "atr": 14, "superTrend": {"period": 10, "multiplier": 3},
    "volumeAverage": 20,
}
OTHER = {
    "sma": [1, 2, 7, 120], "ema": [1, 2, 100], "rsi": 2, "macd": {"fast": 2, "slow": 3, "signal": 1},
    "bollinger": {"period": 2, "deviations": 1.5}, "atr": 1, "superTrend": {"period": 3, "multiplier": 0.75},
    "volumeAverage": 5,
}
SHORT = {
    "sma": [5, 12], "ema": [3, 8], "rsi": 9, "macd": {"fast": 3, "slow": 7, "signal": 4},
    "bollinger": {"period": 6, "deviations": 2}, "atr": 4, "superTrend": {"period": 10, "multiplier": 2},
    "volumeAverage": 11,
}
PINE_SCRIPT = '''"""@pyne"""
from pynecore.lib import script, ta, plot

@script.indicator(title="reference", overlay=True)
def main():
    line, direction = ta.supertrend({multiplier}, {period})
    plot(line, title="line")
    plot(direction, title="direction")
'''


def super_trend(bars, period, multiplier):
    """PyneCore's ta.supertrend over TA-Lib's ATR: line, direction (1 rising)."""
    count = len(bars["close"])
    ranges = talib.ATR(bars["high"], bars["low"], bars["close"], timeperiod=period)
    start = datetime(2000, 1, 1, tzinfo=timezone.utc)
    candles = [
        OHLCV(int((start + timedelta(days=i)).timestamp()), *(float(bars[name][i]) for name in COLUMNS))
        for i in range(count)
    ]
    info = SymInfo(
        prefix="KEEL", description="", ticker="GOLDEN", currency="USD", period="1D", type="stock", mintick=1e-8,
        pricescale=10**8, pointvalue=1.0, mincontract=1.0, opening_hours=[], session_starts=[], session_ends=[],
    )
    own = pine.atr
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "reference.py"
        path.write_text(PINE_SCRIPT.format(period=period, multiplier=float(multiplier)))
        runner = ScriptRunner(
            path, iter(candles), info, last_bar_index=count - 1, last_bar_time=candles[-1].timestamp,
            lossless_prices=True, lossless_volume=True,
        )

        def known(*_):
            return float(ranges[runner.bar_index])

        known.__pyne_layout__ = own.__pyne_layout__
        pine.atr = known
        try:
            rows = [dict(result[1]) for result in runner.run_iter()]
        finally:
            pine.atr = own
    line = np.array([row["line"] for row in rows], dtype=float)
    direction = -np.array([row["direction"] for row in rows], dtype=float)
    return line, direction


def lookback(name, **parameters):
    return abstract.Function(name, **parameters).lookback


def compute(bars, p):
    """Name → (lookback, values as long as the bars)."""
    high, low, close, volume = (bars[name] for name in ("high", "low", "close", "volume"))
    result = {}
    for n in p["sma"]:
        result[f"sma{n}"] = lookback("SMA", timeperiod=n), talib.SMA(close, timeperiod=n)
    for n in p["ema"]:
        result[f"ema{n}"] = lookback("EMA", timeperiod=n), talib.EMA(close, timeperiod=n)
    result["rsi"] = lookback("RSI", timeperiod=p["rsi"]), talib.RSI(close, timeperiod=p["rsi"])
    periods = {"fastperiod": p["macd"]["fast"], "slowperiod": p["macd"]["slow"], "signalperiod": p["macd"]["signal"]}
    for name, values in zip(("macd", "macdSignal", "macdHistogram"), talib.MACD(close, **periods)):
        result[name] = lookback("MACD", **periods), values
    width = float(p["bollinger"]["deviations"])
    bands = {"timeperiod": p["bollinger"]["period"], "nbdevup": width, "nbdevdn": width, "matype": 0}
    for name, values in zip(("bollingerUpper", "bollingerMiddle", "bollingerLower"), talib.BBANDS(close, **bands)):
        result[name] = lookback("BBANDS", **bands), values
    result["atr"] = lookback("ATR", timeperiod=p["atr"]), talib.ATR(high, low, close, timeperiod=p["atr"])
    period = p["superTrend"]["period"]
    for name, values in zip(("superTrend", "superTrendDirection"), super_trend(bars, **p["superTrend"])):
        result[name] = lookback("ATR", timeperiod=period), values
    n = p["volumeAverage"]
    result["volumeAverage"] = lookback("SMA", timeperiod=n), talib.SMA(volume, timeperiod=n)
    return result


def numbers(values):
    if not np.all(np.isfinite(values)):
        raise SystemExit("the reference gave no number after its warm-up")
    return [float(f"{value:.13g}") for value in values]


def write(name, source, bars, sets, stride=1, committed_bars=True):
    golden = {"source": source, "stride": stride, "sets": []}
    if committed_bars:
        golden["bars"] = {column: bars[column].tolist() for column in COLUMNS}
    for parameters in sets:
        series = {
            key: {"lookback": first, "values": numbers(values[first::stride])}
            for key, (first, values) in compute(bars, parameters).items()
        }
        golden["sets"].append({"parameters": parameters, "series": series})
    save(name, golden)


def save(name, golden):
    text = json.dumps({"oracle": f"TA-Lib {talib.__ta_version__.decode().split()[0]}", **golden}, separators=(",", ":"))
    (TARGET / f"{name}.json").write_text(text + "\n")
    print(f"{name}: {len(text) // 1024} KB")


def write_short(bars):
    """The first bars of a walk, cut around every warm-up: the last values of each series, or null as a whole."""
    firsts = {first for first, _ in compute(bars, SHORT).values()}
    lengths = sorted({1, 2} | {first + more for first in firsts for more in (0, 1, 2)})
    cases = []
    for length in lengths:
        cut = {column: bars[column][:length] for column in COLUMNS}
        last = {
            key: numbers(values[max(first, length - 3):]) if length > first else None
            for key, (first, values) in compute(cut, SHORT).items()
        }
        cases.append({"length": length, "last": last})
    end = lengths[-1]
    columns = {column: bars[column][:end].tolist() for column in COLUMNS}
    save("short", {"source": "the first bars of the walk", "parameters": SHORT, "bars": columns, "cases": cases})


def write_directional(named):
    """ADX, +DI and -DI, which no chart shows: a file of their own, on the bars of the other goldens."""
    cases = []
    for name, bars in named.items():
        stride = 7 if name == "sp500" else 1
        high, low, close = (bars[column] for column in ("high", "low", "close"))
        for period in (14, 2, 9) if name == "walk" else (14,):
            series = {}
            for key, function in (("adx", "ADX"), ("plus", "PLUS_DI"), ("minus", "MINUS_DI")):
                first = lookback(function, timeperiod=period)
                values = getattr(talib, function)(high, low, close, timeperiod=period)
                series[key] = {"lookback": first, "values": numbers(values[first::stride])}
            cases.append({"golden": name, "period": period, "stride": stride, "series": series})
    save("directional", {"source": "the bars of the other files", "cases": cases})


def read(name):
    with open(ROOT / FILES[name], newline="") as file:
        rows = [{key.lower(): value for key, value in row.items()} for row in csv.DictReader(file)]
    return {column: np.array([float(row[column]) for row in rows]) for column in COLUMNS}


def walk(count, start=100.0, step=0.02, gap=0.0, every=0):
    """A seeded walk: uniform steps in shares of the price, and a jump at the open of every so many bars."""
    state = 20140707

    def uniform():
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 11) / 2**53

    bars = {column: [] for column in COLUMNS}
    price = start
    for i in range(count):
        jump = gap * (1 if uniform() < 0.5 else -1) if every and i % every == 1 else 0.0
        opens = round(price * (1 + jump), 4)
        close = round(opens * (1 + (uniform() - 0.5) * step), 4)
        bars["open"].append(opens)
        bars["high"].append(round(max(opens, close) * (1 + uniform() * step / 4), 4))
        bars["low"].append(round(min(opens, close) * (1 - uniform() * step / 4), 4))
        bars["close"].append(close)
        bars["volume"].append(float(int(uniform() * 1e7)))
        price = close
    return {column: np.array(values) for column, values in bars.items()}


def main():
    TARGET.mkdir(exist_ok=True)
    walked = walk(600)
    flat = {column: np.full(300, 1000.0 if column == "volume" else 12.34) for column in COLUMNS}
    # Bar 90 of this walk is in a rise, so that the bands of SuperTrend meet while the line is the lower one.
    rising = walk(90)
    still = {c: np.concatenate([rising[c], np.full(450, 500.0 if c == "volume" else rising["close"][-1])]) for c in COLUMNS}
    gaps = walk(500, gap=0.25, every=13)
    large = walk(500, start=1e8, step=1e-6)
    write("aapl", FILES["aapl"], read("aapl"), [DEFAULT], committed_bars=False)
    write("sp500", FILES["sp500"], read("sp500"), [DEFAULT, OTHER], stride=7, committed_bars=False)
    write("walk", "a seeded walk", walked, [DEFAULT, OTHER])
    write("flat", "300 bars without any movement", flat, [DEFAULT])
    write("still", "90 bars of a walk, then 450 at its last close", still, [DEFAULT])
    write("gaps", "a seeded walk that opens 25 % away on every 13th bar", gaps, [DEFAULT])
    write("large", "a seeded walk at a price of 100 million, in steps of a hundredth of a basis point", large, [DEFAULT])
    write_short(walk(60))
    write_directional({
        "aapl": read("aapl"), "sp500": read("sp500"), "walk": walked, "flat": flat, "still": still, "gaps": gaps,
        "large": large,
    })


if __name__ == "__main__":
    main()
