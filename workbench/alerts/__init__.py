"""Alert rules, their schedule and evaluation. Not built yet: the place is kept."""
