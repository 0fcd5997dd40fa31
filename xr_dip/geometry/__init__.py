"""Where cells are: grids as immutable values, on the ellipsoid. Knows no fields, files or networks."""
