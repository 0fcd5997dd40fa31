"""Block kriging: the best linear estimate of a fine field from its block means, and how wrong an estimate is.

`covariance` fits, `block` and `mosaic` estimate, `calibration` says how far to trust what is built upon them.
"""
