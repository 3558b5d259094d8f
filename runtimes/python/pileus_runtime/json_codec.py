"""JSON without importing json: the C scanner and encoder directly, where they are as we know them."""

import os


class _ScannerOptions:
    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {"-Infinity": float("-inf"), "Infinity": float("inf"), "NaN": float("nan")}.__getitem__
    memo = {}


def make_loads():
    """json.loads without importing json: its C scanner directly, where it is as we know it."""
    try:
        from _json import make_scanner
        scan = make_scanner(_ScannerOptions)
        if scan('{"a": [1, 2.5, null]}', 0) != ({"a": [1, 2.5, None]}, 21):
            raise ValueError
    except Exception:
        import json
        return json.loads

    def loads(text):
        if not isinstance(text, str):
            text = text.decode("utf-8")
        begin = len(text) - len(text.lstrip(" \t\n\r"))
        try:
            value, end = scan(text, begin)
            if not text[end:].strip(" \t\n\r"):
                return value
        except (StopIteration, SystemError, ValueError):
            pass  # SystemError: the scanner wants json.decoder's exception, which is not loaded
        import json  # malformed: let json say how
        return json.loads(text)

    return loads


class _Raw(str):
    """Text that goes into JSON as it is: how a Decimal keeps all its digits."""


class _HasDecimal(Exception):
    pass


def _is_decimal(kind):
    return kind.__name__ == "Decimal" and kind.__module__ == "decimal"


def _refuse(value):
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def _default(value):
    if _is_decimal(type(value)):
        raise _HasDecimal
    _refuse(value)


def _default_with_decimals(value):
    if _is_decimal(type(value)):
        return float("nan") if value.is_nan() else _Raw(value)
    _refuse(value)


def _default_plain(value):  # an interpreter whose C encoder we do not know: Decimals as floats
    return float(value) if _is_decimal(type(value)) else _refuse(value)


def _without_named_tuples(value):
    """AWS's encoder writes named tuples as objects; the standard one as lists."""
    if isinstance(value, tuple):
        if hasattr(value, "_asdict"):
            value = value._asdict()
        else:
            return [_without_named_tuples(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_named_tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_named_tuples(item) for item in value]
    return value


_SCALARS = frozenset((str, int, float, bool, type(None)))


def _has_named_tuple(value):
    kind = type(value)
    if kind is dict:
        items = value.values()
    elif kind is list:
        items = value
    elif isinstance(value, tuple):
        if hasattr(value, "_asdict"):
            return True
        items = value
    elif isinstance(value, dict):
        items = value.values()
    elif isinstance(value, list):
        items = value
    else:
        return False
    for item in items:
        if type(item) not in _SCALARS and _has_named_tuple(item):
            return True
    return False


def make_dumps():
    """The answer's encoder: (', ', ': '), NaN allowed; non-ASCII is escaped before Python 3.12."""
    runtime = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("_python")[2]
    version = runtime.split(".") if runtime else ()
    if len(version) == 2 and version[0] == "3" and version[1].isdigit():
        escape_non_ascii = int(version[1]) < 12
    else:
        escape_non_ascii = True
    from _json import encode_basestring, encode_basestring_ascii
    quote = encode_basestring_ascii if escape_non_ascii else encode_basestring

    def quote_or_raw(text):
        return str.__str__(text) if type(text) is _Raw else quote(text)

    try:
        from _json import make_encoder
        probe = make_encoder({}, _default, quote, None, ": ", ", ", False, False, True)
        if "".join(probe({"a": [1, 2.5, None, True]}, 0)) != '{"a": [1, 2.5, null, true]}':
            raise ValueError
    except Exception:
        import json
        return json.JSONEncoder(ensure_ascii=escape_non_ascii, default=_default_plain).encode

    def encode(value, default, quoter):
        encoder = make_encoder({}, default, quoter, None, ": ", ", ", False, False, True)
        return "".join(encoder(value, 0))

    def dumps(value):
        try:
            if type(value) is str:
                return quote(value)
            if type(value) not in _SCALARS and _has_named_tuple(value):
                value = _without_named_tuples(value)
        except RecursionError:
            pass  # the encoder says what is wrong
        try:
            return encode(value, _default, quote)
        except _HasDecimal:
            return encode(value, _default_with_decimals, quote_or_raw)

    return dumps
