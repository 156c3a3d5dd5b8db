"""Label Studio's brushes."""

import numpy as np


def brush_mask(rle, width, height):
    """The mask [height, width] of run lengths, read as Label Studio's own code reads them; ours are runs alone."""
    bits = "".join(f"{byte:08b}" for byte in rle)
    at = 0

    def read(count):
        nonlocal at
        at += count
        return int(bits[at - count:at], 2)

    total, word = read(32), read(5) + 1
    lengths = [read(4) + 1 for _ in range(4)]
    values = []
    while len(values) < total:
        assert read(1), "a run"
        count = read(lengths[read(2)]) + 1
        values += [read(word)] * count
    assert total == len(values) == width * height * 4
    return np.array(values).reshape(height, width, 4)[:, :, 3] > 0
