#!/usr/bin/env python3
"""Writes src/text/data/html_entities.txt, the named character references of HTML 5.

One reference a line: the name (with its semicolon where it has one), a space, the characters it
stands for, in UTF-8. Sorted by name, for a binary search. Line feeds are written as U+240A, the only
character that would break the format. Python 3.11's html.entities gives 2,231 of them.
"""
import html.entities
import pathlib

OUTPUT = pathlib.Path(__file__).parent.parent / "src/text/data/html_entities.txt"
LINE_FEED_SYMBOL = "\N{SYMBOL FOR LINE FEED}"


def main():
    lines = []
    for name, characters in sorted(html.entities.html5.items()):
        assert LINE_FEED_SYMBOL not in characters
        lines.append(f"{name} {characters.replace(chr(10), LINE_FEED_SYMBOL)}\n")
    OUTPUT.write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
