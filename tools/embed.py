#!/usr/bin/env python3
"""A file as a C++ array: embed.py FILE OUT.cpp NAMESPACE NAME gives NAMEBytes and NAMESize."""

import pathlib
import sys

source, out, namespace, name = sys.argv[1:]
data = pathlib.Path(source).read_bytes()
lines = [",".join(str(byte) for byte in data[at:at + 32]) for at in range(0, len(data), 32)]
pathlib.Path(out).write_text(
    "#include <cstddef>\n"
    f"namespace {namespace} {{\n"
    f"extern const unsigned char {name}Bytes[];\nextern const std::size_t {name}Size;\n"
    f"const unsigned char {name}Bytes[] = {{\n" + ",\n".join(lines) + "};\n"
    f"const std::size_t {name}Size = sizeof {name}Bytes;\n}}  // namespace {namespace}\n")
