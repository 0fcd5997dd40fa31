"""A feed-forward student of ensemble results: trained on some days, applied to others at a small part of the cost.

A student is kriging with the covariance of its training days, and a small convolutional network that proposes what lies
in the null space of the block means, and the standard error. Its block means are those of the input for any weights.

1. `lessons`: the days that have both a coarse field and an estimate, as arrays.
2. `standard`: what the network sees of a coarse field.
3. `network`, `training`: the network, and its one loop.
4. `student`: a trained network and its settings, as a value that is applied, saved and loaded.
"""
