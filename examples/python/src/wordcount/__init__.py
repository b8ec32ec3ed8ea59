"""Prints how many words standard input has."""

import sys


def count(lines):
    return sum(len(line.split()) for line in lines)


def main():
    print(count(sys.stdin))
