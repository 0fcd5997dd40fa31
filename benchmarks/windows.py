"""The sweep of the robustness benchmark: many windows of all samples, placed by chance once and then frozen.

Sizes and factors were fixed first; each window was then put at random, by one seed, where a file has nothing but sea,
the files taking turns as far as they are large enough. Nobody looked at a score.
"""

from __future__ import annotations

from fields import Field

# sample, day, first row, first column, coarse rows, coarse columns, factor
_PLACES = (
    ("mediterranean", 79, 23, 169, 10, 10, 3),
    ("black_sea", 0, 16, 31, 6, 19, 3),
    ("balearic", 0, 419, 231, 16, 16, 3),
    ("glo12", 6, 0, 23, 12, 38, 3),
    ("glo12", 7, 2, 84, 25, 20, 3),
    ("glo12", 2, 2, 49, 24, 24, 3),
    ("global_duacs", 0, 343, 896, 32, 32, 3),
    ("black_sea", 0, 12, 16, 6, 6, 4),
    ("mediterranean", 1, 23, 180, 8, 8, 4),
    ("osmosis", 0, 112, 93, 12, 13, 4),
    ("glo12", 1, 2, 42, 8, 24, 4),
    ("glo12", 0, 6, 70, 16, 16, 4),
    ("glo12", 4, 2, 10, 20, 25, 4),
    ("global_duacs", 0, 184, 1301, 32, 32, 4),
    ("gulf_stream_fine_200908", 0, 288, 50, 10, 10, 5),
    ("glo12", 3, 34, 8, 6, 19, 5),
    ("gulf_stream_fine_201001", 0, 21, 167, 13, 12, 5),
    ("gulf_stream_fine_200908", 0, 340, 0, 8, 24, 5),
    ("gulf_stream_fine_200908", 0, 102, 5, 12, 38, 5),
    ("gulf_stream_fine_201001", 0, 226, 105, 24, 24, 5),
    ("mediterranean", 90, 21, 170, 6, 6, 6),
    ("gulf_stream_fine", 0, 240, 121, 8, 8, 6),
    ("gulf_stream_fine_201001", 0, 28, 236, 10, 10, 6),
    ("gulf_stream_fine", 0, 45, 35, 16, 16, 6),
    ("balearic", 0, 67, 171, 20, 25, 6),
    ("global_duacs", 0, 151, 888, 32, 32, 6),
    ("balearic", 0, 179, 278, 6, 6, 8),
    ("global_duacs", 0, 490, 753, 8, 8, 8),
    ("global_duacs", 0, 100, 710, 12, 13, 8),
    ("osmosis", 0, 56, 8, 16, 16, 8),
    ("osmosis", 0, 74, 42, 38, 12, 8),
    ("gulf_stream_fine", 0, 67, 48, 25, 20, 8),
    ("global_duacs", 0, 361, 600, 24, 24, 8),
    ("global_duacs", 0, 139, 804, 32, 32, 8),
    ("balearic", 0, 349, 183, 8, 8, 12),
    ("gulf_stream_fine", 0, 227, 36, 10, 10, 12),
    ("gulf_stream_fine_200908", 0, 35, 208, 19, 6, 12),
    ("balearic", 0, 48, 188, 13, 12, 12),
    ("balearic", 0, 71, 48, 8, 24, 12),
    ("gulf_stream_fine_200908", 0, 85, 9, 25, 20, 12),
    ("gulf_stream_fine_201001", 0, 92, 7, 24, 24, 12),
    ("gulf_stream_fine_201001", 0, 129, 77, 6, 6, 16),
    ("osmosis", 0, 205, 9, 10, 10, 16),
    ("balearic", 0, 72, 233, 19, 6, 16),
    ("osmosis", 0, 216, 10, 13, 12, 16),
    ("osmosis", 0, 26, 18, 24, 8, 16),
    ("gulf_stream_fine", 0, 93, 11, 16, 16, 16),
    ("gulf_stream_fine", 0, 0, 2, 24, 19, 16),
    ("gulf_stream_fine_200908", 0, 106, 114, 6, 6, 32),
    ("gulf_stream_fine", 0, 129, 82, 6, 6, 32),
    ("gulf_stream_fine_200908", 0, 118, 36, 8, 8, 32),
    ("gulf_stream_fine_201001", 0, 95, 21, 8, 8, 32),
    ("osmosis", 0, 3, 4, 14, 6, 32),
    ("gulf_stream_fine_201001", 0, 1, 14, 12, 9, 32),
)


def _name(sample: str, day: int, row: int, column: int, rows: int, columns: int, factor: int) -> str:
    return f"{sample}_{day}_{row}_{column}_{rows}x{columns}_x{factor}"


SWEEP = tuple(
    Field(
        _name(sample, day, row, column, rows, columns, factor),
        sample,
        (row, row + rows * factor),
        (column, column + columns * factor),
        day,
        (factor,),
    )
    for sample, day, row, column, rows, columns, factor in _PLACES
)
"""Each with the one factor that it is for."""
