"""Exams simulated through the engine's own decision code, and the evidence drawn from them."""
