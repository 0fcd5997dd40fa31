"""Many days in, many days out: a run that a kill cannot harm."""
