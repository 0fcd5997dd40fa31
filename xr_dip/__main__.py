"""``python -m xr_dip`` is the command ``xr-dip``."""

from xr_dip.cli import main

if __name__ == "__main__":
    main(prog_name="xr-dip")
