"""The order of the examples: from the first field to the choice of a method, not from A to Z."""

from pathlib import Path

STORIES = (
    "first_field",
    "coast",
    "uncertainty",
    "currents",
    "twin_experiment",
    "noisy_observations",
    "priors_and_baselines",
    "lazy_archive",
    "globe",
    "command_line",
)


class StoryOrder:
    """Sort key of sphinx-gallery: place of an example in `STORIES`.

    A class by name, not a function, so that the configuration can be pickled.
    """

    def __init__(self, src_dir: str) -> None:
        self.src_dir = src_dir

    def __repr__(self) -> str:
        """Say the same in each build: sphinx-gallery compares it to tell whether the configuration has changed."""
        return f"<{type(self).__name__}: {', '.join(STORIES)}>"

    def __call__(self, filename: str) -> int:
        """Return the place of a file, given by name or by path."""
        name = Path(filename).stem
        if name not in STORIES:
            raise ValueError(f"Invalid example '{filename}'. It must have a place in STORIES of {Path(__file__).name}.")
        return STORIES.index(name)
