"""The optimisation: operators, losses and stop rules make a problem, `fit` solves it once, `ensemble` many times."""
