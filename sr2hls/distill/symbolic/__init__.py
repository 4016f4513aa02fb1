"""What a trained network computes, as arrays, to formulas: fit, choice, constants, equality with a known law. No torch.

`fit` makes fronts of formulas of messages, of node functions and of pair energies; `choice` is the rule that takes one;
`sharpen` fits the constants of a whole law to accelerations and makes them simple; `select` takes the formula of a
front that is the best part of a law; `compose` makes models for the compiler; `equality` says whether a found law is
the true one.
"""
