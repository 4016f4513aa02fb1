"""What a trained network computes, as arrays, to formulas: fit, choice, constants, equality with a known law. No torch.

`fit` makes formulas of messages, of node functions and of pair energies; `choice` picks one of a front; `constants`
sets the numbers of formulas free and makes them simple; `sharpen` and `scalars` fit the numbers of a whole law, and
properties of the bodies, to accelerations; `equality` says whether a found law is the true one.
"""
