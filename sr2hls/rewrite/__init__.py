"""sympy → sympy: exact identities, chosen by hardware cost."""
