"""Formulas + input domains → proven ranges, by interval arithmetic with outward rounding."""
