"""Ranges + an error target → number formats and error budgets, and the rules of the proof."""
