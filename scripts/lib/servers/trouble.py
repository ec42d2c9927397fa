import sys


class Trouble(Exception):
    """Something the person at the keyboard can act on."""


def say(text):
    print(text, file=sys.stderr, flush=True)
