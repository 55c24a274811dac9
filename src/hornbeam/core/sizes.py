"""Sizes for people to read."""


def readable_size(count: int) -> str:
    """Return a number of bytes in the unit that suits it.

    >>> [readable_size(n) for n in (12, 3456, 7890123, 4_500_000_000)]
    ['12 B', '3.5 kB', '7.9 MB', '4.5 GB']
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
